import { setTimeout as delay } from 'node:timers/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { parseDuration } from 'holdfast'
import { CommandFailure, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'

/** What the parser hands to the probe. */
export interface ProbeArguments {
  /** Address of the control listener. */
  readonly url: string
  readonly ready?: boolean
  readonly alive?: boolean
  /** A duration such as 3s. */
  readonly timeout: string
  /** How long to ask again while it is not well, a duration. @defaultValue asks once */
  readonly wait?: string
  /** Take whatever certificate the listener shows. */
  readonly insecure?: boolean
}

interface ProbeAnswer {
  readonly status: number
  /** Why it is not ready, in the server's words. */
  readonly reason: string | undefined
}

const maxBodyBytes = 64 * 1024
const maxReasonLength = 500
const askAgainMs = 200

/**
 * `holdfast probe`: asks a running server for its health, for images and units that have no curl.
 * @throws CommandFailure with exit code 1 when it is not well or does not answer in time, 2 when the arguments are wrong.
 */
export async function probe(args: ProbeArguments, output: Output): Promise<void> {
  const question = args.alive === true ? 'alive' : 'ready'
  const url = healthUrl(args, question)
  const timeoutMs = durationOf('--timeout', args.timeout)
  const lastAt = performance.now() + (args.wait === undefined ? 0 : durationOf('--wait', args.wait))
  let complaint = await complaintOf(url, question, timeoutMs, args)
  while (complaint !== undefined && performance.now() + askAgainMs < lastAt) {
    await delay(askAgainMs)
    complaint = await complaintOf(url, question, timeoutMs, args)
  }
  if (complaint !== undefined) throw new CommandFailure(complaint)
  output.stdout.write(`${question}\n`)
}

/** What speaks against it; nothing does when it is well. */
async function complaintOf(url: URL, question: string, timeoutMs: number, args: ProbeArguments): Promise<string | undefined> {
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const { status, reason } = await ask(url, late, args.insecure === true)
    if (status === 200) return undefined
    return `not ${question}: ${url.href} answers ${status}${reason === undefined ? '' : `, ${reason}`}`
  } catch (error) {
    return `${url.href} ${late.aborted ? `did not answer within ${args.timeout}` : failureText(error)}`
  }
}

function healthUrl({ url, ready, alive }: ProbeArguments, question: string): URL {
  if (ready === true && alive === true)
    throw new CommandFailure('--ready and --alive are two questions: ask one at a time', exitCodes.usage)
  const base = URL.canParse(url) ? new URL(url) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol))
    throw new CommandFailure(`--url has to be an address such as http://127.0.0.1:8000, got '${withoutPassword(url)}'`, exitCodes.usage)
  if (base.username !== '' || base.password !== '')
    throw new CommandFailure('--url must not hold a name and password: health needs none', exitCodes.usage)
  return new URL(`${base.pathname.replace(/\/$/, '')}/health/${question}`, base)
}

/** What was typed, without what stands before an @: it may be a secret. */
function withoutPassword(text: string): string {
  return text.replace(/^.*@/, '…@')
}

function durationOf(option: string, text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === undefined || !(durationMs > 0 && durationMs <= 600_000))
    throw new CommandFailure(`${option} has to be a duration of up to 10m such as 3s, got '${text}'`, exitCodes.usage)
  return durationMs
}

function ask(url: URL, signal: AbortSignal, insecure: boolean): Promise<ProbeAnswer> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const options = { signal, agent: false, rejectUnauthorized: !insecure }
  return new Promise((resolve, reject) => {
    request(url, options, (response) => void read(response).then(resolve, reject))
      .once('error', reject)
      .end()
  })
}

async function read(response: IncomingMessage): Promise<ProbeAnswer> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    if (text.length > maxBodyBytes) break
  }
  return { status: response.statusCode ?? 0, reason: reasonIn(text) }
}

/** The server's own sentence, in one line; what else stands on that port may say what it likes. */
function reasonIn(text: string): string | undefined {
  try {
    const { reason } = JSON.parse(text) as { reason?: unknown }
    return typeof reason === 'string' ? reason.replaceAll(/\p{Cc}+/gu, ' ').slice(0, maxReasonLength) : undefined
  } catch {
    return undefined
  }
}

function failureText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'does not answer: nothing listens there'
  const certificate = code !== undefined && /CERT|SELF_SIGNED|ALTNAME/.test(code)
  return `cannot be asked: ${message}${certificate ? '; --insecure takes whatever certificate it shows' : ''}`
}
