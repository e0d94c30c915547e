import { isHoldfastError } from '../../core/errors.ts'
import type { Cost } from '../../core/call.ts'
import type { LimitUsage, RateLimiter } from '../../patterns/rate-limiter/rate-limiter.ts'
import { errorAnswer, type HttpAnswer, problemAnswer, quotaExceeded, wholeSeconds } from './answer.ts'
import { writeString } from './structured-field.ts'

export interface RateLimitOptions<Request> {
  readonly limiter: RateLimiter
  /** Whose limit a request uses: an account or an API key; behind a proxy an address is that of the proxy. @defaultValue one limit for all */
  readonly keyOf?: (request: Request) => string | undefined
  readonly costOf?: (request: Request) => Cost | undefined
  /** Names of the limits in the headers, by their names in the limiter. @defaultValue those of the limiter */
  readonly names?: Readonly<Record<string, string>>
}

export type RateLimitDecision = { readonly headers: Readonly<Record<string, string>>; readonly answer?: HttpAnswer }

/** Counts a request against its limit; waits where the limiter lets calls wait. */
export async function countRequest<Request>(
  { limiter, keyOf, costOf, names = {} }: RateLimitOptions<Request>,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<RateLimitDecision> {
  const key = keyOf?.(request)
  try {
    const permit = await limiter.acquire({ key, cost: costOf?.(request), signal })
    permit.success()
    return { headers: rateLimitHeaders(limiter.usage(key), names, undefined) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const usage = limiter.usage(key)
    const headers = rateLimitHeaders(usage, names, error.retryAfterMs)
    const general = errorAnswer(error)
    if (general === undefined) throw error
    if (general.status !== 429) return { headers, answer: general }
    const violated = Object.entries(usage).filter(([, { remaining }]) => remaining < 1)
    const members = violated.length === 0 ? {} : { 'violated-policies': violated.map(([name]) => names[name] ?? name) }
    const problem = {
      status: 429,
      title: 'The quota is used up',
      type: quotaExceeded,
      code: error.code,
      retryAfterMs: error.retryAfterMs,
      members,
    }
    return { headers, answer: problemAnswer(problem) }
  }
}

/**
 * `RateLimit-Policy` (quota and window of each limit) and `RateLimit` (what is left, and in how many seconds all of it is there again), as
 * draft-ietf-httpapi-ratelimit-headers-10 has them. No partition key is told: it may name a caller.
 */
function rateLimitHeaders(
  usage: Readonly<Record<string, LimitUsage>>,
  names: Readonly<Record<string, string>>,
  retryAfterMs: number | undefined,
): Readonly<Record<string, string>> {
  const policies: string[] = []
  const limits: string[] = []
  for (const [limitName, { limit, windowMs, used, remaining }] of Object.entries(usage)) {
    const name = writeString(names[limitName] ?? limitName)
    const seconds = wholeSeconds(windowMs)
    policies.push(`${name};q=${Math.floor((limit * seconds * 1_000) / windowMs)};w=${seconds}`)
    const untilFullMs = Math.max((used * windowMs) / limit, remaining < 1 ? (retryAfterMs ?? 0) : 0)
    limits.push(`${name};r=${Math.max(0, Math.floor(remaining))}${untilFullMs > 0 ? `;t=${wholeSeconds(untilFullMs)}` : ''}`)
  }
  return { 'ratelimit-policy': policies.join(', '), ratelimit: limits.join(', ') }
}
