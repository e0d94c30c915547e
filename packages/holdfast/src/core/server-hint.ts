import { causesOf } from './causes.ts'
import { parseDuration } from './duration.ts'

/** What the other side said about coming back. */
export interface ServerHint {
  /** Milliseconds from now, 0 or more. */
  readonly afterMs?: number
  /** It asked not to be tried again. */
  readonly never?: boolean
}

/** Reads a header by its name in lower case. */
export type ReadHeader = (name: string) => string | undefined

/**
 * Reads the hint out of an error or a response: `retryAfterMs` of a HoldfastError, and the headers (or gRPC metadata)
 * `x-should-retry: false`, `grpc-retry-pushback-ms`, `retry-after-ms`, `x-ms-retry-after-ms` and `retry-after` (seconds or an
 * HTTP date). A hint that cannot be read is none, but for gRPC's pushback, which then forbids another attempt (gRFC A6).
 */
export function serverHint(outcome: unknown, wallNowMs: number): ServerHint | undefined {
  for (const each of causesOf(outcome)) {
    try {
      const hint = hintOf(each, wallNowMs)
      if (hint !== undefined) return hint
    } catch {
      // headers that throw when they are read say nothing
    }
  }
  return undefined
}

function hintOf(outcome: unknown, wallNowMs: number): ServerHint | undefined {
  if (typeof outcome !== 'object' || outcome === null) return undefined
  const { retryAfterMs, headers, response, metadata } = outcome as {
    retryAfterMs?: unknown
    headers?: unknown
    response?: { headers?: unknown } | null
    metadata?: unknown
  }
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return after(retryAfterMs)
  for (const source of [headers, response?.headers, metadata]) {
    const hint = hintInHeaders(headerReader(source), wallNowMs)
    if (hint !== undefined) return hint
  }
  return undefined
}

function hintInHeaders(read: ReadHeader, wallNowMs: number): ServerHint | undefined {
  if (read('x-should-retry') === 'false') return { never: true }
  const pushback = read('grpc-retry-pushback-ms')
  if (pushback !== undefined) return after(numberOf(pushback) ?? -1)
  const afterMs = numberOf(read('retry-after-ms')) ?? numberOf(read('x-ms-retry-after-ms'))
  if (afterMs !== undefined && afterMs >= 0) return after(afterMs)
  const parsed = parseRetryAfter(read('retry-after'), wallNowMs)
  return parsed === undefined ? undefined : after(parsed)
}

/** A hint of a negative time, or of one that never comes, asks not to come back. */
function after(ms: number): ServerHint {
  return ms >= 0 && ms !== Infinity ? { afterMs: ms } : { never: true }
}

/** Milliseconds of a Retry-After value (RFC 9110 §10.2.3): seconds or an HTTP date; a date that has passed is 0. */
export function parseRetryAfter(value: string | undefined, wallNowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  if (!/\d:\d\d:\d\d/.test(text)) return parseDuration(text)
  const at = Date.parse(isZoned(text) ? text : `${text} GMT`)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

/** The oldest of the three forms of an HTTP date names no zone; it means GMT. */
function isZoned(text: string): boolean {
  return /(GMT|UTC|Z|[+-]\d{2}:?\d{2})$/i.test(text)
}

/** Of a Headers object, or of a plain record of headers. */
export function headerReader(headers: unknown): ReadHeader {
  if (typeof headers !== 'object' || headers === null) return () => undefined
  if ('get' in headers && typeof headers.get === 'function') {
    return (name) => textOf((headers.get as (name: string) => unknown).call(headers, name))
  }
  return (name) => {
    for (const [key, value] of Object.entries(headers)) if (key.toLowerCase() === name) return textOf(value)
    return undefined
  }
}

/** The text of a header's value; of several values, the first. */
function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  if (typeof first === 'string') return first
  return typeof first === 'number' ? String(first) : undefined
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}
