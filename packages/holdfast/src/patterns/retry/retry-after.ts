import { parseDuration } from '../../core/duration.ts'
import { causesOf } from '../../core/causes.ts'

/** What the other side said about coming back. */
export interface ServerHint {
  /** Milliseconds from now, 0 or more. */
  readonly afterMs?: number
  /** It asked not to be tried again. */
  readonly never?: boolean
}

/**
 * Reads the hint out of an error or a response: `retryAfterMs` of a HoldfastError, the headers `retry-after-ms`,
 * `x-ms-retry-after-ms`, `retry-after` (seconds or an HTTP date), `x-should-retry: false` and gRPC's negative
 * `grpc-retry-pushback-ms`. A hint that cannot be read is none.
 */
export function serverHint(outcome: unknown, wallNowMs: number): ServerHint | undefined {
  for (const each of causesOf(outcome)) {
    const hint = hintOf(each, wallNowMs)
    if (hint !== undefined) return hint
  }
  return undefined
}

function hintOf(outcome: unknown, wallNowMs: number): ServerHint | undefined {
  if (typeof outcome !== 'object' || outcome === null) return undefined
  const { retryAfterMs, headers, response } = outcome as { retryAfterMs?: unknown; headers?: unknown; response?: { headers?: unknown } | null }
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return { afterMs: retryAfterMs }
  const read = headerReader(headers) ?? headerReader(response?.headers)
  if (read === undefined) return undefined
  if (read('x-should-retry') === 'false') return { never: true }
  const pushback = numberOf(read('grpc-retry-pushback-ms'))
  if (pushback !== undefined) return pushback < 0 ? { never: true } : { afterMs: pushback }
  const ms = numberOf(read('retry-after-ms')) ?? numberOf(read('x-ms-retry-after-ms'))
  if (ms !== undefined && ms >= 0) return { afterMs: ms }
  const afterMs = parseRetryAfter(read('retry-after'), wallNowMs)
  return afterMs === undefined ? undefined : { afterMs }
}

/** Milliseconds of a Retry-After value (RFC 9110 §10.2.3): seconds or an HTTP date; a date that has passed is 0. */
export function parseRetryAfter(value: string | undefined, wallNowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  if (!/[a-z]{3}/i.test(text)) return parseDuration(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? parseDuration(text) : Math.max(0, at - wallNowMs)
}

function headerReader(headers: unknown): ((name: string) => string | undefined) | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  if ('get' in headers && typeof headers.get === 'function') {
    return (name) => {
      const value: unknown = (headers.get as (name: string) => unknown).call(headers, name)
      return typeof value === 'string' ? value : undefined
    }
  }
  return (name) => {
    for (const [key, value] of Object.entries(headers)) {
      if (key.toLowerCase() !== name) continue
      const first: unknown = Array.isArray(value) ? value[0] : value
      return typeof first === 'string' ? first : typeof first === 'number' ? String(first) : undefined
    }
    return undefined
  }
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}
