import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Flow } from '../../core/layer.ts'
import { errorMatcher, type ErrorMatch } from '../../core/match-error.ts'
import { booleanOption, checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import { backoff, backoffOptionNames, type BackoffOptions } from './backoff.ts'
import type { RetryBudget } from '../../core/retry-budget/retry-budget.ts'
import { isTransient } from './classify.ts'
import { RetryFlow, type RetryRules } from './retry-flow.ts'

/** What {@link RetryOptions.onRetry} is told. */
export interface RetryNotice {
  /** The attempt that will be made, 2 or more. */
  readonly attempt: number
  readonly delayMs: number
  /** What the attempt before failed with; undefined when its result was not accepted. */
  readonly error: unknown
}

export interface RetryOptions extends BackoffOptions {
  /** Attempts in all, the first included; 1 or more. @defaultValue 3 */
  readonly maxAttempts?: number
  /** Attempts after the first; `maxRetries: 2` is `maxAttempts: 3`. Only one of the two. */
  readonly maxRetries?: number
  /** Total time for all attempts and delays: no further attempt is begun after it. @defaultValue no limit */
  readonly maxElapsed?: Duration
  /** A further attempt is begun only if the call's deadline leaves at least this much time for it. @defaultValue '10ms' */
  readonly minRemaining?: Duration
  /** Which errors are worth another attempt: a list, or a function that decides. @defaultValue {@link isTransient} */
  readonly retryOn?: ErrorMatch
  /**
   * Which results are not accepted. A result that is discarded is disposed of, and its body cancelled; the last one is the answer.
   */
  readonly retryOnResult?: (value: unknown) => boolean
  /** Called before each delay, which waits for no promise of it; what it throws is the event `retry.callback-failed`. */
  readonly onRetry?: (notice: RetryNotice) => unknown
  /** Shared limit of retries; see {@link retryBudget}. */
  readonly budget?: RetryBudget
  /** The delay is never shorter than the server's hint (Retry-After …); a hint longer than this ends the retrying. @defaultValue '60s' */
  readonly maxRetryAfter?: Duration
  /**
   * Whether the work may be done twice. When false, an attempt is repeated only if the one before surely had no effect: its connection
   * was never made, or the server refused it with 425 or 429. A call with an idempotency key counts as idempotent. A function decides per call. @defaultValue true
   */
  readonly idempotent?: boolean | ((call: Call) => boolean)
  /**
   * Whether refusals of the policies inside (open circuit, full bulkhead, used-up limit) are repeated, not before their `retryAfterMs`.
   * @defaultValue false
   */
  readonly retryRefusals?: boolean
  /** @defaultValue 'retry' */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

export interface RetryScheduled extends PolicyEvent {
  readonly type: 'retry.scheduled'
  /** The attempt that will be made, 2 or more. */
  readonly attempt: number
  readonly delayMs: number
  readonly error: unknown
}

/** A call that was tried again has failed: its attempts or its time are used up, or the server asked for no other attempt. */
export interface RetryExhausted extends PolicyEvent {
  readonly type: 'retry.exhausted'
  readonly attempts: number
  readonly error: unknown
}

/** An attempt that was worth making was not made, since the budget is used up. */
export interface RetryBudgetExhausted extends PolicyEvent {
  readonly type: 'retry.budget-exhausted'
  readonly budget: string
  readonly error: unknown
}

/**
 * A function of the user's threw, or promised an answer that is needed at once. A predicate then counts as no, a back-off as
 * `maxDelay`, and the call's own error stays as it is.
 */
export interface RetryCallbackFailed extends PolicyEvent {
  readonly type: 'retry.callback-failed'
  /** The option: `retryOn`, `retryOnResult`, `idempotent`, `onRetry` or `backoff`. */
  readonly callback: string
  readonly error: unknown
}

export type RetryEvent = RetryScheduled | RetryExhausted | RetryBudgetExhausted | RetryCallbackFailed

/** Totals since the policy was made. */
export interface RetryStatistics {
  readonly kind: 'retry'
  readonly name: string
  readonly calls: number
  /** Attempts after the first. */
  readonly totalRetries: number
  /** Calls that succeeded after a retry. */
  readonly successfulRetries: number
  /** Calls that failed after a retry. */
  readonly failedRetries: number
  /** successfulRetries / (successfulRetries + failedRetries); null while there is neither. */
  readonly successRate: number | null
  /** Sum of the delays before the retries, in ms. */
  readonly totalDelayMs: number
  /** Mean delay before a retry in ms; null while there was none. */
  readonly averageDelayMs: number | null
  /** Longest delay before a retry in ms; null while there was none. */
  readonly longestDelayMs: number | null
  /** Retries that the budget did not allow. */
  readonly budgetExhausted: number
  /** Calls that wait for their next attempt now. */
  readonly waiting: number
  readonly [figure: string]: unknown
}

/** What may change while a retry policy is in use. */
export type RetrySettings = Omit<RetryOptions, 'name' | 'clock' | 'random'>

export interface Retry extends Policy<RetryEvent> {
  readonly kind: 'retry'
  status(): RetryStatistics
  /**
   * Puts other settings into force, for the calls to come; those under way end by the ones they began with. What is left out is as if
   * it had been left out at first. Figures stay; so does what a budget remembers, when it is handed in again.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: RetrySettings): void
}

const settingNames = [
  ...backoffOptionNames,
  'maxAttempts',
  'maxRetries',
  'maxElapsed',
  'minRemaining',
  'retryOn',
  'retryOnResult',
  'onRetry',
  'budget',
  'maxRetryAfter',
  'idempotent',
  'retryRefusals',
] as const
const optionNames = [...settingNames, 'name', 'clock', 'random'] as const

/**
 * Tries again what failed for a passing reason, after a growing, jittered delay. The caller's abort ends it at once; the
 * caller's deadline, a shared budget and the server's own hints limit it.
 * @throws what the last attempt threw, untouched; the reason of an aborted signal.
 * @example `retry({ maxAttempts: 4, initialDelay: '200ms', budget: retryBudget() })`
 */
export function retry(options: RetryOptions = {}): Retry {
  return new RetryPolicy(options)
}

class RetryPolicy extends BasePolicy<RetryEvent> implements Retry {
  readonly kind = 'retry' as const
  readonly [parts]: readonly Flow[]
  private readonly flow: RetryFlow
  private readonly random: Random
  private description: PolicyDescription

  constructor(options: RetryOptions) {
    checkOptionNames('retry', options, optionNames)
    const name = nameOption('retry', options.name)
    super(name, options.clock ?? systemClock)
    this.random = functionOption(name, 'random', options.random) ?? Math.random
    const rules = retryRules(name, options, this.clock, this.random)
    this.flow = new RetryFlow(rules, new EventHub<RetryEvent>())
    this[parts] = [this.flow]
    this.description = descriptionOf(rules, options)
  }

  reconfigure(settings: RetrySettings): void {
    checkOptionNames(this.name, settings, settingNames)
    const rules = retryRules(this.name, settings, this.clock, this.random)
    this.flow.settings = rules
    this.description = descriptionOf(rules, settings)
  }

  on(listener: Listener<RetryEvent>): () => void {
    return this.flow.events.on(listener)
  }

  describe(): PolicyDescription {
    return this.description
  }

  status(): RetryStatistics {
    return this.flow.statistics()
  }
}

function descriptionOf(rules: RetryRules, { retryOn }: RetrySettings): PolicyDescription {
  const { maxAttempts, maxElapsedMs, maxRetryAfterMs, budget } = rules
  return {
    kind: 'retry',
    name: rules.name,
    ...(maxAttempts === Infinity ? {} : { maxAttempts }),
    ...rules.backoff.description,
    ...(maxElapsedMs === Infinity ? {} : { maxElapsedMs }),
    minRemainingMs: rules.minRemainingMs,
    ...(maxRetryAfterMs === Infinity ? {} : { maxRetryAfterMs }),
    idempotent: typeof rules.idempotent === 'function' ? 'per call' : rules.idempotent,
    retryRefusals: rules.retryRefusals,
    retryOn: retryOn === undefined ? 'transient' : 'custom',
    ...(budget === undefined ? {} : { budget: budget.describe() }),
  }
}

function retryRules(name: string, options: RetrySettings, clock: Clock, random: Random): RetryRules {
  if (options.maxAttempts !== undefined && options.maxRetries !== undefined) {
    throw invalidOption(name, 'maxRetries', options.maxRetries, 'absent when maxAttempts is given (maxAttempts counts the first attempt)')
  }
  const maxAttempts =
    options.maxRetries === undefined
      ? integerOption(name, 'maxAttempts', options.maxAttempts ?? 3, { min: 1, allowInfinity: true })
      : integerOption(name, 'maxRetries', options.maxRetries, { allowInfinity: true }) + 1
  const { retryOn, budget } = options
  if (budget !== undefined && typeof budget?.begin !== 'function') {
    throw invalidOption(name, 'budget', budget, 'a retryBudget() or a concurrentRetryBudget()')
  }
  return {
    name,
    clock,
    maxAttempts,
    backoff: backoff(name, options, random),
    maxElapsedMs: options.maxElapsed === undefined ? Infinity : durationMs(name, 'maxElapsed', options.maxElapsed, { allowInfinity: true }),
    minRemainingMs: durationMs(name, 'minRemaining', options.minRemaining ?? 10),
    maxRetryAfterMs: durationMs(name, 'maxRetryAfter', options.maxRetryAfter ?? '60s', { allowInfinity: true }),
    isWorthIt: retryOn === undefined ? isTransient : errorMatcher(name, 'retryOn', retryOn),
    isUnwanted: functionOption(name, 'retryOnResult', options.retryOnResult),
    onRetry: functionOption(name, 'onRetry', options.onRetry),
    budget,
    idempotent:
      typeof options.idempotent === 'function' ? options.idempotent : booleanOption(name, 'idempotent', options.idempotent ?? true),
    retryRefusals: booleanOption(name, 'retryRefusals', options.retryRefusals ?? false),
  }
}
