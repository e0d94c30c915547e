import type { PolicyStatus } from '../core/policy.ts'
import type {
  AdaptiveConcurrencyStatus,
  BulkheadStatus,
  CacheStatus,
  CircuitStatus,
  CompartmentedBulkheadStatus,
  FallbackStatus,
  HedgeStatus,
  IdempotencyPolicyStatus,
  LoadShedderStatus,
  RateLimiterStatus,
  RetryStatistics,
  ThrottlerStatus,
  TimeoutStatus,
} from '../patterns/index.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated', 'disabled'] as const

type Value = readonly [labels: Readonly<Record<string, string>>, value: number | null]

/** A metric of one kind of policy. */
export interface PolicyMetric {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly read: (statuses: Statuses) => Iterable<Value>
}

/** Statuses by kind of policy. */
export interface Statuses {
  readonly circuits: readonly CircuitStatus[]
  readonly retries: readonly RetryStatistics[]
  readonly timeouts: readonly TimeoutStatus[]
  readonly bulkheads: readonly BulkheadStatus[]
  readonly limiters: readonly RateLimiterStatus[]
  readonly fallbacks: readonly FallbackStatus[]
  readonly hedges: readonly HedgeStatus[]
  readonly caches: readonly CacheStatus[]
  readonly throttlers: readonly ThrottlerStatus[]
  readonly shedders: readonly LoadShedderStatus[]
  readonly adaptiveLimits: readonly AdaptiveConcurrencyStatus[]
  readonly idempotencies: readonly IdempotencyPolicyStatus[]
}

export function metric<S extends PolicyStatus>(
  kind: PolicyMetric['kind'],
  name: string,
  help: string,
  pick: (statuses: Statuses) => readonly S[],
  values: (status: S) => Readonly<Record<string, number | null>> | number | null,
  labelName?: string,
): PolicyMetric {
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
const hedges = (statuses: Statuses): readonly HedgeStatus[] => statuses.hedges
const caches = (statuses: Statuses): readonly CacheStatus[] => statuses.caches
const throttlers = (statuses: Statuses): readonly ThrottlerStatus[] => statuses.throttlers
const shedders = (statuses: Statuses): readonly LoadShedderStatus[] => statuses.shedders
const adaptiveLimits = (statuses: Statuses): readonly AdaptiveConcurrencyStatus[] => statuses.adaptiveLimits

/** All of them, in the order in which they are shown. */
export const policyMetrics: readonly PolicyMetric[] = [
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
  metric('counter', 'resilience_hedge_calls_total', 'Calls that may be hedged.', hedges, ({ calls }) => calls),
  metric(
    'counter',
    'resilience_hedge_hedges_total',
    'Attempts started beside others, those that answered first, and those that the budget did not allow.',
    hedges,
    (status) => ({ started: status.hedges, won: status.won, suppressed: status.suppressed }),
    'outcome',
  ),
  metric(
    'counter',
    'resilience_cache_calls_total',
    'Calls by how they were answered.',
    caches,
    ({ hits, misses, coalesced, staleServed }) => ({ hit: hits, miss: misses, coalesced, stale: staleServed }),
    'outcome',
  ),
  metric('gauge', 'resilience_cache_entries', 'Values that are kept.', caches, ({ entries }) => entries),
  metric('gauge', 'resilience_throttler_running', 'Calls that hold a place.', throttlers, ({ running }) => running),
  metric('gauge', 'resilience_throttler_queued', 'Calls that wait for their start.', throttlers, ({ queued }) => queued),
  metric(
    'counter',
    'resilience_throttler_calls_total',
    'Calls by whether they were started.',
    throttlers,
    ({ admitted, rejected }) => ({ admitted, rejected }),
    'outcome',
  ),
  metric(
    'gauge',
    'resilience_loadshedder_load',
    'What the decision rests on: the load, the share shed by the throttle, or how full the queue is.',
    shedders,
    ({ load }) => load,
  ),
  metric('gauge', 'resilience_loadshedder_shedding', '1 while calls are shed.', shedders, ({ shedding }) => (shedding ? 1 : 0)),
  metric('counter', 'resilience_loadshedder_admitted_total', 'Calls let in.', shedders, ({ admitted }) => admitted),
  metric(
    'counter',
    'resilience_loadshedder_shed_total',
    'Calls shed, or in dark mode those that would have been.',
    shedders,
    ({ shedByPriority }) => shedByPriority,
    'priority',
  ),
  metric('gauge', 'resilience_adaptive_concurrency_limit', 'Calls that may run at once now.', adaptiveLimits, ({ limit }) => limit),
  metric('gauge', 'resilience_adaptive_concurrency_running', 'Calls that hold a place.', adaptiveLimits, ({ running }) => running),
  metric('gauge', 'resilience_adaptive_concurrency_queued', 'Calls that wait for a place.', adaptiveLimits, ({ queued }) => queued),
  metric(
    'counter',
    'resilience_adaptive_concurrency_calls_total',
    'Calls by outcome; dropped ones were too much for the dependency, rejected ones got no place.',
    adaptiveLimits,
    ({ succeeded, failed, dropped, rejected }) => ({ success: succeeded, failure: failed, dropped, rejected }),
    'outcome',
  ),
  metric(
    'counter',
    'resilience_idempotency_calls_total',
    'Calls by what became of them: run, given a stored outcome, made to wait for another one, or refused.',
    ({ idempotencies }) => idempotencies,
    (status) => ({
      executed: status.executed,
      replayed: status.replayed,
      joined: status.joined,
      in_progress: status.inProgress,
      mismatched: status.mismatched,
      outcome_unknown: status.outcomeUnknown,
      unavailable: status.unavailable,
    }),
    'outcome',
  ),
]

/** Sorts statuses by kind; those of other kinds are left out. */
export function statusesByKind(all: readonly PolicyStatus[]): Statuses {
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
    hedges: of<HedgeStatus>('hedge'),
    caches: of<CacheStatus>('cache'),
    throttlers: of<ThrottlerStatus>('throttler'),
    shedders: of<LoadShedderStatus>('load-shedder'),
    adaptiveLimits: of<AdaptiveConcurrencyStatus>('adaptive-concurrency'),
    idempotencies: of<IdempotencyPolicyStatus>('idempotency'),
  }
}
