import type { CircuitStatus } from '../patterns/index.ts'
import { metric, type PolicyMetric } from './policy-metrics.ts'

const resilience4jStates = ['closed', 'open', 'half_open', 'forced_open', 'disabled', 'metrics_only'] as const

function resilience4jState({ state, mode }: CircuitStatus): (typeof resilience4jStates)[number] {
  if (state === 'isolated') return 'forced_open'
  if (state === 'half-open') return 'half_open'
  return state === 'closed' && mode === 'metrics-only' ? 'metrics_only' : state
}

/** In percent, and -1 while there is none, as resilience4j has it. */
function percent(share: number | null): number {
  return share === null ? -1 : share * 100
}

/** Figures under the names that resilience4j's Micrometer binders give them. Its timers are left out: durations are not kept here. */
export const resilience4jMetrics: readonly PolicyMetric[] = [
  metric(
    'gauge',
    'resilience4j_circuitbreaker_state',
    'The states of the circuit breaker.',
    ({ circuits }) => circuits,
    (status) => Object.fromEntries(resilience4jStates.map((state) => [state, state === resilience4jState(status) ? 1 : 0])),
    'state',
  ),
  metric(
    'gauge',
    'resilience4j_circuitbreaker_failure_rate',
    'The failure rate of the circuit breaker, in percent; -1 without one.',
    ({ circuits }) => circuits,
    ({ failureRate }) => percent(failureRate),
  ),
  metric(
    'gauge',
    'resilience4j_circuitbreaker_slow_call_rate',
    'The slow call rate of the circuit breaker, in percent; -1 without one.',
    ({ circuits }) => circuits,
    ({ slowCallRate }) => percent(slowCallRate),
  ),
  metric(
    'counter',
    'resilience4j_circuitbreaker_not_permitted_calls_total',
    'Total number of calls that were not permitted.',
    ({ circuits }) => circuits,
    ({ refusedTotal }) => ({ not_permitted: refusedTotal }),
    'kind',
  ),
  metric(
    'counter',
    'resilience4j_retry_calls_total',
    'The number of calls that were tried again, by how they ended.',
    ({ retries }) => retries,
    ({ successfulRetries, failedRetries }) => ({ successful_with_retry: successfulRetries, failed_with_retry: failedRetries }),
    'kind',
  ),
  metric(
    'gauge',
    'resilience4j_bulkhead_available_concurrent_calls',
    'The number of available permissions.',
    ({ bulkheads }) => bulkheads,
    ({ maxConcurrent, running }) => Math.max(0, maxConcurrent - running),
  ),
  metric(
    'gauge',
    'resilience4j_bulkhead_max_allowed_concurrent_calls',
    'The maximum number of available permissions.',
    ({ bulkheads }) => bulkheads,
    ({ maxConcurrent }) => maxConcurrent,
  ),
  metric(
    'gauge',
    'resilience4j_ratelimiter_waiting_threads',
    'The number of calls that wait for a permission.',
    ({ limiters }) => limiters,
    ({ queued }) => queued,
  ),
  metric(
    'counter',
    'resilience4j_timelimiter_calls_total',
    'The number of calls that were given up.',
    ({ timeouts }) => timeouts,
    (status) => ({ timeout: status.timeouts }),
    'kind',
  ),
]

const strategyEvents = 'resilience_polly_strategy_events_total'

/** One counter, as Polly's telemetry has it: events by their name and that of the strategy. */
export const pollyMetrics: readonly PolicyMetric[] = [
  {
    kind: 'counter',
    name: strategyEvents,
    help: 'Events of resilience strategies.',
    labelNames: ['strategy_name', 'event_name'],
    *read({ retries, circuits, timeouts, fallbacks, hedges, limiters }) {
      const of = (strategy: string, event: string, count: number) => [{ strategy_name: strategy, event_name: event }, count] as const
      for (const { name, totalRetries } of retries) yield of(name, 'OnRetry', totalRetries)
      for (const { name, openedTotal } of circuits) yield of(name, 'OnCircuitOpened', openedTotal)
      for (const status of timeouts) yield of(status.name, 'OnTimeout', status.timeouts)
      for (const { name, used } of fallbacks) yield of(name, 'OnFallback', used)
      for (const status of hedges) yield of(status.name, 'OnHedging', status.hedges)
      for (const { name, refused } of limiters) yield of(name, 'OnRateLimiterRejected', refused)
    },
  },
]
