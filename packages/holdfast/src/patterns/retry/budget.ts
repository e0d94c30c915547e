import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { checkOptionNames, integerOption, nameOption, numberOption, ratioOption } from '../../core/options.ts'

/** Shared by the retries (and hedges) of one dependency, so that they cannot multiply an outage. */
export interface RetryBudget {
  readonly name: string
  /** A call begins. Its answer is called once when the call is over, however it ends. */
  begin(): RetryBudgetCall
  status(): RetryBudgetStatus
  describe(): Readonly<Record<string, unknown>>
}

export interface RetryBudgetCall {
  /** Leave for one more attempt. */
  tryRetry(): boolean
  end(): void
}

export interface RetryBudgetStatus {
  readonly name: string
  /** Attempts that may be made right now. */
  readonly available: number
  /** Retries granted, ever. */
  readonly granted: number
  /** Retries refused, ever. */
  readonly exhausted: number
}

export interface RetryBudgetOptions {
  /** Retries per call, from 0. @defaultValue 0.2 */
  readonly ratio?: number
  /** Retries per second that are always allowed, from 0. @defaultValue 10 */
  readonly minPerSecond?: number
  /** How long a call counts. @defaultValue '10s' */
  readonly ttl?: Duration
  /** @defaultValue 'retry-budget' */
  readonly name?: string
  readonly clock?: Clock
}

const slices = 10

/**
 * A token bucket fed by calls: each call of the last `ttl` allows `ratio` retries, on top of `minPerSecond`. At total failure
 * the load is at most 1 + ratio times the calls, plus the reserve. Design: Finagle's RetryBudget.
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  checkOptionNames('retryBudget', options, ['ratio', 'minPerSecond', 'ttl', 'name', 'clock'])
  const name = nameOption('retry-budget', options.name)
  const ratio = numberOption(name, 'ratio', options.ratio ?? 0.2, { max: 1_000 })
  const minPerSecond = numberOption(name, 'minPerSecond', options.minPerSecond ?? 10)
  const ttlMs = durationMs(name, 'ttl', options.ttl ?? '10s', { min: 1, max: 86_400_000 })
  return new RateBudget(name, options.clock ?? systemClock, ratio, minPerSecond, ttlMs)
}

class RateBudget implements RetryBudget {
  readonly name: string
  private readonly clock: Clock
  private readonly ratio: number
  private readonly reserve: number
  private readonly sliceMs: number
  private readonly settings: Readonly<Record<string, unknown>>
  /** Per slice: deposits of calls minus withdrawals of retries. */
  private readonly deposits = new Float64Array(slices)
  private readonly withdrawals = new Float64Array(slices)
  private slice = -Infinity
  private granted = 0
  private exhausted = 0

  constructor(name: string, clock: Clock, ratio: number, minPerSecond: number, ttlMs: number) {
    this.name = name
    this.clock = clock
    this.ratio = ratio
    this.reserve = (minPerSecond * ttlMs) / 1_000
    this.sliceMs = ttlMs / slices
    this.settings = { kind: 'retry-budget', name, ratio, minPerSecond, ttlMs }
  }

  begin(): RetryBudgetCall {
    this.turn()
    this.deposits[this.index()]! += this.ratio
    return { tryRetry: () => this.tryRetry(), end: () => undefined }
  }

  status(): RetryBudgetStatus {
    return { name: this.name, available: Math.max(0, Math.floor(this.balance())), granted: this.granted, exhausted: this.exhausted }
  }

  describe(): Readonly<Record<string, unknown>> {
    return this.settings
  }

  private tryRetry(): boolean {
    this.turn()
    // an epsilon forgives the rounding of summed ratios
    if (this.balance() < 1 - 1e-9) {
      this.exhausted++
      return false
    }
    this.withdrawals[this.index()]! += 1
    this.granted++
    return true
  }

  private balance(): number {
    this.turn()
    let sum = this.reserve
    for (let index = 0; index < slices; index++) sum += (this.deposits[index] as number) - (this.withdrawals[index] as number)
    return sum
  }

  private index(): number {
    return this.slice % slices
  }

  /** Forgets the slices that have become older than the ttl. */
  private turn(): void {
    const current = Math.floor(Math.max(0, this.clock.now()) / this.sliceMs)
    if (current <= this.slice) return
    const passed = Math.min(current - this.slice, slices)
    this.slice = current
    for (let back = 0; back < passed; back++) {
      const index = (current - back) % slices
      this.deposits[index] = 0
      this.withdrawals[index] = 0
    }
  }
}

export interface ConcurrentRetryBudgetOptions {
  /** Share of the calls in flight that may be retries, 0..1. @defaultValue 0.2 */
  readonly maxRatio?: number
  /** Concurrent retries that are always allowed. @defaultValue 3 */
  readonly minConcurrency?: number
  /** @defaultValue 'retry-budget' */
  readonly name?: string
}

/**
 * Limits how many of the calls in flight are retries: at most `maxRatio` of them, and never fewer than `minConcurrency`.
 * Design: Envoy's and failsafe-go's retry budgets.
 */
export function concurrentRetryBudget(options: ConcurrentRetryBudgetOptions = {}): RetryBudget {
  checkOptionNames('concurrentRetryBudget', options, ['maxRatio', 'minConcurrency', 'name'])
  const name = nameOption('retry-budget', options.name)
  return new ConcurrencyBudget(
    name,
    ratioOption(name, 'maxRatio', options.maxRatio ?? 0.2),
    integerOption(name, 'minConcurrency', options.minConcurrency ?? 3),
  )
}

class ConcurrencyBudget implements RetryBudget {
  readonly name: string
  private readonly maxRatio: number
  private readonly minConcurrency: number
  private inFlight = 0
  private retrying = 0
  private granted = 0
  private exhausted = 0

  constructor(name: string, maxRatio: number, minConcurrency: number) {
    this.name = name
    this.maxRatio = maxRatio
    this.minConcurrency = minConcurrency
  }

  begin(): RetryBudgetCall {
    this.inFlight++
    let retrying = false
    let over = false
    return {
      tryRetry: () => {
        if (retrying) return true // one place serves all the retries of a call
        if (this.retrying >= this.limit()) {
          this.exhausted++
          return false
        }
        retrying = true
        this.retrying++
        this.granted++
        return true
      },
      end: () => {
        if (over) return
        over = true
        this.inFlight--
        if (retrying) this.retrying--
      },
    }
  }

  status(): RetryBudgetStatus {
    return { name: this.name, available: Math.max(0, this.limit() - this.retrying), granted: this.granted, exhausted: this.exhausted }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { kind: 'concurrent-retry-budget', name: this.name, maxRatio: this.maxRatio, minConcurrency: this.minConcurrency }
  }

  private limit(): number {
    return Math.max(this.minConcurrency, Math.floor(this.inFlight * this.maxRatio))
  }
}
