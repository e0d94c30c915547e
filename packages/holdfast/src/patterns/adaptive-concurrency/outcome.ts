import type { Call } from '../../core/call.ts'
import { causesOf } from '../../core/causes.ts'
import { statusOf } from '../../core/match-error.ts'
import { isRefusal } from '../../core/refusal.ts'
import { isTimeUp, verdictOf } from '../../core/verdict.ts'

/**
 * What a call says about the dependency's load. `success`: its latency is a sample. `failure`: it failed by itself, its latency means
 * nothing. `dropped`: too much was asked of the dependency, or it took too long. `ignored`: nothing.
 */
export type CallOutcome = 'success' | 'failure' | 'dropped' | 'ignored'

const tooMuch: readonly unknown[] = [429, 503, 529]

/**
 * How an answer counts unless the user says otherwise: timeouts and the statuses 429, 503 and 529, thrown or as a response, are
 * drops; refusals of policies inside and the caller's own abort are ignored.
 */
export function outcomeOf(ok: boolean, value: unknown, call: Call): CallOutcome {
  if (ok) return isResponse(value) && tooMuch.includes(statusOf(value)) ? 'dropped' : 'success'
  if (verdictOf(ok, value, call) === 'ignored' || isRefusal(value)) return 'ignored'
  if (isTimeUp(call.cancelled) || causesOf(value).some(saysTooMuch)) return 'dropped'
  return 'failure'
}

function saysTooMuch(error: unknown): boolean {
  if (isTimeUp(error) || tooMuch.includes(statusOf(error))) return true
  const { name } = (typeof error === 'object' && error !== null ? error : {}) as { readonly name?: unknown }
  return name === 'TimeoutError'
}

/** Results of other kinds may well have a status of their own. */
function isResponse(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value
}
