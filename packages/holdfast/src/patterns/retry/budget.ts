import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { checkOptionNames, nameOption, numberOption } from '../../core/options.ts'

/** Shared by the retries (and hedges) of one dependency, so that they cannot multiply an outage. */
export interface RetryBudget {
  readonly name: string
  /** A call begins. {@link RetryBudgetCall.end} of the answer is called once when the call is over, however it ends. */
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
  /** Retries per call, 0 to 1,000. @defaultValue 0.2 */
  readonly ratio?: number
  /** Retries per second that are always allowed, from 0. @defaultValue 10 */
  readonly minPerSecond?: number
  /** How long a call counts, 1 ms to 1 day. @defaultValue '10s' */
  readonly ttl?: Duration
  /** @defaultValue 'retry-budget' */
  readonly name?: string
  readonly clock?: Clock
}

/**
 * Each call of the last `ttl` allows `ratio` retries, on top of `minPerSecond`: over any `ttl`, an outage meets at most 1 + ratio
 * attempts per call, plus the reserve of minPerSecond · ttl. Design: Finagle's RetryBudget; retries are remembered a little
 * longer than calls, so that the reserve cannot be spent twice within one ttl.
 * @example `const budget = retryBudget({ ratio: 0.1 }); const search = retry({ budget })`
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  checkOptionNames('retryBudget', options, ['ratio', 'minPerSecond', 'ttl', 'name', 'clock'])
  const name = nameOption('retry-budget', options.name)
  const ratio = numberOption(name, 'ratio', options.ratio ?? 0.2, { max: 1_000 })
  const minPerSecond = numberOption(name, 'minPerSecond', options.minPerSecond ?? 10, { max: 1e9 })
  const ttlMs = durationMs(name, 'ttl', options.ttl ?? '10s', { min: 1, max: 86_400_000 })
  return new RateBudget(name, options.clock ?? systemClock, ratio, minPerSecond, ttlMs)
}

/** A call counts for this many slices of the ttl, the one that is running included: never longer than the ttl. */
const callSlices = 20
/** A retry counts for one slice more: never shorter than the ttl. */
const retrySlices = callSlices + 1

/** Needs no state per call: every call of it is the budget itself. */
class RateBudget implements RetryBudget, RetryBudgetCall {
  readonly name: string
  private readonly clock: Clock
  private readonly ratio: number
  private readonly reserve: number
  private readonly sliceMs: number
  private readonly startedAt: number
  private readonly settings: Readonly<Record<string, unknown>>
  private readonly calls = new Float64Array(retrySlices)
  private readonly retries = new Float64Array(retrySlices)
  private callsTotal = 0
  private retriesTotal = 0
  /** Number of the running slice, counted from `startedAt`. */
  private slice = 0
  private granted = 0
  private exhausted = 0

  constructor(name: string, clock: Clock, ratio: number, minPerSecond: number, ttlMs: number) {
    this.name = name
    this.clock = clock
    this.ratio = ratio
    this.reserve = (minPerSecond * ttlMs) / 1_000
    this.sliceMs = ttlMs / callSlices
    this.startedAt = clock.now()
    this.settings = { kind: 'retry-budget', name, ratio, minPerSecond, ttlMs }
  }

  begin(): RetryBudgetCall {
    this.turn()
    this.calls[this.slice % retrySlices]! += 1
    this.callsTotal++
    return this
  }

  tryRetry(): boolean {
    this.turn()
    if (this.available() < 1) {
      this.exhausted++
      return false
    }
    this.retries[this.slice % retrySlices]! += 1
    this.retriesTotal++
    this.granted++
    return true
  }

  end(): void {
    // a call counts until its slice leaves the window, not until it is over
  }

  status(): RetryBudgetStatus {
    this.turn()
    return { name: this.name, available: this.available(), granted: this.granted, exhausted: this.exhausted }
  }

  describe(): Readonly<Record<string, unknown>> {
    return this.settings
  }

  private available(): number {
    const balance = this.reserve + this.ratio * this.callsTotal - this.retriesTotal
    return Math.max(0, Math.floor(balance + 1e-9)) // 0.29 · 100 is a little less than 29
  }

  /** Forgets what has become too old. A clock that steps back forgets nothing. */
  private turn(): void {
    const current = Math.floor((this.clock.now() - this.startedAt) / this.sliceMs)
    if (current <= this.slice) return
    for (let slice = Math.max(this.slice + 1, current - retrySlices); slice <= current; slice++) {
      const oldestCalls = (slice + 1) % retrySlices // those of slice - callSlices
      this.callsTotal -= this.calls[oldestCalls] as number
      this.calls[oldestCalls] = 0
      const oldestRetries = slice % retrySlices // those of slice - retrySlices
      this.retriesTotal -= this.retries[oldestRetries] as number
      this.retries[oldestRetries] = 0
    }
    this.slice = current
  }
}
