import {
  bulkhead,
  circuitBreaker,
  pipeline,
  retry,
  type Bulkhead,
  type CircuitBreaker,
  type PolicyLike,
  type Policy,
  type PolicyEvent,
  type Retry,
} from 'holdfast'
import type { TimedContestant } from '../case.ts'
import { places, queued } from './common.ts'
import { work, workWithSignal } from './work.ts'

export const ourBreaker = (): CircuitBreaker => circuitBreaker({ failureThreshold: 5, failureWindow: '60s', openFor: '60s' })
export const ourRetry = (): Retry => retry({ maxAttempts: 3 })
export const ourBulkhead = (): Bulkhead => bulkhead({ maxConcurrent: places, maxQueued: queued })

type Executes = Pick<Policy<PolicyEvent, unknown>, 'execute'>

/** One policy, or several, outermost first. */
export function viaHoldfast(policy: Executes & PolicyLike, ...inner: readonly PolicyLike[]): TimedContestant {
  const all: Executes = inner.length === 0 ? policy : pipeline(policy, ...inner)
  return { name: 'holdfast', role: 'ours', call: () => all.execute(work) }
}

export function viaHoldfastWithSignal(...policies: readonly PolicyLike[]): TimedContestant {
  const all = pipeline(...policies)
  return { name: 'holdfast', role: 'ours', call: () => all.execute(workWithSignal) }
}
