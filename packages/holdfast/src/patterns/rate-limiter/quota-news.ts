import { statusOf } from '../../core/match-error.ts'
import { headerReader, parseRetryAfter, type ReadHeader } from '../../core/server-hint.ts'

/** What a server says is left of one of its quotas. */
export interface QuotaNews {
  /** The server's name of it (`requests`, `input-tokens`); empty when it gives none. */
  readonly resource: string
  /** Units in all; undefined when it does not say. */
  readonly limit: number | undefined
  readonly remaining: number
  /** Milliseconds until all is there again, 0 or more; undefined when it does not say. */
  readonly resetMs: number | undefined
  /** Units come back one after another until then, not all at once at the end. */
  readonly refills: boolean
}

export interface RateNews {
  readonly quotas: readonly QuotaNews[]
  /** How long everybody is asked to stay away. */
  readonly pauseMs: number | undefined
}

/** Longer ones are not read: no server writes such, and reading must cost little. */
const longestHeader = 1_000

/** Statuses with which a quota's owner turns callers away. */
const turnedAway = new Set([429, 529])

/** A number of seconds above this is a date (epoch seconds), above its thousandfold one in ms. */
const leastEpochSeconds = 1e9

/** OpenAI's headers and those that follow them, and Anthropic's: both refill their quotas all the time. */
const refilling = [
  { resources: ['requests', 'tokens'], name: (field: string, resource: string) => `x-ratelimit-${field}-${resource}` },
  {
    resources: ['requests', 'tokens', 'input-tokens', 'output-tokens'],
    name: (field: string, resource: string) => `anthropic-ratelimit-${resource}-${field}`,
  },
] as const

/** Quotas of a window, without a name: GitHub and many others, X, and the earlier IETF drafts. */
const windowed = ['x-ratelimit', 'x-rate-limit', 'ratelimit'] as const

/**
 * What the headers of an answer say about quotas: `x-ratelimit-*`, `anthropic-ratelimit-*`, IETF `RateLimit` and
 * `RateLimit-Policy`, `retry-after` and `retry-after-ms`. Takes a Response, an error of an SDK, or headers alone. What cannot be
 * understood is left out.
 */
export function readRateNews(source: unknown, wallNowMs: number): RateNews {
  if (typeof source !== 'object' || source === null) return { quotas: [], pauseMs: undefined }
  try {
    const { headers, response } = source as { headers?: unknown; response?: { headers?: unknown } | null }
    const hasHeaders = typeof headers === 'object' && headers !== null
    const read = bounded(headerReader(hasHeaders ? headers : (response?.headers ?? source)))
    const status = statusOf(source)
    const pauseMs = status === undefined || turnedAway.has(status) ? retryAfterMs(read, wallNowMs) : undefined
    return { quotas: [...refillingQuotas(read, wallNowMs), ...windowQuotas(read, wallNowMs), ...structuredQuotas(read)], pauseMs }
  } catch {
    return { quotas: [], pauseMs: undefined } // headers that throw when they are read say nothing
  }
}

function bounded(read: ReadHeader): ReadHeader {
  return (name) => {
    const text = read(name)
    return text === undefined || text.length > longestHeader ? undefined : text.trim()
  }
}

function retryAfterMs(read: ReadHeader, wallNowMs: number): number | undefined {
  const inMs = unitsOf(read('retry-after-ms')) ?? unitsOf(read('x-ms-retry-after-ms'))
  const afterMs = inMs ?? parseRetryAfter(read('retry-after'), wallNowMs)
  return afterMs !== undefined && afterMs > 0 && afterMs < Infinity ? afterMs : undefined
}

function refillingQuotas(read: ReadHeader, wallNowMs: number): readonly QuotaNews[] {
  return refilling.flatMap(({ resources, name }) =>
    resources.flatMap((resource) => {
      const readField = (field: string): string | undefined => read(name(field, resource))
      return quota(resource, readField, wallNowMs, true)
    }),
  )
}

function windowQuotas(read: ReadHeader, wallNowMs: number): readonly QuotaNews[] {
  return windowed.flatMap((prefix) => quota('', (field) => read(`${prefix}-${field}`), wallNowMs, false))
}

function quota(resource: string, read: ReadHeader, wallNowMs: number, refills: boolean): readonly QuotaNews[] {
  const remaining = unitsOf(read('remaining'))
  if (remaining === undefined) return []
  return [{ resource, limit: unitsOf(read('limit')), remaining, resetMs: parseReset(read('reset'), wallNowMs), refills }]
}

/** A number of units; a negative one is 0. */
function unitsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d{1,15}(\.\d+)?$/.test(text)) return undefined
  return Math.max(0, Number(text))
}

const durationPart = /(\d{1,15}(?:\.\d+)?)(ms|us|µs|ns|s|m|h|d)/y
const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds until a reset: a duration (`6m0s`, `20ms`), seconds from now, an instant in epoch seconds or ms, or a date (RFC 3339,
 * HTTP). One that has passed is 0.
 */
export function parseReset(text: string | undefined, wallNowMs: number): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,15}(\.\d+)?$/.test(text)) {
    const value = Number(text)
    if (value < leastEpochSeconds) return value * 1_000
    return Math.max(0, (value < leastEpochSeconds * 1_000 ? value * 1_000 : value) - wallNowMs)
  }
  let sum = 0
  let end = 0
  for (durationPart.lastIndex = 0; ; end = durationPart.lastIndex) {
    const part = durationPart.exec(text)
    if (part === null) break
    sum += Number(part[1]) * (unitMs[part[2] as string] as number)
  }
  if (end === text.length) return sum
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

/** `RateLimit: "minute";r=50;t=30` with `RateLimit-Policy: "minute";q=100;w=60`, and the draft before: `limit=100, remaining=50, reset=30`. */
function structuredQuotas(read: ReadHeader): readonly QuotaNews[] {
  const header = read('ratelimit')
  if (header === undefined) return []
  const policies = new Map(structuredItems(read('ratelimit-policy') ?? '').map(({ name, fields }) => [name, fields]))
  const items = structuredItems(header)
  const isEarlier = items.some(({ name }) => name.startsWith('limit=') || name.startsWith('remaining='))
  if (isEarlier) {
    const fields = new Map(items.map(({ name }) => name.split('=', 2) as [string, string]))
    return structuredQuota('', fields, 'remaining', 'reset', unitsOf(fields.get('limit')))
  }
  return items.flatMap(({ name, fields }) => structuredQuota(name, fields, 'r', 't', unitsOf(policies.get(name)?.get('q'))))
}

function structuredQuota(
  resource: string,
  fields: ReadonlyMap<string, string>,
  remainingField: string,
  resetField: string,
  limit: number | undefined,
): readonly QuotaNews[] {
  const remaining = unitsOf(fields.get(remainingField))
  if (remaining === undefined) return []
  const seconds = unitsOf(fields.get(resetField))
  return [{ resource, limit, remaining, resetMs: seconds === undefined ? undefined : seconds * 1_000, refills: false }]
}

interface StructuredItem {
  readonly name: string
  readonly fields: ReadonlyMap<string, string>
}

/** The items of a list (RFC 9651) with their parameters, as far as these headers need it. */
function structuredItems(text: string): readonly StructuredItem[] {
  return text
    .split(',')
    .slice(0, 10)
    .map((item) => {
      const [name = '', ...parameters] = item.split(';').map((part) => part.trim())
      const fields = new Map(parameters.map((parameter) => parameter.split('=', 2).map((part) => part.trim()) as [string, string]))
      return { name: name.replace(/^"|"$/g, ''), fields }
    })
}
