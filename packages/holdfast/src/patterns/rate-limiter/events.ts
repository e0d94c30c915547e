import type { ErrorCode } from '../../core/errors.ts'
import type { PolicyEvent } from '../../core/events.ts'

export interface LimiterRejected extends PolicyEvent {
  readonly type: 'limiter.rejected'
  readonly code: ErrorCode
  readonly key: string
  readonly retryAfterMs: number | null
}

export interface LimiterPaused extends PolicyEvent {
  readonly type: 'limiter.paused'
  /** null: all keys. */
  readonly key: string | null
  readonly forMs: number
}

export interface LimiterResumed extends PolicyEvent {
  readonly type: 'limiter.resumed'
  readonly key: string | null
}

/** `costOf`, `actualCost` or `refundOn` threw, or promised an answer that is needed at once: the call counts as reserved. */
export interface LimiterCallbackFailed extends PolicyEvent {
  readonly type: 'limiter.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type RateLimiterEvent = LimiterRejected | LimiterPaused | LimiterResumed | LimiterCallbackFailed
