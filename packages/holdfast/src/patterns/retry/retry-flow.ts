import type { Call, CallState } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { deadlineHeap, type DeadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import type { EventHub } from '../../core/events.ts'
import type { Flow, Layer, Sink } from '../../core/layer.ts'
import { runSoon } from '../../core/microtasks.ts'
import { isRefusal, toError } from '../../core/refusal.ts'
import type { Backoff, Delays } from './backoff.ts'
import type { RetryBudget, RetryBudgetCall } from './budget.ts'
import { wasNeverSent } from './classify.ts'
import { discard } from './discard.ts'
import { serverHint } from './retry-after.ts'
import type { RetryEvent, RetryNotice, RetryStatistics } from './retry.ts'

export interface RetrySettings {
  readonly name: string
  readonly clock: Clock
  readonly maxAttempts: number
  readonly backoff: Backoff
  readonly maxElapsedMs: number
  readonly minRemainingMs: number
  readonly maxRetryAfterMs: number
  readonly isWorthIt: (error: unknown) => boolean
  readonly isUnwanted: ((value: unknown) => boolean) | undefined
  readonly onRetry: ((notice: RetryNotice) => void) | undefined
  readonly budget: RetryBudget | undefined
  readonly idempotent: boolean | ((call: Call) => boolean)
  readonly retryRefusals: boolean
}

/** The settings of one retry policy at work, with its totals. */
export class RetryFlow implements Flow {
  readonly kind = 'flow' as const
  readonly settings: RetrySettings
  readonly events: EventHub<RetryEvent>
  readonly heap: DeadlineHeap
  calls = 0
  retries = 0
  delaySumMs = 0
  succeededLater = 0
  failedLater = 0
  budgetExhausted = 0
  waiting = 0

  constructor(settings: RetrySettings, events: EventHub<RetryEvent>) {
    this.settings = settings
    this.events = events
    this.heap = deadlineHeap(settings.clock)
  }

  start(next: Layer, call: Call, out: Sink): void {
    this.calls++
    new RetryRun(this, next, call as CallState, out).begin()
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
      averageDelayMs: this.retries === 0 ? null : this.delaySumMs / this.retries,
      budgetExhausted: this.budgetExhausted,
      waiting: this.waiting,
    }
  }

  report(callback: string, error: unknown): void {
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'retry.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }
}

/** One call and its attempts. */
class RetryRun implements Sink, HeapNode {
  readonly flow: RetryFlow
  readonly next: Layer
  readonly call: CallState
  readonly out: Sink
  dueAt = 0
  place = -1
  private attempt: CallState
  private number = 1
  private startedAt = 0
  private delays: Delays | undefined = undefined
  private delayMs = 0
  private over = false
  private budgetCall: RetryBudgetCall | undefined = undefined

  constructor(flow: RetryFlow, next: Layer, call: CallState, out: Sink) {
    this.flow = flow
    this.next = next
    this.call = call
    this.out = out
    this.attempt = call.child(1, call.deadlineAt, flow.settings.isUnwanted !== undefined)
  }

  begin(): void {
    const { budget, maxElapsedMs, clock } = this.flow.settings
    if (maxElapsedMs !== Infinity) this.startedAt = clock.now()
    if (budget !== undefined) this.budgetCall = budget.begin()
    this.next.start(this.attempt, this)
  }

  settle(ok: boolean, value: unknown): void {
    if (ok ? !this.isUnwanted(value) : !this.isWorthRepeating(value)) {
      this.end(ok, value)
      return
    }
    const delayMs = this.delayBefore(ok, value)
    if (delayMs === undefined) {
      this.giveUp(ok, value)
      return
    }
    if (this.budgetCall !== undefined && !this.budgetCall.tryRetry()) {
      this.reportBudget(ok, value)
      this.end(ok, value)
      return
    }
    if (ok) {
      discard(value)
      this.attempt.cancel(new DOMException('the result was not accepted', 'AbortError'))
    }
    this.wait(delayMs, ok ? undefined : toError(value))
  }

  /** There is no delay. */
  proceed(): void {
    if (!this.over) this.expire()
  }

  /** The delay is over. */
  expire(): void {
    this.flow.waiting--
    if (this.call.cancellable) this.call.offCancel(this)
    this.attempt = this.call.child(this.number, this.call.deadlineAt, this.flow.settings.isUnwanted !== undefined)
    this.next.start(this.attempt, this)
  }

  cancel(reason: unknown): void {
    this.flow.waiting--
    this.flow.heap.remove(this)
    this.end(false, reason)
  }

  private isUnwanted(value: unknown): boolean {
    const { isUnwanted } = this.flow.settings
    if (isUnwanted === undefined || this.call.final) return false
    try {
      return isUnwanted(value)
    } catch (error) {
      this.flow.report('retryOnResult', error)
      return false
    }
  }

  private isWorthRepeating(value: unknown): boolean {
    const { settings } = this.flow
    if (this.call.final || this.call.cancelled !== undefined) return false
    if (isRefusal(value)) return settings.retryRefusals
    try {
      if (!settings.isWorthIt(value)) return false
    } catch (error) {
      this.flow.report('retryOn', error)
      return false
    }
    return this.call.key !== undefined || this.isIdempotent() || wasNeverSent(value)
  }

  private isIdempotent(): boolean {
    const { idempotent } = this.flow.settings
    if (typeof idempotent === 'boolean') return idempotent
    try {
      return idempotent(this.call)
    } catch (error) {
      this.flow.report('idempotent', error)
      return false
    }
  }

  /** Milliseconds to wait before the next attempt; undefined when there must be none. */
  private delayBefore(ok: boolean, value: unknown): number | undefined {
    const { settings } = this.flow
    if (this.number >= settings.maxAttempts) return undefined
    const hint = serverHint(value, settings.clock.wallNow())
    if (hint?.never === true) return undefined
    const hintMs = hint?.afterMs ?? 0
    if (hintMs > settings.maxRetryAfterMs) return undefined
    const delayMs = Math.max(hintMs, this.nextBackoff(ok ? undefined : value))
    const leftMs = this.leftMs()
    if (leftMs === Infinity) return delayMs
    const latestMs = leftMs - settings.minRemainingMs
    if (latestMs < 0 || latestMs < hintMs) return undefined
    return Math.min(delayMs, latestMs)
  }

  /** Time for further attempts: what the caller's deadline and `maxElapsed` leave. */
  private leftMs(): number {
    const { maxElapsedMs, clock } = this.flow.settings
    if (maxElapsedMs === Infinity && this.call.deadlineAt === Infinity) return Infinity
    const now = clock.now()
    return Math.min(this.call.deadlineAt - now, this.startedAt + maxElapsedMs - now)
  }

  private nextBackoff(error: unknown): number {
    const { settings } = this.flow
    this.delays ??= settings.backoff.delays()
    try {
      return this.delays.next({ attempt: this.number, error: toError(error), previousDelayMs: this.delayMs })
    } catch (failure) {
      this.flow.report('backoff', failure)
      return settings.backoff.maxDelayMs
    }
  }

  private wait(delayMs: number, error: unknown): void {
    const { flow } = this
    const { clock, name, onRetry } = flow.settings
    this.number++
    this.delayMs = delayMs
    flow.retries++
    flow.delaySumMs += delayMs
    flow.waiting++
    this.dueAt = clock.now() + delayMs
    if (delayMs > 0) flow.heap.add(this)
    else runSoon(this)
    if (this.call.cancellable) this.call.onCancel(this)
    if (flow.events.active) {
      flow.events.emit({ type: 'retry.scheduled', policy: name, at: clock.wallNow(), attempt: this.number, delayMs, error })
    }
    if (onRetry === undefined) return
    try {
      onRetry({ attempt: this.number, delayMs, error })
    } catch (failure) {
      flow.report('onRetry', failure)
    }
  }

  private giveUp(ok: boolean, value: unknown): void {
    const { events, settings } = this.flow
    if (this.number > 1 && events.active) {
      const error = ok ? undefined : toError(value)
      events.emit({ type: 'retry.exhausted', policy: settings.name, at: settings.clock.wallNow(), attempts: this.number, error })
    }
    this.end(ok, value)
  }

  private reportBudget(ok: boolean, value: unknown): void {
    const { events, settings } = this.flow
    this.flow.budgetExhausted++
    if (!events.active || settings.budget === undefined) return
    const error = ok ? undefined : toError(value)
    events.emit({ type: 'retry.budget-exhausted', policy: settings.name, at: settings.clock.wallNow(), budget: settings.budget.name, error })
  }

  private end(ok: boolean, value: unknown): void {
    this.over = true
    if (this.number > 1) {
      if (ok) this.flow.succeededLater++
      else this.flow.failedLater++
    }
    this.budgetCall?.end()
    this.attempt.close()
    this.out.settle(ok, value)
  }
}
