import { checkOptionNames, integerOption, nameOption, ratioOption } from '../../core/options.ts'
import type { RetryBudget, RetryBudgetCall, RetryBudgetStatus } from './budget.ts'

export interface ConcurrentRetryBudgetOptions {
  /** Share of the calls in flight that may be retries, 0..1. @defaultValue 0.2 */
  readonly maxRatio?: number
  /** Concurrent retries that are always allowed. @defaultValue 3 */
  readonly minConcurrency?: number
  /** @defaultValue 'retry-budget' */
  readonly name?: string
}

/**
 * Limits how many of the calls in flight are retries, their back-off included: at most `maxRatio` of them, and never fewer than
 * `minConcurrency`. Design: Envoy's and failsafe-go's retry budgets.
 * @example `retry({ budget: concurrentRetryBudget({ maxRatio: 0.1 }) })`
 */
export function concurrentRetryBudget(options: ConcurrentRetryBudgetOptions = {}): RetryBudget {
  checkOptionNames('concurrentRetryBudget', options, ['maxRatio', 'minConcurrency', 'name'])
  const name = nameOption('retry-budget', options.name)
  const maxRatio = ratioOption(name, 'maxRatio', options.maxRatio ?? 0.2)
  const minConcurrency = integerOption(name, 'minConcurrency', options.minConcurrency ?? 3)
  return new ConcurrencyBudget(name, maxRatio, minConcurrency)
}

class ConcurrencyBudget implements RetryBudget {
  readonly name: string
  readonly maxRatio: number
  readonly minConcurrency: number
  inFlight = 0
  retrying = 0
  granted = 0
  exhausted = 0

  constructor(name: string, maxRatio: number, minConcurrency: number) {
    this.name = name
    this.maxRatio = maxRatio
    this.minConcurrency = minConcurrency
  }

  begin(): RetryBudgetCall {
    this.inFlight++
    return new ConcurrencyBudgetCall(this)
  }

  status(): RetryBudgetStatus {
    return { name: this.name, available: Math.max(0, this.limit() - this.retrying), granted: this.granted, exhausted: this.exhausted }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { kind: 'concurrent-retry-budget', name: this.name, maxRatio: this.maxRatio, minConcurrency: this.minConcurrency }
  }

  limit(): number {
    return Math.max(this.minConcurrency, Math.floor(this.inFlight * this.maxRatio))
  }
}

/** One place serves all the retries of a call, since they follow one another. */
class ConcurrencyBudgetCall implements RetryBudgetCall {
  private readonly budget: ConcurrencyBudget
  private retrying = false
  private over = false

  constructor(budget: ConcurrencyBudget) {
    this.budget = budget
  }

  tryRetry(): boolean {
    const { budget } = this
    if (this.over) return false
    if (!this.retrying) {
      if (budget.retrying >= budget.limit()) {
        budget.exhausted++
        return false
      }
      this.retrying = true
      budget.retrying++
    }
    budget.granted++
    return true
  }

  end(): void {
    if (this.over) return
    this.over = true
    this.budget.inFlight--
    if (this.retrying) this.budget.retrying--
  }
}
