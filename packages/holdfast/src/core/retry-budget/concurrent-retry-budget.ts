import { checkOptionNames, integerOption, nameOption, ratioOption } from '../options.ts'
import type { RetryBudget, RetryBudgetCall, RetryBudgetStatus } from './retry-budget.ts'

export interface ConcurrentRetryBudgetOptions {
  /** Share of the calls in flight that may be retries, 0..1. @defaultValue 0.2 */
  readonly maxRatio?: number
  /** Concurrent retries that are always allowed. @defaultValue 3 */
  readonly minConcurrency?: number
  /** @defaultValue 'retry-budget' */
  readonly name?: string
}

/** What may change while a budget is in use. */
export type ConcurrentRetryBudgetSettings = Omit<ConcurrentRetryBudgetOptions, 'name'>

/** A budget that {@link concurrentRetryBudget} made. */
export interface ConcurrentRetryBudget extends RetryBudget {
  /**
   * Puts other settings into force; what is left out is as if it had been left out at first. Calls in flight stay counted.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: ConcurrentRetryBudgetSettings): void
}

const settingNames = ['maxRatio', 'minConcurrency'] as const

/**
 * Limits how many of the calls in flight are retries, their back-off included: at most `maxRatio` of them, and never fewer than
 * `minConcurrency`. Design: Envoy's and failsafe-go's retry budgets.
 * @example `retry({ budget: concurrentRetryBudget({ maxRatio: 0.1 }) })`
 */
export function concurrentRetryBudget(options: ConcurrentRetryBudgetOptions = {}): ConcurrentRetryBudget {
  checkOptionNames('concurrentRetryBudget', options, [...settingNames, 'name'])
  const name = nameOption('retry-budget', options.name)
  return new ConcurrencyBudget(name, budgetRules(name, options))
}

interface BudgetRules {
  readonly maxRatio: number
  readonly minConcurrency: number
}

function budgetRules(name: string, options: ConcurrentRetryBudgetSettings): BudgetRules {
  return {
    maxRatio: ratioOption(name, 'maxRatio', options.maxRatio ?? 0.2),
    minConcurrency: integerOption(name, 'minConcurrency', options.minConcurrency ?? 3),
  }
}

class ConcurrencyBudget implements ConcurrentRetryBudget {
  readonly name: string
  private rules: BudgetRules
  inFlight = 0
  retrying = 0
  granted = 0
  exhausted = 0

  constructor(name: string, rules: BudgetRules) {
    this.name = name
    this.rules = rules
  }

  reconfigure(settings: ConcurrentRetryBudgetSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.rules = budgetRules(this.name, settings)
  }

  begin(): RetryBudgetCall {
    this.inFlight++
    return new ConcurrencyBudgetCall(this)
  }

  status(): RetryBudgetStatus {
    return { name: this.name, available: Math.max(0, this.limit() - this.retrying), granted: this.granted, exhausted: this.exhausted }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { kind: 'concurrent-retry-budget', name: this.name, ...this.rules }
  }

  limit(): number {
    return Math.max(this.rules.minConcurrency, Math.floor(this.inFlight * this.rules.maxRatio))
  }
}

/** One place serves all the retries of a call that follow one another; hedges, which run beside others, need one each. */
class ConcurrencyBudgetCall implements RetryBudgetCall {
  private readonly budget: ConcurrencyBudget
  private places = 0
  private over = false

  constructor(budget: ConcurrencyBudget) {
    this.budget = budget
  }

  tryRetry(beside = 0): boolean {
    const { budget } = this
    if (this.over) return false
    if (this.places < Math.max(1, beside)) {
      if (budget.retrying >= budget.limit()) {
        budget.exhausted++
        return false
      }
      this.places++
      budget.retrying++
    }
    budget.granted++
    return true
  }

  end(): void {
    if (this.over) return
    this.over = true
    this.budget.inFlight--
    this.budget.retrying -= this.places
  }
}
