import type { CallState } from '../../core/call.ts'
import type { HeapNode } from '../../core/deadline-heap.ts'
import type { Layer, Sink } from '../../core/layer.ts'
import { runSoon } from '../../core/microtasks.ts'
import { toError } from '../../core/refusal.ts'
import type { Delays } from './backoff.ts'
import type { RetryBudgetCall } from '../../core/retry-budget/retry-budget.ts'
import { discard } from '../../core/discard.ts'
import { serverHint } from './retry-after.ts'
import type { RetryFlow, RetryRules } from './retry-flow.ts'

/** After so many attempts of one call, one without a delay is a timer's as well, so that the event loop is not starved. */
const attemptsPerTurn = 100

/** One call and its attempts. */
export class RetryRun implements Sink, HeapNode {
  readonly flow: RetryFlow
  readonly rules: RetryRules
  readonly next: Layer
  readonly call: CallState
  readonly out: Sink
  dueAt = 0
  place = -1
  private attempt: CallState
  /** Attempts begun. */
  private made = 1
  private startedAt = 0
  private delays: Delays | undefined = undefined
  private delayMs = 0
  /** The delay was cut to what the time limits leave: the attempt after it is the last. */
  private cut = false
  /** What the last attempt failed with; absent when its result was not accepted. */
  private failure: { readonly error: unknown } | undefined = undefined
  private over = false
  private budgetCall: RetryBudgetCall | undefined = undefined

  /** `attempt`: the first, if it has been made. */
  constructor(flow: RetryFlow, rules: RetryRules, next: Layer, call: CallState, out: Sink, attempt?: CallState) {
    this.flow = flow
    this.rules = rules
    this.next = next
    this.call = call
    this.out = out
    this.attempt = attempt ?? this.newAttempt()
  }

  begin(): void {
    const { budget, maxElapsedMs, clock } = this.rules
    if (maxElapsedMs !== Infinity) this.startedAt = clock.now()
    if (budget !== undefined) this.budgetCall = budget.begin()
    this.next.start(this.attempt, this)
  }

  settle(ok: boolean, value: unknown): void {
    if (!this.flow.isRepeatable(this.rules, this.call, ok, value)) {
      this.end(ok, value)
      return
    }
    const delayMs = this.delayBefore(ok, value)
    if (delayMs === undefined) this.giveUp(ok, value)
    else if (this.budgetCall !== undefined && !this.budgetCall.tryRetry()) this.refuse(ok, value)
    else this.wait(delayMs, ok, value)
  }

  /** There is no delay. */
  proceed(): void {
    if (!this.over) this.expire()
  }

  /** The delay is over. */
  expire(): void {
    const { flow, failure } = this
    flow.waiting--
    if (this.call.cancellable) this.call.offCancel(this)
    if (failure !== undefined && this.leftMs() < 0) {
      this.giveUp(false, failure.error) // the timer came late
      return
    }
    if (failure !== undefined) discard(failure.error) // it may carry what has to be closed, a response say
    this.made++
    flow.retries++
    flow.delaySumMs += this.delayMs
    flow.longestDelayMs = Math.max(flow.longestDelayMs, this.delayMs)
    this.attempt = this.newAttempt()
    this.next.start(this.attempt, this)
  }

  cancel(reason: unknown): void {
    this.flow.waiting--
    this.flow.heap.remove(this)
    if (this.failure !== undefined) discard(this.failure.error)
    this.end(false, reason)
  }

  private newAttempt(): CallState {
    return this.call.child(this.made, this.call.deadlineAt, this.rules.isUnwanted !== undefined)
  }

  /** Milliseconds to wait before the next attempt; undefined when there must be none. */
  private delayBefore(ok: boolean, value: unknown): number | undefined {
    const { rules } = this
    if (this.made >= rules.maxAttempts || this.cut) return undefined
    const hint = serverHint(value, rules.clock.wallNow())
    if (hint?.never === true) return undefined
    const hintMs = hint?.afterMs ?? 0
    if (hintMs > rules.maxRetryAfterMs) return undefined
    const delayMs = Math.max(hintMs, this.nextBackoff(ok ? undefined : toError(value)))
    const latestMs = this.leftMs() - rules.minRemainingMs
    if (latestMs < 0 || latestMs < hintMs) return undefined
    this.cut = latestMs < delayMs
    return Math.min(delayMs, latestMs)
  }

  /** Time for further attempts: what the caller's deadline and `maxElapsed` leave. */
  private leftMs(): number {
    const { maxElapsedMs, clock } = this.rules
    if (maxElapsedMs === Infinity && this.call.deadlineAt === Infinity) return Infinity
    return Math.min(this.call.deadlineAt, this.startedAt + maxElapsedMs) - clock.now()
  }

  private nextBackoff(error: unknown): number {
    const { backoff } = this.rules
    this.delays ??= backoff.delays()
    try {
      return this.delays.next({ attempt: this.made, error, previousDelayMs: this.delayMs })
    } catch (failure) {
      this.flow.report('backoff', failure)
      return backoff.maxDelayMs
    }
  }

  private wait(delayMs: number, ok: boolean, value: unknown): void {
    const { flow, call, attempt } = this
    if (ok) {
      discard(value)
      attempt.cancel(new DOMException('the result was not accepted', 'AbortError'))
    }
    attempt.close()
    const reason = call.cancelled
    if (reason !== undefined) {
      this.end(false, reason) // one of the user's functions made the caller give up
      return
    }
    const error = ok ? undefined : toError(value)
    this.failure = ok ? undefined : { error: value }
    this.delayMs = delayMs
    this.dueAt = this.rules.clock.now() + delayMs
    flow.waiting++
    if (delayMs > 0 || this.made % attemptsPerTurn === 0) flow.heap.add(this)
    else runSoon(this)
    if (call.cancellable) call.onCancel(this)
    flow.announce(this.rules, this.made + 1, delayMs, error)
  }

  /** Attempts or time are used up, or the server asked for no other attempt. */
  private giveUp(ok: boolean, value: unknown): void {
    const { events } = this.flow
    const { name, clock } = this.rules
    if (this.made > 1 && events.active) {
      const error = ok ? undefined : toError(value)
      events.emit({ type: 'retry.exhausted', policy: name, at: clock.wallNow(), attempts: this.made, error })
    }
    this.end(ok, value)
  }

  /** The budget allows no other attempt. */
  private refuse(ok: boolean, value: unknown): void {
    const { events } = this.flow
    const { name, clock } = this.rules
    this.flow.budgetExhausted++
    if (events.active) {
      const error = ok ? undefined : toError(value)
      const budget = this.rules.budget?.name ?? ''
      events.emit({ type: 'retry.budget-exhausted', policy: name, at: clock.wallNow(), budget, error })
    }
    this.end(ok, value)
  }

  private end(ok: boolean, value: unknown): void {
    this.over = true
    if (this.made > 1) {
      if (ok) this.flow.succeededLater++
      else this.flow.failedLater++
    }
    this.budgetCall?.end()
    this.attempt.close()
    this.out.settle(ok, value)
  }
}
