import type { ErrorCode } from '../../core/errors.ts'
import type { PolicyEvent } from '../../core/events.ts'

export interface ConcurrencyRejected extends PolicyEvent {
  readonly type: 'concurrency.rejected'
  readonly code: ErrorCode
  readonly limit: number
  readonly running: number
  readonly queued: number
}

/** At most one per second: the limit moves all the time while it is being sought. */
export interface ConcurrencyLimitChanged extends PolicyEvent {
  readonly type: 'concurrency.limit-changed'
  readonly from: number
  readonly to: number
}

export interface ConcurrencyCallbackFailed extends PolicyEvent {
  readonly type: 'concurrency.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type AdaptiveConcurrencyEvent = ConcurrencyRejected | ConcurrencyLimitChanged | ConcurrencyCallbackFailed
