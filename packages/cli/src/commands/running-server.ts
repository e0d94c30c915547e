import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunFile } from '@holdfast/server'
import { CommandFailure, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'

/** Where the server is that a command speaks to. */
export interface ServerPlace {
  /** Of its control listener; given by the user. */
  readonly url?: string
  readonly dataDir: string
}

interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

const timeoutMs = 10_000

/**
 * Asks the running server something, or to change something, with the token of `HOLDFAST_TOKEN`.
 * @throws CommandFailure that says what stands in the way.
 */
export async function askServer(place: ServerPlace, request: Request, { env }: Output): Promise<Record<string, unknown>> {
  const token = env['HOLDFAST_TOKEN'] ?? ''
  if (token === '' && request.method !== 'GET')
    throw new CommandFailure("HOLDFAST_TOKEN is not set: put a token with the role 'operate' there (see server.tokens)", exitCodes.usage)
  const url = place.url === undefined ? await controlUrlOf(place.dataDir) : readUrl(place.url)
  const response = await send(url, token, request)
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
  if (response.ok) return answer
  throw new CommandFailure(refusalText(url, response.status, answer))
}

async function send(url: string, token: string, { method, path, body }: Request): Promise<Response> {
  try {
    return await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    const { cause, message } = error as { readonly cause?: { readonly code?: unknown }; readonly message?: unknown }
    const code = String(cause?.code ?? message)
    const hint = /CERT|SELF_SIGNED|ALTNAME/.test(code)
      ? '; name its authority in NODE_EXTRA_CA_CERTS, and the host in its certificate with --url'
      : ''
    throw new CommandFailure(`the server at ${url} does not answer (${code})${hint}`)
  }
}

function refusalText(url: string, status: number, { error }: { readonly error?: { readonly message?: unknown } }): string {
  if (status === 401) return `the server at ${url} does not know the token in HOLDFAST_TOKEN`
  if (status === 403)
    return `the token in HOLDFAST_TOKEN may not do this: it needs the role 'operate' (the server says: ${String(error?.message)})`
  return `the server at ${url} refused: ${typeof error?.message === 'string' ? error.message : `status ${status}`}`
}

async function controlUrlOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'server.json')
  const way = "start it with 'holdfast serve', name its folder with --data-dir, or its control listener with --url"
  let run: Partial<RunFile>
  try {
    run = JSON.parse(await readFile(path, 'utf8')) as Partial<RunFile>
  } catch {
    throw new CommandFailure(`no server is running with the data directory ${dataDir} (there is no ${path}): ${way}`)
  }
  if (typeof run.controlUrl !== 'string' || typeof run.pid !== 'number' || !isAlive(run.pid))
    throw new CommandFailure(`the server that wrote ${path} is no longer running: ${way}`)
  return run.controlUrl
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '') return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  throw new CommandFailure(`--url has to be the http:// or https:// address of a control listener, got '${text}'`, exitCodes.usage)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
