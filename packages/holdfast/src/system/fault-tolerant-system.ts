import type { Call } from '../core/call.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { HoldfastError } from '../core/errors.ts'
import { EventHub, type Listener, type Observable, type PolicyEvent } from '../core/events.ts'
import { checkOptionNames } from '../core/options.ts'
import { pipeline, type Pipeline } from '../core/pipeline.ts'
import type { AlternativeOf, Policy, PolicyDescription, PolicyLike, PolicyStatus } from '../core/policy.ts'
import type { Random } from '../core/random.ts'
import type { Outcome } from '../core/sinks.ts'
import { suggest } from '../core/suggest.ts'
import { healthMonitor, type HealthCheckOptions, type HealthMonitor, type HealthReport } from '../operations/health/index.ts'
import {
  adaptiveConcurrency,
  bulkhead,
  cache,
  circuitBreaker,
  fallback,
  hedge,
  loadShedder,
  rateLimiter,
  retry,
  throttler,
  timeout,
  type AdaptiveConcurrency,
  type AdaptiveConcurrencyOptions,
  type Bulkhead,
  type BulkheadOptions,
  type Cache,
  type CacheOptions,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CompartmentedBulkhead,
  type CompartmentedBulkheadOptions,
  type Fallback,
  type FallbackOptions,
  type Hedge,
  type HedgeOptions,
  type LoadShedder,
  type LoadShedderOptions,
  type RateLimiter,
  type RateLimiterOptions,
  type Retry,
  type RetryOptions,
  type Throttler,
  type ThrottlerOptions,
  type Timeout,
  type TimeoutOptions,
} from '../patterns/index.ts'
import { callOptionsOf, protectionPolicies, type Protection } from './protection.ts'

export interface FaultTolerantSystemOptions {
  /** Given to every policy that is made here. */
  readonly clock?: Clock
  readonly random?: Random
}

/** What is left of a policy's options when the system gives name and clock. */
type Named<O> = O extends unknown ? Omit<O, 'name' | 'clock' | 'random'> : never

/** All figures of all policies, by id. */
export interface SystemStatistics {
  /** Epoch ms. */
  readonly at: number
  readonly policies: Readonly<Record<string, PolicyStatus>>
}

/** A policy has joined or left. */
export interface SystemEvent extends PolicyEvent {
  readonly type: 'system.policy-registered' | 'system.policy-removed'
}

/**
 * Named policies and pipelines under one roof: one registry, one stream of events, one health, one place to dispose of them.
 * Every policy that is made or registered here is part of {@link FaultTolerantSystem.health} at once.
 */
export interface FaultTolerantSystem extends Observable, Disposable {
  readonly clock: Clock
  createCircuitBreaker(name: string, options?: Named<CircuitBreakerOptions<never>>): CircuitBreaker
  createRetry(name: string, options?: Named<RetryOptions>): Retry
  createTimeout(name: string, options: Named<TimeoutOptions>): Timeout
  createBulkhead(name: string, options: Named<BulkheadOptions>): Bulkhead
  createCompartments(name: string, options: Named<CompartmentedBulkheadOptions>): CompartmentedBulkhead
  createRateLimiter(name: string, options: Named<RateLimiterOptions>): RateLimiter
  createFallback<F>(name: string, options: Named<FallbackOptions<F>>): Fallback<F>
  createCache(name: string, options: Named<CacheOptions>): Cache
  createHedge(name: string, options: Named<HedgeOptions>): Hedge
  createThrottler(name: string, options: Named<ThrottlerOptions>): Throttler
  createLoadShedder(name: string, options?: Named<LoadShedderOptions>): LoadShedder
  createAdaptiveConcurrency(name: string, options?: Named<AdaptiveConcurrencyOptions>): AdaptiveConcurrency
  /** Composes registered or other policies, outermost first, and registers the result. */
  createPipeline<P extends readonly PolicyLike[]>(name: string, ...policies: P): Pipeline<AlternativeOf<P[number]>>
  /**
   * Takes in a policy made elsewhere. Its id is `kind/name`: policies of different kinds may share a name.
   * @throws HoldfastError `ERR_DUPLICATE_NAME`.
   */
  register<P extends AnyPolicy>(policy: P): P
  /**
   * Takes a policy out by its id, and disposes of it where it can be. With `dispose: false` the calls that are in it go on, those
   * that wait included. Answers whether it was there.
   */
  remove(id: string, options?: { readonly dispose?: boolean }): boolean
  /**
   * The policy of an id such as `circuit-breaker/payments`.
   * @throws HoldfastError `ERR_UNKNOWN_NAME`.
   */
  get(id: string): AnyPolicy
  has(id: string): boolean
  /** By id, in the order of their registration. */
  policies(): ReadonlyMap<string, AnyPolicy>
  /**
   * Runs a function under the given protections in the default order: fallback, cache, idempotency, load shedder, total timeout, retry,
   * hedge, circuit breaker, rate limiter, throttler, adaptive concurrency, bulkhead, attempt timeout.
   * @throws HoldfastError `ERR_UNKNOWN_NAME` for a name nobody registered; otherwise as {@link Policy.execute}.
   */
  executeWithProtection<T>(run: (call: Call) => T | PromiseLike<T>, protection?: Protection): Promise<T>
  tryExecuteWithProtection<T>(run: (call: Call) => T | PromiseLike<T>, protection?: Protection): Promise<Outcome<T>>
  /** A dependency to be asked for its health. Returns the function that takes it out again. */
  registerHealthCheck(name: string, options: HealthCheckOptions): () => void
  /** What is known now, with reasons. An open circuit breaker degrades; only a failed critical check makes unhealthy. */
  health(): HealthReport
  /** As {@link FaultTolerantSystem.health}, after asking the dependencies whose answers are too old. */
  checkHealth(): Promise<HealthReport>
  statistics(): SystemStatistics
  describe(): readonly PolicyDescription[]
  /** Disposes of all policies and ends all subscriptions. */
  dispose(): void
}

