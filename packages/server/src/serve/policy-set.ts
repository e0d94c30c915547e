import {
  adaptiveConcurrency,
  bulkhead,
  circuitBreaker,
  fallback,
  hedge,
  isTransient,
  loadShedder,
  rateLimiter,
  retry,
  retryBudget,
  throttler,
  timeout,
  type AdaptiveConcurrencyOptions,
  type BulkheadOptions,
  type Call,
  type CircuitBreakerOptions,
  type FallbackOptions,
  type HedgeOptions,
  type LoadShedderOptions,
  type RateLimiter,
  type RateLimiterOptions,
  type RateRetryBudget,
  type RetryOptions,
  type ThrottlerOptions,
  type TimeoutOptions,
} from 'holdfast'
import type { AnyPolicy, FaultTolerantSystem } from 'holdfast/system'
import type { FallbackSettings, PipelineStep, RateLimitKey, RetrySettings, UpstreamSettings } from '../config/index.ts'
import { BodyTooLarge, clientNetwork, fixedAnswer, UpstreamFailure, type Answer, type RequestContext } from '../gateway/index.ts'
import { isSame } from './is-same.ts'

/** Requests that may wait for a quota's pause to end, per upstream: each holds its request in memory. */
const maxWaitingForQuota = 1_000

const kindOfStep: Readonly<Record<PipelineStep, string>> = {
  fallback: 'fallback',
  loadShedder: 'load-shedder',
  totalTimeout: 'timeout',
  retry: 'retry',
  hedge: 'hedge',
  circuitBreaker: 'circuit-breaker',
  rateLimiter: 'rate-limiter',
  throttler: 'throttler',
  adaptiveConcurrency: 'adaptive-concurrency',
  bulkhead: 'bulkhead',
  attemptTimeout: 'timeout',
}

/** Id of the policy of a step. */
function policyId(step: PipelineStep, settings: { readonly name: string }): string {
  return `${kindOfStep[step]}/${settings.name}`
}

/** Id of what waits while an upstream has asked all its callers to. */
function quotaId(upstream: string): string {
  return `rate-limiter/${upstream}-quota`
}

interface Entry {
  readonly policy: AnyPolicy
  settings: object
  /** Of a retry. */
  budget?: RateRetryBudget
}

/**
 * The policies that upstreams use, by id. Upstreams that refer to the same definition share its policy. A policy outlives changes of
 * the configuration for as long as something uses its name: what it knows (state, counters, waiting calls) stays.
 */
export class PolicySet {
  private readonly system: FaultTolerantSystem
  private readonly entries = new Map<string, Entry>()
  private used = new Set<string>()

  constructor(system: FaultTolerantSystem) {
    this.system = system
  }

  /** The policy of a step, with these settings from now on. */
  use(step: PipelineStep, settings: object & { readonly name: string }): AnyPolicy {
    return this.keep(policyId(step, settings), settings, (entry) => optionsOf(step, settings, entry, this.system), makers[step])
  }

  /** What waits while an upstream has asked all its callers to; undefined when its 429 concern only the one request. */
  useQuota({ name, quota }: UpstreamSettings): RateLimiter | undefined {
    if (quota.scope === 'none') return undefined
    const settings = { limit: Infinity, maxQueued: maxWaitingForQuota, maxWait: quota.maxPause }
    return this.keep(quotaId(name), { ...settings, name: `${name}-quota` }, () => settings, rateLimiter) as unknown as RateLimiter
  }

  /** Takes out what was not used since the last time. Calls that are in it still end there. */
  removeUnused(): void {
    for (const id of this.entries.keys()) {
      if (this.used.has(id)) continue
      this.entries.delete(id)
      this.system.remove(id, { dispose: false })
    }
    this.used = new Set()
  }

