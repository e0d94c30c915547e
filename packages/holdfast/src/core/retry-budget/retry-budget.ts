import { systemClock, type Clock } from '../clock.ts'
import { durationMs, type Duration } from '../duration.ts'
import { checkOptionNames, nameOption, numberOption } from '../options.ts'

/** Shared by the retries (and hedges) of one dependency, so that they cannot multiply an outage. */
export interface RetryBudget {
  readonly name: string
  /** A call begins. {@link RetryBudgetCall.end} of the answer is called once when the call is over, however it ends. */
  begin(): RetryBudgetCall
  status(): RetryBudgetStatus
  describe(): Readonly<Record<string, unknown>>
}

export interface RetryBudgetCall {
  /**
   * Leave for one more attempt.
   * @param beside Attempts of the same call that it would run beside. @defaultValue 0
   */
  tryRetry(beside?: number): boolean
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

/** What may change while a budget is in use. */
export type RetryBudgetSettings = Omit<RetryBudgetOptions, 'name' | 'clock'>

/** A budget that {@link retryBudget} made. */
export interface RateRetryBudget extends RetryBudget {
  /**
   * Puts other settings into force; what is left out is as if it had been left out at first. Calls and retries of the last `ttl` stay
   * counted.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: RetryBudgetSettings): void
}

const settingNames = ['ratio', 'minPerSecond', 'ttl'] as const

/**
 * Each call of the last `ttl` allows `ratio` retries, on top of `minPerSecond`: over any `ttl`, an outage meets at most 1 + ratio
 * attempts per call, plus the reserve of minPerSecond · ttl. Design: Finagle's RetryBudget; retries are remembered a little
 * longer than calls, so that the reserve cannot be spent twice within one ttl.
 * @example `const budget = retryBudget({ ratio: 0.1 }); const search = retry({ budget })`
 */
export function retryBudget(options: RetryBudgetOptions = {}): RateRetryBudget {
  checkOptionNames('retryBudget', options, [...settingNames, 'name', 'clock'])
  const name = nameOption('retry-budget', options.name)
  return new RateBudget(name, options.clock ?? systemClock, budgetRules(name, options))
}

interface BudgetRules {
  readonly ratio: number
  readonly minPerSecond: number
  readonly ttlMs: number
}

function budgetRules(name: string, options: RetryBudgetSettings): BudgetRules {
  return {
    ratio: numberOption(name, 'ratio', options.ratio ?? 0.2, { max: 1_000 }),
    minPerSecond: numberOption(name, 'minPerSecond', options.minPerSecond ?? 10, { max: 1e9 }),
    ttlMs: durationMs(name, 'ttl', options.ttl ?? '10s', { min: 1, max: 86_400_000 }),
  }
}

/** A call counts for this many slices of the ttl, the one that is running included: never longer than the ttl. */
const callSlices = 20
/** A retry counts for one slice more: never shorter than the ttl. */
const retrySlices = callSlices + 1

/** Needs no state per call: every call of it is the budget itself. */
class RateBudget implements RateRetryBudget, RetryBudgetCall {
  readonly name: string
  private readonly clock: Clock
  private ratio: number
  private reserve: number
  private sliceMs: number
  private startedAt: number
  private settings: Readonly<Record<string, unknown>>
  private calls: Float64Array = new Float64Array(retrySlices)
  private retries: Float64Array = new Float64Array(retrySlices)
  private callsTotal = 0
  private retriesTotal = 0
  /** Number of the running slice, counted from `startedAt`. */
  private slice = 0
  private granted = 0
  private exhausted = 0

  constructor(name: string, clock: Clock, { ratio, minPerSecond, ttlMs }: BudgetRules) {
    this.name = name
    this.clock = clock
    this.ratio = ratio
    this.reserve = (minPerSecond * ttlMs) / 1_000
    this.sliceMs = ttlMs / callSlices
    this.startedAt = clock.now()
    this.settings = { kind: 'retry-budget', name, ratio, minPerSecond, ttlMs }
  }

  reconfigure(settings: RetryBudgetSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    const { ratio, minPerSecond, ttlMs } = budgetRules(this.name, settings)
    this.ratio = ratio
    this.reserve = (minPerSecond * ttlMs) / 1_000
    this.settings = { kind: 'retry-budget', name: this.name, ratio, minPerSecond, ttlMs }
    if (ttlMs / callSlices !== this.sliceMs) this.reslice(ttlMs / callSlices)
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

  /** Slices of another length, which hold what is not too old for them. */
  private reslice(sliceMs: number): void {
    this.turn()
    const { slice } = this
    // in doubt a call is forgotten earlier, and a retry later
    const movedTo = (counts: Float64Array, kept: number, newAgeOf: (ageMs: number) => number): Float64Array => {
      const moved = new Float64Array(retrySlices)
      for (let age = 0; age < kept; age++) {
        const newAge = newAgeOf(age * this.sliceMs)
        if (newAge < kept) moved[retrySlices - 1 - newAge]! += counts[(slice - age + retrySlices) % retrySlices] as number
      }
      return moved
    }
    this.calls = movedTo(this.calls, callSlices, (ageMs) => Math.ceil((ageMs + this.sliceMs) / sliceMs))
    this.retries = movedTo(this.retries, retrySlices, (ageMs) => Math.floor(ageMs / sliceMs))
    this.callsTotal = sumOf(this.calls)
    this.retriesTotal = sumOf(this.retries)
    this.slice = retrySlices - 1
    this.sliceMs = sliceMs
    this.startedAt = this.clock.now() - this.slice * sliceMs
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

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
