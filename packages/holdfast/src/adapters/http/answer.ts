import { isHoldfastError, type ErrorCode } from '../../core/errors.ts'

/** An answer that takes the place of the handler's. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export interface Problem {
  readonly status: number
  readonly title: string
  readonly code: ErrorCode
  /** @defaultValue 'about:blank' */
  readonly type?: string
  readonly retryAfterMs?: number | undefined
  readonly members?: Readonly<Record<string, unknown>>
}

/** Problem details (RFC 9457), with Retry-After in whole seconds (RFC 9110) where somebody knows. */
export function problemAnswer({ status, title, code, type = 'about:blank', retryAfterMs, members }: Problem): HttpAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterMs === undefined || retryAfterMs === Infinity ? {} : { 'retry-after': String(wholeSeconds(retryAfterMs)) }),
    },
    body: JSON.stringify({ type, title, status, code, ...members }),
  }
}

/** Whole seconds, never too early, and never 0: to come back at once is to come in a crowd. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000))
}

const registry = 'https://iana.org/assignments/http-problem-types'
/** Problem types of the RateLimit draft (draft-ietf-httpapi-ratelimit-headers-10). */
export const quotaExceeded: string = `${registry}#quota-exceeded`
const reducedCapacity = `${registry}#temporary-reduced-capacity`

type Meaning = Pick<Problem, 'status' | 'title' | 'type'>

const busy: Meaning = { status: 503, title: 'The service has no capacity for the request', type: reducedCapacity }
const overQuota: Meaning = { status: 429, title: 'The quota is used up', type: quotaExceeded }
const late: Meaning = { status: 504, title: 'The request was not answered in time' }

/** What each code is to a client. Codes that are missing say that the service itself is wrong. */
const meanings: Readonly<Partial<Record<ErrorCode, Meaning>>> = {
  ERR_CIRCUIT_OPEN: busy,
  ERR_CIRCUIT_ISOLATED: busy,
  ERR_BULKHEAD_FULL: busy,
  ERR_BULKHEAD_WAIT: busy,
  ERR_LOAD_SHED: busy,
  ERR_CONCURRENCY_LIMITED: busy,
  ERR_THROTTLED: busy,
  ERR_THROTTLE_WAIT: busy,
  ERR_PERMIT_STALE: busy,
  ERR_WOULD_WAIT: busy,
  ERR_DISPOSED: { ...busy, title: 'The service is going down' },
  ERR_STORE_UNAVAILABLE: { ...busy, title: 'The request cannot be recorded, so it was not carried out' },
  ERR_RATE_LIMITED: overQuota,
  ERR_RATE_LIMIT_WAIT: overQuota,
  ERR_QUOTA_PAUSED: overQuota,
  ERR_TIMEOUT: late,
  ERR_DEADLINE_EXCEEDED: late,
  ERR_IDEMPOTENCY_KEY_MISSING: { status: 400, title: 'The header Idempotency-Key is missing' },
  ERR_IDEMPOTENCY_KEY_INVALID: { status: 400, title: 'Idempotency-Key must be a string of 1 to 255 printable ASCII characters' },
  ERR_IDEMPOTENCY_IN_PROGRESS: { status: 409, title: 'A request with the same Idempotency-Key is still being carried out' },
  ERR_IDEMPOTENCY_MISMATCH: { status: 422, title: 'The Idempotency-Key was used for another request' },
  ERR_IDEMPOTENCY_OUTCOME_UNKNOWN: { status: 409, title: 'The request was interrupted, and its outcome is not known' },
  ERR_IDEMPOTENCY_LEASE_LOST: { status: 409, title: 'The request was taken over by another process' },
  ERR_IDEMPOTENCY_UNSTORABLE: { status: 409, title: 'The request was carried out, and its answer was not kept' },
}

/**
 * The answer for an error of a policy, by its code: 429, 503 and 504 with Retry-After where known, and those of idempotency. Undefined for
 * all other errors: they are the application's.
 */
export function errorAnswer(error: unknown): HttpAnswer | undefined {
  if (!isHoldfastError(error)) return undefined
  const meaning = meanings[error.code]
  return meaning === undefined ? undefined : problemAnswer({ ...meaning, code: error.code, retryAfterMs: error.retryAfterMs })
}
