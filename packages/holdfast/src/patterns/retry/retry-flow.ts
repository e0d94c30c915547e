import type { Call, CallState } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { deadlineHeap, type DeadlineHeap } from '../../core/deadline-heap.ts'
import type { EventHub } from '../../core/events.ts'
import type { Layer, RelaxedFlow, Sink } from '../../core/layer.ts'
import { askPredicate, isThenable } from '../../core/predicate.ts'
import { isRefusal } from '../../core/refusal.ts'
import type { Backoff } from './backoff.ts'
import type { RetryBudget } from '../../core/retry-budget/retry-budget.ts'
import { wasNeverSent } from './classify.ts'
import { RetryRun } from './retry-run.ts'
import type { RetryEvent, RetryNotice, RetryStatistics } from './retry.ts'

export interface RetryRules {
  readonly name: string
  readonly clock: Clock
  readonly maxAttempts: number
  readonly backoff: Backoff
  readonly maxElapsedMs: number
  readonly minRemainingMs: number
  readonly maxRetryAfterMs: number
  readonly isWorthIt: (error: unknown) => boolean
  readonly isUnwanted: ((value: unknown) => boolean) | undefined
  readonly onRetry: ((notice: RetryNotice) => unknown) | undefined
  readonly budget: RetryBudget | undefined
  readonly idempotent: boolean | ((call: Call) => boolean)
  readonly retryRefusals: boolean
}

/** The settings of one retry policy at work, with its totals. */
export class RetryFlow implements RelaxedFlow<RetryRules> {
  readonly kind = 'flow' as const
  /** Of the calls to come; each call ends by those it began with. */
  settings: RetryRules
  readonly events: EventHub<RetryEvent>
  readonly heap: DeadlineHeap
  calls = 0
  retries = 0
  delaySumMs = 0
  longestDelayMs = 0
  succeededLater = 0
  failedLater = 0
  budgetExhausted = 0
  waiting = 0

  constructor(settings: RetryRules, events: EventHub<RetryEvent>) {
    this.settings = settings
    this.events = events
    this.heap = deadlineHeap(settings.clock)
  }

  start(next: Layer, call: Call, out: Sink): void {
    this.calls++
    new RetryRun(this, this.settings, next, call as CallState, out).begin()
  }

  startRelaxed(call: CallState): CallState | undefined {
    const { isUnwanted, budget, maxElapsedMs } = this.settings
    if (isUnwanted !== undefined || budget !== undefined || maxElapsedMs !== Infinity) return undefined
    this.calls++
    return call.child(1, call.deadlineAt, false)
  }

  resume(next: Layer, call: CallState, attempt: CallState, out: Sink, error: unknown, rules: RetryRules): void {
    new RetryRun(this, rules, next, call, out, attempt).settle(false, error)
  }

  /** Whether an answer is worth another attempt, and the work may be done again. */
  isRepeatable(rules: RetryRules, call: CallState, ok: boolean, value: unknown): boolean {
    const { isUnwanted, isWorthIt, retryRefusals } = rules
    if (ok && isUnwanted === undefined) return false
    if (call.final || call.cancelled !== undefined) return false
    if (ok) return this.ask('retryOnResult', isUnwanted as (value: unknown) => boolean, value) && this.mayBeDoneTwice(rules, call, value)
    if (isRefusal(value)) return retryRefusals
    return this.ask('retryOn', isWorthIt, value) && this.mayBeDoneTwice(rules, call, value)
  }

  private mayBeDoneTwice({ idempotent }: RetryRules, call: CallState, value: unknown): boolean {
    if (idempotent === true || call.idempotencyKey !== undefined) return true
    return (idempotent !== false && this.ask('idempotent', idempotent, call)) || this.ask('idempotent', wasNeverSent, value)
  }

  /** The answer of a user's predicate. One that throws, or that promises an answer, says no. */
  private ask<Input>(callback: string, predicate: (input: Input) => boolean, input: Input): boolean {
    try {
      return askPredicate(callback, predicate, input)
    } catch (error) {
      this.report(callback, error)
      return false
    }
  }

  /** Tells of an attempt that will be made after a delay. */
  announce({ name, clock, onRetry }: RetryRules, attempt: number, delayMs: number, error: unknown): void {
    if (this.events.active) this.events.emit({ type: 'retry.scheduled', policy: name, at: clock.wallNow(), attempt, delayMs, error })
    if (onRetry === undefined) return
    const failed = (failure: unknown): void => this.report('onRetry', failure)
    try {
      const answer = onRetry({ attempt, delayMs, error })
      if (isThenable(answer)) Promise.resolve(answer).catch(failed)
    } catch (failure) {
      failed(failure)
    }
  }

  report(callback: string, error: unknown): void {
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'retry.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }

  statistics(): RetryStatistics {
    const judged = this.succeededLater + this.failedLater
    return {
      kind: 'retry',
      name: this.settings.name,
      calls: this.calls,
      totalRetries: this.retries,
      successfulRetries: this.succeededLater,
      failedRetries: this.failedLater,
      successRate: judged === 0 ? null : this.succeededLater / judged,
      totalDelayMs: this.delaySumMs,
      averageDelayMs: this.retries === 0 ? null : this.delaySumMs / this.retries,
      longestDelayMs: this.retries === 0 ? null : this.longestDelayMs,
      budgetExhausted: this.budgetExhausted,
      waiting: this.waiting,
    }
  }
}
