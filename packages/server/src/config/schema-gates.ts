import * as z from 'zod'
import { choice, duration, integer, parsedScalar } from './scalars.ts'
import { section } from './section.ts'

/** The settings of a bulkhead as `bulkhead()` takes them; durations in ms. */
export interface BulkheadSettings {
  readonly name: string
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly maxWait?: number
  readonly maxHold?: number
}

/** The settings of a rate limiter as `rateLimiter()` takes them, but for `key`; durations in ms. */
export interface RateLimiterSettings {
  readonly name: string
  readonly limit: number
  readonly window: number
  readonly algorithm: 'sliding-window' | 'gcra'
  readonly burst?: number
  readonly maxQueued: number
  readonly maxWait?: number
  readonly maxKeys: number
  readonly resumeOver: number
  readonly key: RateLimitKey
}

/** Who has a limit of their own: each client address, each value of a header, or nobody (one limit for all). */
export type RateLimitKey = 'client' | 'none' | `header:${string}`

/** The settings of a timeout as `timeout()` takes them, in ms. */
export interface TimeoutSettings {
  readonly name: string
  readonly after: number
}

const ownName = { name: "a definition's name is its key" }
const executionTime = "a bulkhead limits no execution time: use a pipeline's 'attemptTimeout', or 'maxWait' for the time in its queue"

/** A bulkhead's settings without its name. */
export const bulkheadSchema: z.ZodType<Omit<BulkheadSettings, 'name'>> = section(
  {
    maxConcurrent: integer({ min: 1 }).describe('Requests that may run at the same time.'),
    maxQueued: integer().prefault(0).describe('Requests that may wait for a place.'),
    maxWait: duration().exactOptional().describe("Longest wait in the queue. No limit but the request's deadline when left out."),
    maxHold: duration({ min: '1ms' })
      .exactOptional()
      .describe('A place held for longer is taken back, and the limit may then be exceeded. Never when left out.'),
  },
  {
    aliases: {
      maxConcurrentCalls: 'maxConcurrent',
      concurrency: 'maxConcurrent',
      queueSize: 'maxQueued',
      maxQueue: 'maxQueued',
      maxWaitDuration: 'maxWait',
    },
    elsewhere: { timeout: executionTime, ...ownName },
  },
).meta({ id: 'bulkhead' })

const headerKey = /^header:[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const limitKey = parsedScalar<RateLimitKey>({
  expected: "'client', 'none' or 'header:' with a header's name",
  parse: (value) => {
    if (value === 'client' || value === 'none') return value
    return typeof value === 'string' && headerKey.test(value) ? (value.toLowerCase() as RateLimitKey) : undefined
  },
  suggest: (value) => {
    if (typeof value !== 'string') return undefined
    const header = /^header[:\s]*([\w-]+)$/i.exec(value)?.[1]
    if (header !== undefined) return `header:${header}`
    return /^(ip|address|remote|user)/i.test(value) ? 'client' : undefined
  },
  json: { type: 'string', pattern: headerKey.source.replace('^header:', '^client$|^none$|^header:') },
})

/** A rate limiter's settings without its name. */
export const rateLimiterSchema: z.ZodType<Omit<RateLimiterSettings, 'name'>> = section(
  {
    limit: integer({ min: 1 }).describe('Requests allowed per window.'),
    window: duration({ min: '1ms' }).describe('Time in which the limit holds: no interval of this length admits more.'),
    algorithm: choice(['sliding-window', 'gcra'])
      .prefault('sliding-window')
      .describe('sliding-window counts the requests of the last window; gcra spreads them evenly, after a burst.'),
    burst: integer({ min: 1 }).exactOptional().describe('Requests that may come at once, with gcra only. The limit when left out.'),
    maxQueued: integer().prefault(0).describe('Requests that may wait for their turn, over all keys.'),
    maxWait: duration().exactOptional().describe("Longest wait. The request's deadline when left out."),
    maxKeys: integer({ min: 1, max: 1_000_000 }).prefault(100_000).describe('Keys told apart; further ones share one limit.'),
    resumeOver: duration().prefault('1s').describe('After a pause, requests come back spread over this time instead of all at once.'),
    key: limitKey
      .prefault('none')
      .describe(
        "Who has a limit of their own: 'client' (each address; of IPv6, each /64), 'header:<name>' (each value of a header) or 'none' (one limit for all).",
      ),
  },
  {
    aliases: { requests: 'limit', maxRequests: 'limit', period: 'window', interval: 'window', queueSize: 'maxQueued', keyBy: 'key' },
    elsewhere: ownName,
  },
).meta({ id: 'rateLimiter' })

/** `'2s'`, or `{ after: '2s' }`; becomes ms. */
export const timeoutSchema: z.ZodType<number> = z
  .union(
    [
      duration({ min: '1ms' }),
      section(
        { after: duration({ min: '1ms' }).describe('How long an answer may take.') },
        { aliases: { timeout: 'after', duration: 'after' }, elsewhere: ownName },
      ).transform(({ after }) => after),
    ],
    { error: "must be a duration with its unit, such as '2s'" },
  )
  .meta({ id: 'timeout' })
