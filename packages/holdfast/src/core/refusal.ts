import { errorWithoutStack, type ErrorCode, type HoldfastError } from './errors.ts'

/** Why a policy did not let a call through: plain data, no Error, no stack until somebody throws it. */
export interface Refusal {
  readonly refused: true
  readonly code: ErrorCode
  /** Name of the policy that refused. */
  readonly policy: string
  /** Milliseconds after which the same call may be let through, 0 or more; absent when nobody knows. */
  readonly retryAfterMs?: number
}

const brand: symbol = Symbol.for('holdfast.refusal')

class RefusalData implements Refusal {
  readonly refused = true as const
  readonly code: ErrorCode
  readonly policy: string
  declare readonly retryAfterMs?: number
  constructor(code: ErrorCode, policy: string, retryAfterMs: number | undefined) {
    this.code = code
    this.policy = policy
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs > 0 ? retryAfterMs : 0
  }
}
Object.defineProperty(RefusalData.prototype, brand, { value: true })

/** The refusal a gate answers. It must be made here: a function may throw any look-alike, and that is an error of its own. */
export function refusal(code: ErrorCode, policy: string, retryAfterMs?: number): Refusal {
  return new RefusalData(code, policy, retryAfterMs)
}

/** Whether a value is a refusal made by {@link refusal} (of any copy of this package). */
export function isRefusal(value: unknown): value is Refusal {
  if (typeof value !== 'object' || value === null || (value as { readonly refused?: unknown }).refused !== true) return false
  return value instanceof RefusalData || (value as unknown as Record<symbol, unknown>)[brand] === true
}

/** What `execute` throws for a refusal. */
export function refusalError(refused: Refusal): HoldfastError {
  return errorWithoutStack({ code: refused.code, policy: refused.policy, retryAfterMs: refused.retryAfterMs })
}

/** The error a caller sees: a refusal as HoldfastError, anything else untouched. */
export function toError(value: unknown): unknown {
  return isRefusal(value) ? refusalError(value) : value
}
