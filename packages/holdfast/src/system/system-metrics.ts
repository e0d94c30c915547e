import type { Collect, MetricsRegistry, MetricScope } from '../core/metrics/index.ts'
import type { PolicyStatus } from '../core/policy.ts'
import type {
  BulkheadStatus,
  CircuitStatus,
  CompartmentedBulkheadStatus,
  FallbackStatus,
  RateLimiterStatus,
  RetryStatistics,
  TimeoutStatus,
} from '../patterns/index.ts'
import type { FaultTolerantSystem } from './fault-tolerant-system.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated', 'disabled'] as const

type Value = readonly [labels: Readonly<Record<string, string>>, value: number | null]

interface Declared {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly read: (statuses: Statuses) => Iterable<Value>
}

/** Statuses by kind of policy. */
interface Statuses {
  readonly circuits: readonly CircuitStatus[]
  readonly retries: readonly RetryStatistics[]
  readonly timeouts: readonly TimeoutStatus[]
  readonly bulkheads: readonly BulkheadStatus[]
  readonly limiters: readonly RateLimiterStatus[]
  readonly fallbacks: readonly FallbackStatus[]
}

function metric<S extends PolicyStatus>(
  kind: Declared['kind'],
  name: string,
  help: string,
  pick: (statuses: Statuses) => readonly S[],
  values: (status: S) => Readonly<Record<string, number | null>> | number | null,
  labelName?: string,
): Declared {
  return {
    kind,
    name,
    help,
    labelNames: labelName === undefined ? ['name'] : ['name', labelName],
    *read(statuses) {
      for (const status of pick(statuses)) {
        const found = values(status)
        if (typeof found !== 'object' || found === null) yield [{ name: status.name }, found]
        else if (labelName !== undefined)
          for (const [label, value] of Object.entries(found)) yield [{ name: status.name, [labelName]: label }, value]
      }
    },
  }
}

const circuits = (statuses: Statuses): readonly CircuitStatus[] => statuses.circuits
const retries = (statuses: Statuses): readonly RetryStatistics[] => statuses.retries
const timeouts = (statuses: Statuses): readonly TimeoutStatus[] => statuses.timeouts
const bulkheads = (statuses: Statuses): readonly BulkheadStatus[] => statuses.bulkheads
const limiters = (statuses: Statuses): readonly RateLimiterStatus[] => statuses.limiters
const fallbacks = (statuses: Statuses): readonly FallbackStatus[] => statuses.fallbacks

