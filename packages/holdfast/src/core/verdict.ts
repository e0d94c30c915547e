import type { Call } from './call.ts'
import { isHoldfastError } from './errors.ts'
import type { Verdict } from './layer.ts'
import { isRefusal } from './refusal.ts'

/**
 * How a gate has to see an answer. A policy's own refusal and the caller's abort say nothing about the dependency;
 * a timeout or a deadline that passed says that it was too slow.
 */
export function verdictOf(ok: boolean, value: unknown, call: Call): Verdict {
  if (ok) return 'success'
  if (isRefusal(value)) return 'ignored'
  const reason = call.cancelled
  if (reason === undefined) return 'failure'
  return isHoldfastError(reason, 'ERR_TIMEOUT') || isHoldfastError(reason, 'ERR_DEADLINE_EXCEEDED') ? 'failure' : 'ignored'
}
