import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener, type Observable } from '../../core/events.ts'
import { logHistogram, type LogHistogram } from '../../core/metrics/log-histogram.ts'
import { checkOptionNames, functionOption, integerOption, nameOption, show } from '../../core/options.ts'
import type { CallOptions } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import { suggest } from '../../core/suggest.ts'
import { retry, type Retry, type RetryEvent, type RetryNotice, type RetrySettings, type RetryStatistics } from './retry.ts'

export interface RetryManagerOptions {
  /** @defaultValue 'retry-manager' */
  readonly name?: string
  /** Configurations kept, 1 or more; beyond it the one that was used longest ago is dropped, its figures stay in the totals. @defaultValue 1_000 */
  readonly maxPolicies?: number
  /** What holds where a configuration says nothing. */
  readonly defaults?: RetrySettings
  readonly clock?: Clock
  readonly random?: Random
}

/** How to retry, under a name of its own. */
export interface RetryConfig extends RetrySettings {
  /** Calls of one name are counted together. @defaultValue 'default' */
  readonly name?: string
}

/** Totals since the manager was made, or of one name since it was first used. */
export interface RetryManagerStatistics {
  readonly calls: number
  /** Attempts after the first. */
  readonly totalRetries: number
  /** Calls that succeeded after a retry. */
  readonly successfulRetries: number
  /** Calls that failed after a retry. */
  readonly failedRetries: number
  /** successfulRetries / (successfulRetries + failedRetries); null while there is neither. */
  readonly successRate: number | null
  /** Mean delay before a retry; null while there was none. */
  readonly averageRetryDelayMs: number | null
  /** Of the delays, to within 3.1 %; null while there was none. */
  readonly retryDelayMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null
  /** Retries that a budget did not allow. */
  readonly budgetExhausted: number
}

/** Retries by named configurations, with their figures in bounded memory. */
export interface RetryManager extends Observable<RetryEvent> {
  readonly name: string
  /**
   * Runs a function with retries, as the configuration of a name or the given one says. A configuration given again under its name
   * holds from that call on; calls under way end by theirs.
   * @throws whatever the last attempt threw; HoldfastError `ERR_UNKNOWN_NAME` for a name without a configuration.
   */
  retry<T>(run: (call: Call) => T | PromiseLike<T>, config?: string | RetryConfig, options?: CallOptions): Promise<T>
  /**
   * Names a configuration, or puts another one under the name into force.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  define(name: string, settings: RetrySettings): Retry
  /**
   * The policy of a name, for pipelines.
   * @throws HoldfastError `ERR_UNKNOWN_NAME`
   */
  policy(name: string): Retry
  /** Takes a configuration out; its figures stay in the totals. Answers whether it was there. */
  remove(name: string): boolean
  /** The one used longest ago first. */
  names(): readonly string[]
  /**
   * Of all names together, or of one.
   * @throws HoldfastError `ERR_UNKNOWN_NAME`
   */
  statistics(name?: string): RetryManagerStatistics
  /** Hears the events of all names. */
  on(listener: Listener<RetryEvent>): () => void
}

/**
 * @throws HoldfastError `ERR_INVALID_OPTION`
 * @example
 * const retries = retryManager({ defaults: { maxAttempts: 4 } })
 * retries.define('database', { initialDelay: '20ms', maxDelay: '1s' })
 * const rows = await retries.retry(() => query(), 'database')
 */
export function retryManager(options: RetryManagerOptions = {}): RetryManager {
  return new Manager(options)
}

interface Entry {
  readonly policy: Retry
  readonly delays: Delays
  readonly end: () => void
  /** What the policy was made of last: the same object again changes nothing. */
  given: RetrySettings
}

/** Delays in ms; the histogram is made with the first. */
class Delays {
  histogram: LogHistogram | undefined = undefined

  record(ms: number): void {
    this.histogram ??= logHistogram({ min: 1, max: 86_400_000 })
    this.histogram.record(ms)
  }
}

type Totals = Pick<RetryStatistics, 'calls' | 'totalRetries' | 'successfulRetries' | 'failedRetries' | 'budgetExhausted'>

const nothing: Totals = { calls: 0, totalRetries: 0, successfulRetries: 0, failedRetries: 0, budgetExhausted: 0 }

class Manager implements RetryManager {
  readonly name: string
  private readonly maxPolicies: number
  private readonly defaults: RetrySettings
  private readonly clock: Clock
  private readonly random: Random
  private readonly events = new EventHub<RetryEvent>()
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry>()
  private readonly delays = new Delays()
  /** Of configurations that are gone. */
  private past: Totals = nothing

  constructor(options: RetryManagerOptions) {
    checkOptionNames('retryManager', options, ['name', 'maxPolicies', 'defaults', 'clock', 'random'])
    this.name = nameOption('retry-manager', options.name)
    this.maxPolicies = integerOption(this.name, 'maxPolicies', options.maxPolicies ?? 1_000, { min: 1 })
    this.clock = options.clock ?? systemClock
    this.random = functionOption(this.name, 'random', options.random) ?? Math.random
    this.defaults = { ...options.defaults }
    retry({ ...this.defaults, name: this.name, clock: this.clock, random: this.random }) // bad defaults are told now
  }