  private keep(
    id: string,
    settings: object & { readonly name: string },
    options: (entry: Pick<Entry, 'budget'>) => object,
    make: (options: never) => unknown,
  ): AnyPolicy {
    const known = this.entries.get(id)
    const isFirstUse = !this.used.has(id)
    this.used.add(id)
    if (known === undefined) {
      const entry: Pick<Entry, 'budget'> = {}
      const { clock } = this.system
      const policy = this.system.register(make({ ...options(entry), name: settings.name, clock } as never) as AnyPolicy)
      this.entries.set(id, Object.assign(entry, { policy, settings }))
      return policy
    }
    if (isFirstUse && !isSame(known.settings, settings)) {
      ;(known.policy as unknown as { reconfigure(options: object): void }).reconfigure(options(known))
      known.settings = settings
    }
    return known.policy
  }
}

const makers: Readonly<Record<PipelineStep, (options: never) => unknown>> = {
  fallback: (options: FallbackOptions & { readonly value: unknown }) => fallback(options),
  totalTimeout: (options: TimeoutOptions) => timeout(options),
  loadShedder: (options: LoadShedderOptions) => loadShedder(options),
  retry: (options: RetryOptions) => retry(options),
  hedge: (options: HedgeOptions) => hedge(options),
  circuitBreaker: (options: CircuitBreakerOptions<never>) => circuitBreaker(options),
  rateLimiter: (options: RateLimiterOptions) => rateLimiter(options),
  throttler: (options: ThrottlerOptions) => throttler(options),
  adaptiveConcurrency: (options: AdaptiveConcurrencyOptions) => adaptiveConcurrency(options),
  bulkhead: (options: BulkheadOptions) => bulkhead(options),
  attemptTimeout: (options: TimeoutOptions) => timeout(options),
}

/** The options of the library's function for the settings of a step. */
function optionsOf(
  step: PipelineStep,
  settings: object & { readonly name: string },
  entry: Pick<Entry, 'budget'>,
  system: FaultTolerantSystem,
): object {
  const { name: _, ...options } = settings
  switch (step) {
    case 'fallback':
      return fallbackOptions(settings as FallbackSettings)
    case 'retry':
      return retryOptions(settings as RetrySettings, entry, system)
    case 'circuitBreaker':
      return {
        ...options,
        isFailure: (error: unknown) => !(error instanceof UpstreamFailure) || error.judgement.countsAsFailure,
        ignore: (error: unknown) => (error instanceof UpstreamFailure && error.status === 429) || error instanceof BodyTooLarge,
      }
    case 'hedge':
      return { ...options, idempotent: (call: Call) => (call.context as RequestContext).idempotent }
    case 'rateLimiter': {
      const { key, ...limit } = options as unknown as { readonly key: RateLimitKey }
      return { ...limit, keyOf: keyOf(key) }
    }
    default:
      return options
  }
}

function retryOptions(
  { name, budget: settings, ...rest }: RetrySettings,
  entry: Pick<Entry, 'budget'>,
  { clock }: FaultTolerantSystem,
): object {
  if (settings === undefined) delete entry.budget
  else if (entry.budget === undefined) entry.budget = retryBudget({ ...settings, name, clock })
  else entry.budget.reconfigure(settings)
  return {
    ...rest,
    ...(entry.budget === undefined ? {} : { budget: entry.budget }),
    retryOn: (error: unknown) => (error instanceof UpstreamFailure ? error.judgement.worthRetrying : isTransient(error)),
    idempotent: (call: Call) => (call.context as RequestContext).idempotent,
    onRetry: ({ error }: { readonly error: unknown }) => {
      if (error instanceof UpstreamFailure) error.answer.discard()
    },
  }
}

function fallbackOptions(settings: FallbackSettings): object {
  const headers = Object.entries(settings.headers).flat()
  const body = Buffer.from(settings.body, 'utf8')
  const handler = (error: unknown, call: Call): Answer => {
    if (error instanceof UpstreamFailure) error.answer.discard()
    ;(call.context as RequestContext).fallback = settings.name
    return fixedAnswer(settings.status, headers, body)
  }
  return { handler, when: (error: unknown) => !(error instanceof BodyTooLarge) }
}

function keyOf(key: RateLimitKey): (call: Call) => string | undefined {
  if (key === 'none') return () => undefined
  if (key === 'client') return (call) => clientNetwork((call.context as RequestContext).clientAddress)
  const header = key.slice('header:'.length)
  return (call) => (call.context as RequestContext).header(header)
}