/** A registered policy, whatever its kind. */
export type AnyPolicy = Policy<PolicyEvent, unknown>

/**
 * @example
 * const system = faultTolerantSystem()
 * system.createCircuitBreaker('payments', { failureThreshold: 5, openFor: '30s' })
 * system.createBulkhead('payments-pool', { maxConcurrent: 10, maxQueued: 20 })
 * await system.executeWithProtection(charge, { circuitBreaker: 'payments', bulkhead: 'payments-pool', retry: { maxAttempts: 3 } })
 */
export function faultTolerantSystem(options: FaultTolerantSystemOptions = {}): FaultTolerantSystem {
  checkOptionNames('faultTolerantSystem', options, ['clock', 'random'])
  return new PolicySystem(options)
}

interface Entry {
  readonly policy: AnyPolicy
  readonly end: () => void
}

class PolicySystem implements FaultTolerantSystem {
  readonly clock: Clock
  private readonly shared: { readonly clock: Clock; readonly random?: Random }
  private readonly entries = new Map<string, Entry>()
  private readonly events = new EventHub<PolicyEvent>()
  private readonly monitor: HealthMonitor
  /** Pipelines of protections that were asked for before. */
  private readonly known = new WeakMap<Protection, Pipeline>()
  private disposed = false

  constructor(options: FaultTolerantSystemOptions) {
    this.clock = options.clock ?? systemClock
    this.shared = options.random === undefined ? { clock: this.clock } : { clock: this.clock, random: options.random }
    this.monitor = healthMonitor({ clock: this.clock })
  }

  createCircuitBreaker(name: string, options: Named<CircuitBreakerOptions<never>> = {}): CircuitBreaker {
    return this.register(circuitBreaker({ ...options, ...this.shared, name }))
  }

  createRetry(name: string, options: Named<RetryOptions> = {}): Retry {
    return this.register(retry({ ...options, ...this.shared, name }))
  }

  createTimeout(name: string, options: Named<TimeoutOptions>): Timeout {
    return this.register(timeout({ ...options, clock: this.clock, name }))
  }

  createBulkhead(name: string, options: Named<BulkheadOptions>): Bulkhead {
    return this.register(bulkhead({ ...options, clock: this.clock, name }))
  }

  createCompartments(name: string, options: Named<CompartmentedBulkheadOptions>): CompartmentedBulkhead {
    return this.register(bulkhead({ ...options, clock: this.clock, name }))
  }

  createRateLimiter(name: string, options: Named<RateLimiterOptions>): RateLimiter {
    return this.register(rateLimiter({ ...options, ...this.shared, name }))
  }

  createFallback<F>(name: string, options: Named<FallbackOptions<F>>): Fallback<F> {
    return this.register(fallback({ ...options, clock: this.clock, name } as FallbackOptions<F> & { readonly value: F }))
  }

  createCache(name: string, options: Named<CacheOptions>): Cache {
    return this.register(cache({ ...options, clock: this.clock, name }))
  }

  createHedge(name: string, options: Named<HedgeOptions>): Hedge {
    return this.register(hedge({ ...options, clock: this.clock, name }))
  }

  createThrottler(name: string, options: Named<ThrottlerOptions>): Throttler {
    return this.register(throttler({ ...options, clock: this.clock, name }))
  }

  createLoadShedder(name: string, options: Named<LoadShedderOptions> = {}): LoadShedder {
    return this.register(loadShedder({ ...options, ...this.shared, name }))
  }

