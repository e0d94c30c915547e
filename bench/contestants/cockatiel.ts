import * as cockatiel from 'cockatiel'
import type { TimedContestant } from '../case.ts'
import { names, places, queued, timeoutMs } from './common.ts'
import { work, workWithSignal } from './work.ts'

export const cockatielBreaker = (): cockatiel.CircuitBreakerPolicy =>
  cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 60_000, breaker: new cockatiel.ConsecutiveBreaker(5) })
export const cockatielRetry = (): cockatiel.IPolicy =>
  cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() })
export const cockatielTimeout = (): cockatiel.IPolicy => cockatiel.timeout(timeoutMs, cockatiel.TimeoutStrategy.Aggressive)
export const cockatielBulkhead = (): cockatiel.IPolicy => cockatiel.bulkhead(places, queued)
export const cockatielFallback = (): cockatiel.IPolicy => cockatiel.fallback(cockatiel.handleAll, 0) as unknown as cockatiel.IPolicy

/** One policy, or several, outermost first. */
export function viaCockatiel(...policies: readonly cockatiel.IPolicy[]): TimedContestant {
  const policy = together(policies)
  return { name: names.cockatiel, role: 'peer', call: () => policy.execute(work) }
}

export function viaCockatielWithSignal(...policies: readonly cockatiel.IPolicy[]): TimedContestant {
  const policy = together(policies)
  return { name: names.cockatiel, role: 'peer', call: () => policy.execute(workWithSignal) }
}

function together(policies: readonly cockatiel.IPolicy[]): cockatiel.IPolicy {
  return policies.length === 1 ? (policies[0] as cockatiel.IPolicy) : cockatiel.wrap(...policies)
}
