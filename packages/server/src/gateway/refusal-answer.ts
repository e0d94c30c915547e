import { isHoldfastError, isRefusal, errorCodes, type ErrorCode } from 'holdfast'
import { BodyTooLarge } from './request-body.ts'

/** An answer the gateway gives by itself. */
export interface OwnAnswer {
  readonly status: number
  /** Machine-readable, in the body and in `x-holdfast-cause`. */
  readonly cause: string
  readonly message: string
  readonly retryAfterMs?: number
  readonly policy?: string
}

const byCode: Partial<Record<ErrorCode, { readonly status: number; readonly cause: string }>> = {
  ERR_CIRCUIT_OPEN: { status: 503, cause: 'circuit-open' },
  ERR_CIRCUIT_ISOLATED: { status: 503, cause: 'circuit-isolated' },
  ERR_BULKHEAD_FULL: { status: 503, cause: 'bulkhead-full' },
  ERR_BULKHEAD_WAIT: { status: 503, cause: 'bulkhead-wait' },
  ERR_LOAD_SHED: { status: 503, cause: 'load-shed' },
  ERR_CONCURRENCY_LIMITED: { status: 503, cause: 'concurrency-limited' },
  ERR_THROTTLED: { status: 503, cause: 'throttled' },
  ERR_THROTTLE_WAIT: { status: 503, cause: 'throttled' },
  ERR_RATE_LIMITED: { status: 429, cause: 'rate-limited' },
  ERR_RATE_LIMIT_WAIT: { status: 429, cause: 'rate-limited' },
  ERR_QUOTA_PAUSED: { status: 429, cause: 'quota-paused' },
  ERR_TIMEOUT: { status: 504, cause: 'timeout' },
  ERR_DEADLINE_EXCEEDED: { status: 504, cause: 'deadline-exceeded' },
  ERR_DISPOSED: { status: 503, cause: 'shutting-down' },
}

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** How a failure that brought no answer is told to the client. Texts of the upstream's errors stay here: they may name inner hosts. */
export function ownAnswer(error: unknown, upstream: string): OwnAnswer {
  if (isRefusal(error) || isHoldfastError(error)) {
    const known = byCode[error.code]
    if (known !== undefined) {
      const { code, retryAfterMs, policy } = error
      return { ...known, message: `${upstream}: ${errorCodes[code]}`, policy, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    }
  }
  if (error instanceof BodyTooLarge) return { status: 413, cause: 'body-too-large', message: error.message }
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && unreachable.has(code))
    return { status: 502, cause: 'upstream-unreachable', message: `${upstream} cannot be reached (${code})` }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return { status: 504, cause: 'timeout', message: `${upstream} did not answer in time` }
  return { status: 502, cause: 'upstream-failed', message: `${upstream} failed${typeof code === 'string' ? ` (${code})` : ''}` }
}

/** Status and body of an own answer, in the shape that LLM clients expect of an error. */
export function ownAnswerBody(answer: OwnAnswer, upstream: string | undefined): string {
  return `${JSON.stringify({
    error: {
      type: 'holdfast_error',
      code: answer.cause,
      message: answer.message,
      ...(upstream === undefined ? {} : { upstream }),
      ...(answer.policy === undefined ? {} : { policy: answer.policy }),
      ...(answer.retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(answer.retryAfterMs) }),
    },
  })}\n`
}
