import type { ErrorCode } from '../../core/errors.ts'
import type { PolicyEvent } from '../../core/events.ts'

interface OperationEvent extends PolicyEvent {
  readonly operation: string
  readonly tenant: string
  readonly key: string
}

/** A stored outcome was given in place of a run. */
export interface IdempotencyReplayed extends OperationEvent {
  readonly type: 'idempotency.replayed'
  /** Whether it was a result, not a failure. */
  readonly ok: boolean
}

/** A call was not let through. */
export interface IdempotencyRefused extends OperationEvent {
  readonly type: 'idempotency.refused'
  readonly code: ErrorCode
}

/** The `recover` hook has decided about an operation that was interrupted. */
export interface IdempotencyRecovered extends OperationEvent {
  readonly type: 'idempotency.recovered'
  readonly outcome: 'completed' | 'run-again' | 'unknown'
  /** What the hook failed with; the outcome stays unknown then. */
  readonly error?: unknown
}

/** The store was unavailable, and the operation ran without it, as `whenUnavailable: 'open'` says. */
export interface IdempotencyUnprotected extends OperationEvent {
  readonly type: 'idempotency.unprotected'
}

/** Another has taken the claim over while the operation ran. */
export interface IdempotencyLeaseLost extends OperationEvent {
  readonly type: 'idempotency.lease-lost'
}

/** The operation ended, and its outcome is not in the store: later calls find its outcome unknown. */
export interface IdempotencyNotStored extends OperationEvent {
  readonly type: 'idempotency.not-stored'
  readonly error: unknown
}

export type IdempotencyEvent =
  | IdempotencyReplayed
  | IdempotencyRefused
  | IdempotencyRecovered
  | IdempotencyUnprotected
  | IdempotencyLeaseLost
  | IdempotencyNotStored