  async retry<T>(run: (call: Call) => T | PromiseLike<T>, config: string | RetryConfig = {}, options?: CallOptions): Promise<T> {
    return this.policyFor(config).execute(run, options)
  }

  define(name: string, settings: RetrySettings): Retry {
    const entry = this.entries.get(nameOption(this.name, name))
    if (entry === undefined) return this.add(name, settings).policy
    if (entry.given !== settings) {
      entry.policy.reconfigure(this.watched(settings, entry.delays))
      entry.given = settings
    }
    this.entries.delete(name)
    this.entries.set(name, entry)
    return entry.policy
  }

  policy(name: string): Retry {
    return this.entryOf(name).policy
  }

  remove(name: string): boolean {
    const entry = this.entries.get(name)
    if (entry === undefined) return false
    this.entries.delete(name)
    this.past = sum(this.past, entry.policy.status())
    entry.end()
    return true
  }

  names(): readonly string[] {
    return [...this.entries.keys()]
  }

  statistics(name?: string): RetryManagerStatistics {
    if (name !== undefined) {
      const { policy, delays } = this.entryOf(name)
      return statisticsOf(policy.status(), delays)
    }
    const totals = [...this.entries.values()].reduce((all, { policy }) => sum(all, policy.status()), this.past)
    return statisticsOf(totals, this.delays)
  }

  on(listener: Listener<RetryEvent>): () => void {
    return this.events.on(listener)
  }

  private policyFor(config: string | RetryConfig): Retry {
    if (typeof config === 'string') {
      const entry = this.entryOf(config)
      this.entries.delete(config)
      this.entries.set(config, entry)
      return entry.policy
    }
    if (typeof config !== 'object' || config === null || Array.isArray(config)) {
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: this.name,
        message: `${this.name}: a configuration must be a name or an object, got ${show(config)}`,
      })
    }
    return this.define(config.name ?? 'default', config)
  }

  private add(name: string, settings: RetrySettings): Entry {
    const delays = new Delays()
    const { clock, random } = this
    const policy = retry({ ...this.watched(settings, delays), name, clock, random })
    const entry = { policy, delays, given: settings, end: policy.on((event) => this.events.emit(event)) }
    const [oldest] = this.entries.keys()
    if (this.entries.size >= this.maxPolicies && oldest !== undefined) this.remove(oldest)
    this.entries.set(name, entry)
    return entry
  }

  /** The settings with the defaults, and with an ear for the delays. */
  private watched(settings: RetrySettings, delays: Delays): RetrySettings {
    const { name: _, ...own } = settings as RetryConfig
    const { maxAttempts, maxRetries, ...rest } = this.defaults
    const attempts = own.maxAttempts === undefined && own.maxRetries === undefined
    const all: RetrySettings = {
      ...rest,
      ...(attempts && maxAttempts !== undefined ? { maxAttempts } : {}),
      ...(attempts && maxRetries !== undefined ? { maxRetries } : {}),
      ...own,
    }
    const onRetry = functionOption(this.name, 'onRetry', all.onRetry)
    return {
      ...all,
      onRetry: (notice: RetryNotice) => {
        delays.record(notice.delayMs)
        this.delays.record(notice.delayMs)
        return onRetry?.(notice)
      },
    }
  }

  private entryOf(name: string): Entry {
    const entry = this.entries.get(name)
    if (entry !== undefined) return entry
    const near = suggest(name, this.names())
    const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
    throw new HoldfastError({
      code: 'ERR_UNKNOWN_NAME',
      policy: this.name,
      message: `${this.name}: there is no configuration ${show(name)}${hint}; define() it first`,
    })
  }
}

function sum(one: Totals, other: Totals): Totals {
  return {
    calls: one.calls + other.calls,
    totalRetries: one.totalRetries + other.totalRetries,
    successfulRetries: one.successfulRetries + other.successfulRetries,
    failedRetries: one.failedRetries + other.failedRetries,
    budgetExhausted: one.budgetExhausted + other.budgetExhausted,
  }
}

function statisticsOf(totals: Totals, { histogram }: Delays): RetryManagerStatistics {
  const { calls, totalRetries, successfulRetries, failedRetries, budgetExhausted } = totals
  const judged = successfulRetries + failedRetries
  const at = (share: number): number => histogram?.percentile(share) ?? 0
  return {
    calls,
    totalRetries,
    successfulRetries,
    failedRetries,
    successRate: judged === 0 ? null : successfulRetries / judged,
    averageRetryDelayMs: histogram?.mean ?? null,
    retryDelayMs: histogram === undefined ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: histogram.max ?? 0 },
    budgetExhausted,
  }
}