  createAdaptiveConcurrency(name: string, options: Named<AdaptiveConcurrencyOptions> = {}): AdaptiveConcurrency {
    return this.register(adaptiveConcurrency({ ...options, ...this.shared, name }))
  }

  createPipeline<P extends readonly PolicyLike[]>(name: string, ...policies: P): Pipeline<AlternativeOf<P[number]>> {
    return this.register(pipeline({ name, clock: this.clock }, ...policies)) as Pipeline<AlternativeOf<P[number]>>
  }

  register<P extends AnyPolicy>(policy: P): P {
    const id = `${policy.kind}/${policy.name}`
    if (this.disposed)
      throw new HoldfastError({ code: 'ERR_DISPOSED', message: `the system has been disposed of; '${id}' cannot be registered` })
    if (this.entries.has(id)) throw new HoldfastError({ code: 'ERR_DUPLICATE_NAME', message: `a policy is registered as '${id}' already` })
    const ends = [this.monitor.registerComponent(id, policy.kind, () => policy.health())]
    for (const speaker of this.newSpeakers(policy)) ends.push(speaker.on((event) => this.events.emit(event)))
    this.entries.set(id, { policy, end: () => ends.forEach((end) => end()) })
    this.announce('system.policy-registered', id)
    return policy
  }

  remove(id: string, { dispose = true }: { readonly dispose?: boolean } = {}): boolean {
    const entry = this.entries.get(id)
    if (entry === undefined) return false
    this.entries.delete(id)
    entry.end()
    if (dispose && Symbol.dispose in entry.policy) (entry.policy as unknown as Disposable)[Symbol.dispose]()
    this.announce('system.policy-removed', id)
    return true
  }

  get(id: string): AnyPolicy {
    const entry = this.entries.get(id)
    if (entry !== undefined) return entry.policy
    const near = suggest(id, [...this.entries.keys()])
    throw new HoldfastError({
      code: 'ERR_UNKNOWN_NAME',
      message: `no policy is registered as '${id}'${near === undefined ? '' : ` (did you mean '${near}'?)`}`,
    })
  }

  has(id: string): boolean {
    return this.entries.has(id)
  }

  policies(): ReadonlyMap<string, AnyPolicy> {
    return new Map([...this.entries].map(([id, { policy }]) => [id, policy]))
  }

  executeWithProtection<T>(run: (call: Call) => T | PromiseLike<T>, protection: Protection = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.pipelineFor(protection).execute(run, callOptionsOf(protection)).then(resolve, reject)
    })
  }

  tryExecuteWithProtection<T>(run: (call: Call) => T | PromiseLike<T>, protection: Protection = {}): Promise<Outcome<T>> {
    return new Promise((resolve, reject) => {
      this.pipelineFor(protection).tryExecute(run, callOptionsOf(protection)).then(resolve, reject)
    })
  }

  registerHealthCheck(name: string, options: HealthCheckOptions): () => void {
    return this.monitor.registerCheck(name, options)
  }

  health(): HealthReport {
    return this.monitor.current()
  }

  checkHealth(): Promise<HealthReport> {
    return this.monitor.report()
  }

  statistics(): SystemStatistics {
    return { at: this.clock.wallNow(), policies: Object.fromEntries([...this.entries].map(([id, { policy }]) => [id, policy.status()])) }
  }

  describe(): readonly PolicyDescription[] {
    return [...this.entries.values()].map(({ policy }) => policy.describe())
  }

  on(listener: Listener<PolicyEvent>): () => void {
    return this.events.on(listener)
  }

  dispose(): void {
    this.disposed = true
    for (const id of [...this.entries.keys()].toReversed()) this.remove(id)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private pipelineFor(protection: Protection): Pipeline {
    let made = this.known.get(protection)
    if (made === undefined) {
      const policies = protectionPolicies(protection, (id) => this.entries.get(id)?.policy, this.clock)
      made = pipeline({ name: 'protection', clock: this.clock }, ...policies) as Pipeline // a fallback answers what the caller asked for
      this.known.set(protection, made)
    }
    return made
  }

  /** Whose events a policy brings: a pipeline only repeats what its policies say, and some may be registered already. */
  private newSpeakers(policy: AnyPolicy): readonly Observable[] {
    if (policy.kind !== 'pipeline') return [policy]
    const registered = new Set<unknown>([...this.entries.values()].map((entry) => entry.policy))
    return (policy as unknown as Pipeline).policies.flatMap((inner) => {
      if (registered.has(inner) || !('on' in inner)) return []
      return 'policies' in inner ? this.newSpeakers(inner as unknown as AnyPolicy) : [inner as unknown as Observable]
    })
  }

  private announce(type: SystemEvent['type'], policy: string): void {
    if (this.events.active) this.events.emit({ type, policy, at: this.clock.wallNow() })
  }
}
