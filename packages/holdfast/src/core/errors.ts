/** Every code a {@link HoldfastError} can carry, with what it means. docs/errors.md has a row for each. */
export const errorCodes = {
  ERR_CIRCUIT_OPEN: 'the circuit breaker is open and lets no call through',
  ERR_CIRCUIT_ISOLATED: 'the circuit breaker was isolated by hand and lets no call through until it is closed by hand',
  ERR_TIMEOUT: 'the call did not answer within its timeout',
  ERR_DEADLINE_EXCEEDED: 'the deadline the caller gave for the call has passed',
  ERR_BULKHEAD_FULL: 'neither a place nor a seat in the queue is free',
  ERR_BULKHEAD_WAIT: 'no place became free within the longest wait',
  ERR_THROTTLED: 'as many calls wait for their start as may',
  ERR_THROTTLE_WAIT: 'the call would have to wait longer for its start than allowed',
  ERR_RATE_LIMITED: 'the rate limit is used up',
  ERR_RATE_LIMIT_WAIT: 'the rate limit would make the call wait longer than allowed',
  ERR_QUOTA_PAUSED: 'the quota is paused for all callers, as its owner asked',
  ERR_LOAD_SHED: 'the call is not let in, so that more important ones are served under load',
  ERR_CONCURRENCY_LIMITED: 'as many calls run as the dependency can bear now',
  ERR_IDEMPOTENCY_KEY_MISSING: 'the operation needs an idempotency key',
  ERR_IDEMPOTENCY_KEY_INVALID: 'the idempotency key is not 1 to 255 printable ASCII characters',
  ERR_IDEMPOTENCY_IN_PROGRESS: 'a call with the same idempotency key is still running',
  ERR_IDEMPOTENCY_MISMATCH: 'the idempotency key was used for another request',
  ERR_IDEMPOTENCY_OUTCOME_UNKNOWN: 'an earlier call with the same idempotency key was interrupted, and its effect may have happened',
  ERR_IDEMPOTENCY_LEASE_LOST: 'the call ran for longer than its claim on the idempotency key held, and another has taken it over',
  ERR_IDEMPOTENCY_UNSTORABLE: 'the operation was done, and its result cannot be stored for replay',
  ERR_STORE_UNAVAILABLE: 'the store cannot be reached, or has no room',
  ERR_WORKER_LOST: 'the worker thread ended before it answered',
  ERR_INVALID_TRANSITION: 'the event leads nowhere from the state the machine is in',
  ERR_TRANSITION_REFUSED: 'no guard lets the transition pass now',
  ERR_TRANSITION_BUSY: 'a transition is under way, or too many triggers wait for its end',
  ERR_STATE_VERSION: 'the snapshot is none of this machine in this version',
  ERR_REFUSED: 'a gate of the application does not let the call through',
  ERR_PERMIT_STALE: 'the permit lost its validity while the call waited further inside',
  ERR_WOULD_WAIT: 'the gate would make the call wait, and the caller asked not to wait',
  ERR_CANCELLED: 'the call was cancelled before its function ran',
  ERR_DISPOSED: 'the policy has been disposed of',
  ERR_INVALID_OPTION: 'an option has a value that is not allowed',
  ERR_INVALID_ARGUMENT: 'an argument has a value that is not allowed',
  ERR_DUPLICATE_NAME: 'the name is already taken',
  ERR_UNKNOWN_NAME: 'nothing is registered under the name',
} as const

export type ErrorCode = keyof typeof errorCodes

export interface HoldfastErrorInit {
  readonly code: ErrorCode
  /** Name of the policy that speaks; empty when no policy does. */
  readonly policy?: string | undefined
  readonly message?: string
  /** Milliseconds after which the same call may be let through, 0 or more. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

const brand: symbol = Symbol.for('holdfast.error')

/**
 * What Holdfast itself throws. An error of the protected function is never wrapped in one.
 * Refusals and timeouts are made without a stack (it costs several microseconds, just when they are frequent).
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly policy: string
  /** Milliseconds after which the same call may be let through; absent when nobody knows. */
  declare readonly retryAfterMs?: number

  constructor(init: HoldfastErrorInit) {
    super(init.message ?? describeCode(init.code, init.policy), init.cause === undefined ? undefined : { cause: init.cause })
    this.code = init.code
    this.policy = init.policy ?? ''
    if (init.retryAfterMs !== undefined) this.retryAfterMs = init.retryAfterMs
  }
}
Object.defineProperty(HoldfastError.prototype, 'name', { value: 'HoldfastError', configurable: true, writable: true })
Object.defineProperty(HoldfastError.prototype, brand, { value: true })

/** Whether `error` is a {@link HoldfastError} (of any copy of this package), and has the code when one is given. */
export function isHoldfastError(error: unknown, code?: ErrorCode): error is HoldfastError {
  if (typeof error !== 'object' || error === null) return false
  if ((error as Record<symbol, unknown>)[brand] !== true) return false
  return code === undefined || (error as HoldfastError).code === code
}

function describeCode(code: ErrorCode, policy: string | undefined): string {
  return policy ? `${policy}: ${errorCodes[code]}` : errorCodes[code]
}

const settings: { stackTraces: boolean } = { stackTraces: false }

/** Makes refusals and timeouts carry stack traces, for debugging. They cost about 6 µs each. @defaultValue false */
export function setStackTraces(enabled: boolean): void {
  settings.stackTraces = enabled
}

/** A {@link HoldfastError} without a stack, unless {@link setStackTraces} asks for one. */
export function errorWithoutStack(init: HoldfastErrorInit): HoldfastError {
  if (settings.stackTraces) return new HoldfastError(init)
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = 0
  } catch {
    return new HoldfastError(init) // a hardened realm froze Error
  }
  try {
    return new HoldfastError(init)
  } finally {
    Error.stackTraceLimit = limit
  }
}