const declarations: readonly Declared[] = [
  metric(
    'gauge',
    'resilience_circuitbreaker_state',
    '1 for the state the circuit breaker is in, 0 for the others.',
    circuits,
    ({ state }) => Object.fromEntries(circuitStates.map((each) => [each, each === state ? 1 : 0])),
    'state',
  ),
  metric(
    'gauge',
    'resilience_circuitbreaker_state_code',
    'State as a number: 0 closed, 1 open, 2 half-open, 3 isolated, 4 disabled.',
    circuits,
    ({ state }) => circuitStates.indexOf(state),
  ),
  metric(
    'counter',
    'resilience_circuitbreaker_calls_total',
    'Calls by outcome; refused ones were not let through.',
    circuits,
    (status) => ({
      success: status.successTotal,
      failure: status.failureTotal,
      ignored: status.ignoredTotal,
      refused: status.refusedTotal,
    }),
    'outcome',
  ),
  metric('counter', 'resilience_circuitbreaker_opened_total', 'Times the circuit opened.', circuits, ({ openedTotal }) => openedTotal),
  metric(
    'gauge',
    'resilience_circuitbreaker_failure_ratio',
    'Share of failures, 0 to 1: in the window where a rule looks at ratios, else ever. No value without calls.',
    circuits,
    ({ failureRate }) => failureRate,
  ),
  metric(
    'counter',
    'resilience_retry_calls_total',
    'Calls that were tried again, by how they ended, and calls in all.',
    retries,
    (status) => ({ all: status.calls, success_after_retry: status.successfulRetries, failure_after_retry: status.failedRetries }),
    'outcome',
  ),
  metric('counter', 'resilience_retry_retries_total', 'Attempts after the first.', retries, ({ totalRetries }) => totalRetries),
  metric(
    'counter',
    'resilience_retry_budget_exhausted_total',
    'Retries that the budget did not allow.',
    retries,
    ({ budgetExhausted }) => budgetExhausted,
  ),
  metric('gauge', 'resilience_retry_waiting', 'Calls that wait for their next attempt.', retries, ({ waiting }) => waiting),
  metric('counter', 'resilience_timeout_timeouts_total', 'Calls that were given up.', timeouts, (status) => status.timeouts),
  metric(
    'gauge',
    'resilience_timeout_abandoned',
    'Calls that were given up while their work still runs.',
    timeouts,
    ({ abandoned }) => abandoned,
  ),
  metric('gauge', 'resilience_bulkhead_running', 'Calls that hold a place.', bulkheads, ({ running }) => running),
  metric('gauge', 'resilience_bulkhead_queued', 'Calls that wait for a place.', bulkheads, ({ queued }) => queued),
  metric('gauge', 'resilience_bulkhead_max_concurrent', 'Places.', bulkheads, ({ maxConcurrent }) => maxConcurrent),
  metric(
    'counter',
    'resilience_bulkhead_calls_total',
    'Calls by whether they got a place.',
    bulkheads,
    ({ admitted, rejected }) => ({ admitted, rejected }),
    'outcome',
  ),
  metric(
    'counter',
    'resilience_ratelimiter_calls_total',
    'Calls by whether they fitted under the limit.',
    limiters,
    ({ admitted, refused }) => ({ admitted, refused }),
    'outcome',
  ),
  metric('gauge', 'resilience_ratelimiter_queued', 'Calls that wait for their turn.', limiters, ({ queued }) => queued),
  metric(
    'gauge',
    'resilience_ratelimiter_paused',
    '1 while the quota is paused for all callers or for a key.',
    limiters,
    ({ pausedUntil }) => (pausedUntil === null ? 0 : 1),
  ),
  metric(
    'counter',
    'resilience_fallback_calls_total',
    'Calls answered by the fallback, and times it failed as well.',
    fallbacks,
    ({ used, failed }) => ({ used, failed }),
    'outcome',
  ),
]

/**
 * Shows all policies of a system in a registry, read when it is scraped: the calls themselves pay nothing. Returns the function
 * that ends it.
 */
export function exposeMetrics(system: FaultTolerantSystem, registry: MetricsRegistry): () => void {
  const scope: MetricScope = registry.scope()
  const read = statusReader(system)
  for (const { kind, name, help, labelNames, read: values } of declarations) {
    const collect: Collect<string> = (report) => {
      for (const [labels, value] of values(read())) report(value, labels)
    }
    if (kind === 'counter') registry.observeCounter<string>({ name, help, labelNames }, collect, scope)
    else registry.observeGauge<string>({ name, help, labelNames }, collect, scope)
  }
  return () => scope.dispose()
}

/** Reads every policy once per scrape, not once per metric: what one turn of the event loop sees is the same for all. */
function statusReader(system: FaultTolerantSystem): () => Statuses {
  let known: Statuses | undefined
  return () => {
    if (known !== undefined) return known
    known = statusesOf(system)
    queueMicrotask(() => {
      known = undefined
    })
    return known
  }
}

function statusesOf(system: FaultTolerantSystem): Statuses {
  const all = [...system.policies().values()].filter(({ kind }) => kind !== 'pipeline').map((policy) => policy.status())
  const of = <S extends PolicyStatus>(kind: S['kind']): readonly S[] => all.filter((status): status is S => status.kind === kind)
  return {
    circuits: of<CircuitStatus>('circuit-breaker'),
    retries: of<RetryStatistics>('retry'),
    timeouts: of<TimeoutStatus>('timeout'),
    bulkheads: [
      ...of<BulkheadStatus>('bulkhead'),
      ...of<CompartmentedBulkheadStatus>('compartmented-bulkhead').flatMap(({ compartments }) => Object.values(compartments)),
    ],
    limiters: of<RateLimiterStatus>('rate-limiter'),
    fallbacks: of<FallbackStatus>('fallback'),
  }
}
