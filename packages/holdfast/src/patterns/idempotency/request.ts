import type { Call } from '../../core/call.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { RunSteps } from './run-steps.ts'
import type { Rules } from './settings.ts'
import type { Tally } from './tally.ts'

/** What a flow has to know of each call. */
export interface CallReader {
  readonly operation: string
  readonly rules: Rules
  readonly tally: Tally
  keyOf(call: Call): unknown
  tenantOf(call: Call): unknown
  /** What was asked for, in a box; undefined when the key alone says it. */
  payloadOf(call: Call): { readonly payload: unknown } | undefined
  /** Hears of the steps before the operation begins. */
  prepare?(steps: RunSteps): void
}

/** One call that names its effect. */
export interface Request {
  /** Scope and key as one text. */
  readonly id: string
  readonly scope: string
  readonly key: string
  readonly tenant: string
  readonly operation: string
  readonly fingerprint: string
  readonly rules: Rules
  readonly tally: Tally
}

const maxKeyLength = 255

/** What is wrong with a key, if anything. The characters are those of a string in HTTP's structured fields (RFC 9651). */
export function keyProblem(key: unknown): ErrorCode | undefined {
  if (key === undefined || key === null || key === '') return 'ERR_IDEMPOTENCY_KEY_MISSING'
  return typeof key === 'string' && key.length <= maxKeyLength && /^[\x20-\x7e]+$/.test(key) ? undefined : 'ERR_IDEMPOTENCY_KEY_INVALID'
}

/** Whether a text can name a tenant or an operation: at most 255 characters, none of them half of one. */
export function isScopeName(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 255 && !/\p{Surrogate}/u.test(text)
}

/** Tenant and operation as one text, so that no two pairs have the same. */
export function scopeOf(tenant: string, operation: string): string {
  return `${encodeURIComponent(tenant)}/${encodeURIComponent(operation)}`
}
