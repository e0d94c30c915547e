import type { PolicyStatus } from '../../core/policy.ts'
import type {
  AdaptiveConcurrencyStatus,
  BulkheadStatus,
  CacheStatus,
  CircuitStatus,
  FallbackStatus,
  HedgeStatus,
  IdempotencyPolicyStatus,
  LoadShedderStatus,
  RateLimiterStatus,
  RetryStatistics,
  ThrottlerStatus,
  TimeoutStatus,
} from '../../patterns/index.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated', 'disabled'] as const

/** Numbers by the value of the attribute that tells them apart, or one number. Null means that there is none. */
type Figures = Readonly<Record<string, number | null>> | number | null

/** What is read of one kind of policy. */
export interface InstrumentPlan {
  readonly kind: 'counter' | 'up-down-counter' | 'gauge'
  readonly of: string
  readonly name: string
  readonly unit: string
  readonly description: string
  /** The attribute beside the policy's name. */
  readonly attribute?: string
  readonly read: (status: PolicyStatus) => Figures
}

/** Binds a kind of policy to its status, so that `read` needs no checks of its own. */
function planner<S extends PolicyStatus>(of: S['kind']) {
  return (
    kind: InstrumentPlan['kind'],
    name: string,
    unit: string,
    description: string,
    read: (status: S) => Figures,
    attribute?: string,
  ) => ({
    kind,
    of,
    name,
    unit,
    description,
    read: (status: PolicyStatus) => read(status as S),
    ...(attribute === undefined ? {} : { attribute }),
  })
}

const circuit = planner<CircuitStatus>('circuit-breaker')
const retry = planner<RetryStatistics>('retry')
const timeout = planner<TimeoutStatus>('timeout')
const bulkhead = planner<BulkheadStatus>('bulkhead')
const limiter = planner<RateLimiterStatus>('rate-limiter')
const fallback = planner<FallbackStatus>('fallback')
const hedge = planner<HedgeStatus>('hedge')
const cache = planner<CacheStatus>('cache')
const throttler = planner<ThrottlerStatus>('throttler')
const shedder = planner<LoadShedderStatus>('load-shedder')
const adaptive = planner<AdaptiveConcurrencyStatus>('adaptive-concurrency')

const idempotency = planner<IdempotencyPolicyStatus>('idempotency')

const outcome = 'holdfast.outcome'

/** All instruments: names, units and attributes as OpenTelemetry's conventions have them. */
export const instrumentPlans: readonly InstrumentPlan[] = [
  circuit(
    'up-down-counter',
    'holdfast.circuit_breaker.state',
    '1',
    '1 for the state the circuit is in, 0 for the others.',
    ({ state }) => Object.fromEntries(circuitStates.map((each) => [each, each === state ? 1 : 0])),
    'holdfast.circuit_breaker.state',
  ),
  circuit(
    'counter',
    'holdfast.circuit_breaker.calls',
    '{call}',
    'Calls by outcome; refused ones were not let through.',
    (status) => ({
      success: status.successTotal,
      failure: status.failureTotal,
      ignored: status.ignoredTotal,
      refused: status.refusedTotal,
    }),
    outcome,
  ),
  circuit('gauge', 'holdfast.circuit_breaker.failure_ratio', '1', 'Share of failures, 0 to 1.', ({ failureRate }) => failureRate),
  circuit('counter', 'holdfast.circuit_breaker.opened', '{opening}', 'Times it opened.', ({ openedTotal }) => openedTotal),
  retry('counter', 'holdfast.retry.calls', '{call}', 'Calls that may be tried again.', ({ calls }) => calls),
  retry('counter', 'holdfast.retry.retries', '{attempt}', 'Attempts after the first.', ({ totalRetries }) => totalRetries),
  retry('up-down-counter', 'holdfast.retry.waiting', '{call}', 'Calls that wait for their next attempt.', ({ waiting }) => waiting),
  timeout('counter', 'holdfast.timeout.timeouts', '{call}', 'Calls that were given up.', ({ timeouts }) => timeouts),
  bulkhead('up-down-counter', 'holdfast.bulkhead.running', '{call}', 'Calls that hold a place.', ({ running }) => running),
  bulkhead('up-down-counter', 'holdfast.bulkhead.queued', '{call}', 'Calls that wait for a place.', ({ queued }) => queued),
  bulkhead('gauge', 'holdfast.bulkhead.limit', '{call}', 'Places.', ({ maxConcurrent }) => maxConcurrent),
  bulkhead(
    'counter',
    'holdfast.bulkhead.calls',
    '{call}',
    'Calls by whether they got a place.',
    ({ admitted, rejected }) => ({ admitted, rejected }),
    outcome,
  ),
  limiter(
    'counter',
    'holdfast.rate_limiter.calls',
    '{call}',
    'Calls by whether they fitted under the limit.',
    ({ admitted, refused }) => ({ admitted, refused }),
    outcome,
  ),
  limiter('up-down-counter', 'holdfast.rate_limiter.queued', '{call}', 'Calls that wait for their turn.', ({ queued }) => queued),
  fallback(
    'counter',
    'holdfast.fallback.calls',
    '{call}',
    'Calls answered by the fallback, and times it failed as well.',
    ({ used, failed }) => ({ used, failed }),
    outcome,
  ),
  hedge(
    'counter',
    'holdfast.hedge.hedges',
    '{attempt}',
    'Attempts beside others: started, first to answer, not allowed by the budget.',
    (status) => ({ started: status.hedges, won: status.won, suppressed: status.suppressed }),
    outcome,
  ),
  cache(
    'counter',
    'holdfast.cache.calls',
    '{call}',
    'Calls by how they were answered.',
    ({ hits, misses, coalesced, staleServed }) => ({ hit: hits, miss: misses, coalesced, stale: staleServed }),
    outcome,
  ),
  throttler('up-down-counter', 'holdfast.throttler.queued', '{call}', 'Calls that wait for their start.', ({ queued }) => queued),
  throttler(
    'counter',
    'holdfast.throttler.calls',
    '{call}',
    'Calls by whether they were started.',
    ({ admitted, rejected }) => ({ admitted, rejected }),
    outcome,
  ),
  shedder('counter', 'holdfast.load_shedder.admitted', '{call}', 'Calls let in.', ({ admitted }) => admitted),
  shedder(
    'counter',
    'holdfast.load_shedder.shed',
    '{call}',
    'Calls shed, or in dark mode those that would have been.',
    ({ shedByPriority }) => shedByPriority,
    'holdfast.priority',
  ),
  adaptive('gauge', 'holdfast.adaptive_concurrency.limit', '{call}', 'Calls that may run at once now.', ({ limit }) => limit),
  adaptive('up-down-counter', 'holdfast.adaptive_concurrency.queued', '{call}', 'Calls that wait for a place.', ({ queued }) => queued),
  idempotency(
    'counter',
    'holdfast.idempotency.calls',
    '{call}',
    'Calls by what became of them: run, given a stored outcome, made to wait for another one, or refused.',
    (status) => ({
      executed: status.executed,
      replayed: status.replayed,
      joined: status.joined,
      in_progress: status.inProgress,
      mismatched: status.mismatched,
      outcome_unknown: status.outcomeUnknown,
      unavailable: status.unavailable,
    }),
    outcome,
  ),
]
