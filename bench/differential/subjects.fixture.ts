import { BrokenCircuitError, BulkheadRejectedError, TaskCancelledError, type IDefaultPolicyContext, type IPolicy } from 'cockatiel'
import { isHoldfastError, type CircuitBreaker, type Policy, type PolicyEvent } from 'holdfast'
import type { Subject } from './scene.fixture.ts'

/** One of our policies; `breaker` is the one whose state is shown. */
export function ofOurs(policy: Pick<Policy<PolicyEvent, unknown>, 'execute'>, breaker?: CircuitBreaker): Subject {
  return {
    state: () => (breaker === undefined ? '' : stateOf(breaker)),
    call: (run, signal) => policy.execute((call) => run(call.signal), { signal }).then(String, wordOf),
  }
}

/** Tells an open circuit whose time is over, and that nobody has called since, from one that is probed. */
function stateOf(breaker: CircuitBreaker): string {
  return breaker.state === 'half-open' && breaker.status().probes?.running === 0 ? 'open, over' : breaker.state
}

export function ofCockatiel(policy: Pick<IPolicy<IDefaultPolicyContext, string>, 'execute'>, state: () => string = () => ''): Subject {
  return {
    state,
    call: (run, signal) => policy.execute((context) => run(context.signal), signal).then(String, wordOf),
  }
}

/** What an error says, in one word that is the same for all. */
export function wordOf(error: unknown): string {
  const { name, code } = Object(error) as { readonly name?: string; readonly code?: string }
  if (name === 'AbortError') return 'left'
  if (error instanceof BrokenCircuitError || isHoldfastError(error, 'ERR_CIRCUIT_OPEN') || code === 'EOPENBREAKER') return 'refused'
  if (error instanceof BulkheadRejectedError || isHoldfastError(error, 'ERR_BULKHEAD_FULL') || code === 'ESEMLOCKED') return 'full'
  if (error instanceof TaskCancelledError || isHoldfastError(error, 'ERR_TIMEOUT') || code === 'ETIMEDOUT') return 'too late'
  return (error as Error).message === 'down' ? 'down' : `unexpected: ${String(error)}`
}
