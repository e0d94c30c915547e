import type { HttpAnswer } from './answer.ts'
import { errorAnswer } from './answer.ts'
import { errorWithoutStack } from '../../core/errors.ts'

/** A response as it is kept for replay. */
export interface StoredResponse {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Absent when it was a stream of events, or larger than is kept. */
  readonly body: Uint8Array | undefined
}

/** Of one connection or moment, or secret: they are not replayed. */
const notKept = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'set-cookie',
  'ratelimit',
  'ratelimit-policy',
])

export function storedResponse(
  status: number,
  headers: Iterable<readonly [string, unknown]>,
  body: Uint8Array | undefined,
): StoredResponse {
  const kept: [string, string][] = []
  for (const [name, value] of headers) {
    if (notKept.has(name.toLowerCase())) continue
    if (typeof value === 'string' || typeof value === 'number') kept.push([name.toLowerCase(), String(value)])
    else if (Array.isArray(value)) kept.push([name.toLowerCase(), value.join(', ')])
  }
  return { status, headers: kept, body }
}

/** The same answer again, marked as such; or 409 where the answer was not kept. */
export function replayAnswer({ status, headers, body }: StoredResponse): HttpAnswer {
  if (body === undefined) return errorAnswer(errorWithoutStack({ code: 'ERR_IDEMPOTENCY_UNSTORABLE' })) as HttpAnswer
  return { status, headers: { ...Object.fromEntries(headers), 'idempotent-replayed': 'true' }, body }
}

/** Events are for who listens now: they are not held back to be kept. */
export function isEventStream(contentType: unknown): boolean {
  return typeof contentType === 'string' && contentType.startsWith('text/event-stream')
}
