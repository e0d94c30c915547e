import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { chance } from './chance.ts'
import type { RequestLife } from './request-life.ts'
import type { RequestOutcome } from './service-stats.ts'

/** One request while a service works on it. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown
  /** Aborted when the client has left. */
  readonly gone: AbortSignal
  /** The same number for the same seed, question, repetition and purpose. */
  draw(purpose: string): number
  /**
   * Takes `ms` of work, longer while the service is slow.
   * @throws an AbortError when the client leaves.
   */
  work(ms: number): Promise<void>
  /** Runs when the work is over: answered, lost or abandoned. */
  whenEnded(run: () => void): void
  /** Says that the work is over although the client still waits. */
  endWork(): void
}

/** What a handler hands back: JSON, or server-sent events that are written one by one. */
export interface JsonAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How it counts. @defaultValue what the status says */
  readonly outcome?: RequestOutcome
}
export interface EventsAnswer {
  readonly status: 200
  readonly events: readonly string[]
  /** Work before each event. */
  readonly intervalMs: number
  readonly headers?: Readonly<Record<string, string>>
}
export type Answer = JsonAnswer | EventsAnswer

/** What identifies a question of a task, so that asking again is seen as asking again. */
export function questionOf(request: IncomingMessage, path: string, bodyText: string, step: string): string {
  const task = request.headers['x-task-id']
  return typeof task === 'string' ? `${task} ${request.method} ${path} ${step}` : `${request.method} ${request.url} ${bodyText}`
}

export interface ExchangeInit {
  readonly request: IncomingMessage
  readonly url: URL
  readonly body: unknown
  readonly life: RequestLife
  readonly seed: number
  readonly question: string
  /** 1 for the first time the question is asked. */
  readonly repetition: number
  /** How much longer than planned work takes. */
  readonly slowness: number
}

export function exchange(init: ExchangeInit): Exchange {
  const { request, url, body, life, seed, question, repetition, slowness } = init
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
    gone: life.gone,
    draw: (purpose) => chance(seed, question, repetition, purpose),
    work: (ms) => delay(ms * slowness, undefined, { signal: life.gone }),
    whenEnded: (run) => life.whenEnded(run),
    endWork: () => life.endWork(),
  }
}

const maxBodyBytes = 256 * 1_024

/** @throws RangeError when the body is larger than any question of the demo. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) throw new RangeError(`body larger than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Parsed JSON, or undefined when there is none to parse. */
export function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}
