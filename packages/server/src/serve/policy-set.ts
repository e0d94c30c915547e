import {
  fallback,
  isTransient,
  policy,
  rateLimiter,
  retry,
  retryBudget,
  type Call,
  type CircuitBreakerOptions,
  type PolicyLike,
  type RateLimiter,
  type RateLimiterOptions,
  type RetryOptions,
} from 'holdfast'
import { Meter, type FaultTolerantSystem, type Observe } from 'holdfast/system'
import type { FallbackSettings, PipelineStep, RateLimitKey, UpstreamSettings } from '../config/index.ts'
import { BodyTooLarge, fixedAnswer, UpstreamFailure, type Answer, type RequestContext } from '../gateway/index.ts'

/** Told of the durations of whole calls and of single attempts. */
export interface Observers {
  readonly pipeline: Observe
  readonly attempt: Observe
}

/** Requests that may wait for a quota's pause to end, per upstream: each holds its request in memory. */
const maxWaitingForQuota = 1_000

/** Makes the policies of upstreams out of their settings. Upstreams that refer to the same definition share its policy. */
export class PolicyFactory {
  private readonly system: FaultTolerantSystem
  private readonly made = new Map<object, PolicyLike>()

  constructor(system: FaultTolerantSystem) {
    this.system = system
  }

  /** What waits while an upstream has asked all its callers to; undefined when its 429 concern only the one request. */
  quota(upstream: UpstreamSettings): RateLimiter | undefined {
    if (upstream.quota.scope === 'none') return undefined
    return this.system.register(
      rateLimiter({
        name: `${upstream.name}-quota`,
        limit: Infinity,
        maxQueued: maxWaitingForQuota,
        maxWait: upstream.quota.maxPause,
        clock: this.system.clock,
      }),
    )
  }

  /** All policies of an upstream, outermost first, with a meter around all of them and one around each attempt. */
  pipeline(upstream: UpstreamSettings, quota: RateLimiter | undefined, observers: Observers): PolicyLike[] {
    const { clock } = this.system
    const { pipeline } = upstream
    const policies: PolicyLike[] = [policy({ name: 'meter', parts: new Meter(clock, observers.pipeline) })]
    const quotaBefore = quotaStep(pipeline.order)
    for (const step of pipeline.order) {
      if (step === quotaBefore && quota !== undefined) policies.push(quota)
      const settings = pipeline[step]
      if (settings !== undefined) policies.push(this.shared(step, settings))
    }
    if (quotaBefore === undefined && quota !== undefined) policies.push(quota)
    policies.push(policy({ name: 'attempt-meter', parts: new Meter(clock, observers.attempt) }))
    return policies
  }

  private shared(step: PipelineStep, settings: object): PolicyLike {
    const known = this.made.get(settings)
    if (known !== undefined) return known
    const made = this.make(step, settings)
    this.made.set(settings, made)
    return made
  }

  private make(step: PipelineStep, settings: object): PolicyLike {
    const { system } = this
    const { name, ...options } = settings as { readonly name: string }
    switch (step) {
      case 'fallback':
        return this.fallback(settings as FallbackSettings)
      case 'totalTimeout':
      case 'attemptTimeout':
        return system.createTimeout(name, options as { readonly after: number })
      case 'retry':
        return this.retry(name, options)
      case 'circuitBreaker':
        return system.createCircuitBreaker(name, {
          ...(options as CircuitBreakerOptions<never>),
          isFailure: (error) => !(error instanceof UpstreamFailure) || error.judgement.countsAsFailure,
          ignore: (error) => (error instanceof UpstreamFailure && error.status === 429) || error instanceof BodyTooLarge,
        })
      case 'rateLimiter': {
        const { key, ...limit } = options as { readonly key: RateLimitKey }
        return system.createRateLimiter(name, { ...(limit as unknown as RateLimiterOptions), keyOf: keyOf(key) })
      }
      case 'bulkhead':
        return system.createBulkhead(name, options as { readonly maxConcurrent: number })
    }
  }

  private retry(name: string, options: object): PolicyLike {
    const { budget, ...rest } = options as RetryOptions & {
      readonly budget?: { readonly ratio: number; readonly minPerSecond: number; readonly ttl: number }
    }
    const { clock } = this.system
    return this.system.register(
      retry({
        ...rest,
        name,
        clock,
        ...(budget === undefined ? {} : { budget: retryBudget({ ...budget, name, clock }) }),
        retryOn: (error) => (error instanceof UpstreamFailure ? error.judgement.worthRetrying : isTransient(error)),
        idempotent: (call: Call) => (call.context as RequestContext).idempotent,
        onRetry: ({ error }) => {
          if (error instanceof UpstreamFailure) error.answer.discard()
        },
      }),
    )
  }

  private fallback(settings: FallbackSettings): PolicyLike {
    const headers = Object.entries(settings.headers).flat()
    const body = Buffer.from(settings.body, 'utf8')
    const handler = (error: unknown, call: Call): Answer => {
      if (error instanceof UpstreamFailure) error.answer.discard()
      ;(call.context as RequestContext).fallback = settings.name
      return fixedAnswer(settings.status, headers, body)
    }
    return this.system.register(
      fallback({ name: settings.name, clock: this.system.clock, handler, when: (error) => !(error instanceof BodyTooLarge) }),
    )
  }
}

/** The step the quota's pause stands before: waiting for it must take no place, and must count for no attempt's time. */
function quotaStep(order: readonly PipelineStep[]): PipelineStep | undefined {
  return order.find((step) => step === 'rateLimiter' || step === 'bulkhead' || step === 'attemptTimeout')
}

function keyOf(key: RateLimitKey): (call: Call) => string | undefined {
  if (key === 'none') return () => undefined
  if (key === 'client') return (call) => (call.context as RequestContext).clientAddress
  const header = key.slice('header:'.length)
  return (call) => (call.context as RequestContext).header(header)
}
