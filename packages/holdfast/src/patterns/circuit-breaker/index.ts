import { newCircuitBreaker, type CircuitBreaker } from './circuit-breaker.ts'
import type { CircuitBreakerOptions } from './circuit-options.ts'

/**
 * Stops calling what keeps failing, and finds out by itself when it works again. Closed: calls pass and are counted. Open:
 * calls are refused at once, for `openFor`. Half-open: a few probes decide. Results of calls that began in an earlier state
 * decide nothing, and a probe that never ends counts as failed when its lease runs out.
 * @throws HoldfastError `ERR_CIRCUIT_OPEN` or `ERR_CIRCUIT_ISOLATED`, with `retryAfterMs` where it is known.
 * @example `const payments = circuitBreaker({ name: 'payments', failureThreshold: 5, failureWindow: '60s', openFor: '30s' })`
 */
export function circuitBreaker<F>(
  options: CircuitBreakerOptions<F> & { readonly fallback: F | ((error: unknown) => F | PromiseLike<F>) },
): CircuitBreaker<F>
export function circuitBreaker(options?: CircuitBreakerOptions<never>): CircuitBreaker
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker<unknown> {
  return newCircuitBreaker(options)
}

export type { CircuitBreaker } from './circuit-breaker.ts'
export type { CircuitBreakerOptions, CircuitBreakerSettings, CircuitMode } from './circuit-options.ts'
export {
  circuitGroup,
  type CircuitGroup,
  type CircuitGroupOptions,
  type CircuitGroupStatus,
  type EjectionCapOptions,
} from './circuit-group.ts'
export type { CircuitSnapshot, RestoreOptions } from './circuit-snapshot.ts'
export type { CircuitStatistics } from './circuit-statistics.ts'
export type { CircuitStatus } from './circuit-status.ts'
export { circuitControl, type CircuitControl } from './control.ts'
export type * from './events.ts'
export type { HalfOpenOptions } from './half-open.ts'
export type { OpenTimeOptions } from './open-time.ts'
export type { CircuitOutcome } from './outcome-judge.ts'
export {
  circuitBreakers,
  type CircuitBreakerRegistry,
  type CircuitBreakerRegistryOptions,
  type CircuitBreakerRegistrySettings,
} from './registry.ts'
export type { CircuitRegistrySnapshot, SavedBreaker } from './registry-snapshot.ts'
export type { TripOptions } from './trip-rules.ts'
