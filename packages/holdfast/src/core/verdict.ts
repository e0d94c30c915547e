import type { Call } from './call.ts'
import { isHoldfastError } from './errors.ts'
import type { Verdict } from './layer.ts'
import { isRefusal } from './refusal.ts'

/**
 * How a gate has to see an answer. A policy's own refusal and the caller's abort say nothing about the dependency;
 * a timeout (`AbortSignal.timeout()` too) or a deadline that passed says that it was too slow.
 */
export function verdictOf(ok: boolean, value: unknown, call: Call): Verdict {
  if (ok) return 'success'
  if (isRefusal(value)) return 'ignored'
  const reason = call.cancelled
  if (reason === undefined) return 'failure'
  const { name } = Object(reason) as { readonly name?: unknown }
  return isTimeUp(reason) || name === 'TimeoutError' ? 'failure' : 'ignored'
}

/** Whether an error is that of a timeout policy or of a caller's deadline. */
export function isTimeUp(error: unknown): boolean {
  return isHoldfastError(error, 'ERR_TIMEOUT') || isHoldfastError(error, 'ERR_DEADLINE_EXCEEDED')
}
