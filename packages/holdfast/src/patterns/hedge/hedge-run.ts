import { CallState } from '../../core/call.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { discard } from '../../core/discard.ts'
import { isHoldfastError } from '../../core/errors.ts'
import type { Layer, Sink } from '../../core/layer.ts'
import type { RetryBudgetCall } from '../../core/retry-budget/retry-budget.ts'
import { AttemptContexts } from './attempt-context.ts'
import type { HedgeFlow, HedgeRules } from './hedge-flow.ts'

/** One call, and its attempts side by side. */
export class HedgeRun implements HeapNode {
  dueAt = 0
  place = -1
  private readonly flow: HedgeFlow
  private readonly rules: HedgeRules
  private readonly next: Layer
  private readonly call: CallState
  private readonly out: Sink
  private readonly contexts: AttemptContexts | undefined
  private readonly running: HedgeAttempt[] = []
  private startedAt = 0
  /** Attempts begun. */
  private made = 0
  private over = false
  /** What the first attempt failed with, and what it has made of its context. */
  private failure: { readonly value: unknown; readonly context: unknown } | undefined = undefined
  private budgetCall: RetryBudgetCall | undefined = undefined

  constructor(flow: HedgeFlow, next: Layer, call: CallState, out: Sink) {
    this.flow = flow
    this.rules = flow.rules
    this.next = next
    this.call = call
    this.out = out
    this.contexts = AttemptContexts.of(call.context)
  }

  begin(): void {
    this.startedAt = this.rules.clock.now()
    this.budgetCall = this.rules.budget?.begin()
    if (this.call.cancellable) this.call.onCancel(this)
    this.startAttempt()
    this.scheduleNext()
  }

  /** The attempts so far have taken their time. */
  expire(): void {
    if (!this.startHedge()) return
    this.scheduleNext()
  }

  /** The caller has left. The attempts hear of it by themselves, and the last of them tells the caller. */
  cancel(): void {
    deadlineHeap(this.rules.clock).remove(this)
  }

  arrive(attempt: HedgeAttempt, ok: boolean, value: unknown): void {
    const { call, number } = attempt
    this.running.splice(this.running.indexOf(attempt), 1)
    if (this.over) {
      if (value !== call.cancelled) discard(value)
      call.close()
      return
    }
    if (number === 1 && (ok || isHoldfastError(value, 'ERR_TIMEOUT'))) this.learn(attempt)
    if (ok) this.win(attempt, value)
    else this.lose(number, call, value)
  }

  private win(attempt: HedgeAttempt, value: unknown): void {
    const { flow, rules } = this
    if (attempt.number > 1) {
      flow.won++
      if (flow.events.active)
        flow.events.emit({ type: 'hedge.won', policy: rules.name, at: rules.clock.wallNow(), attempt: attempt.number })
    }
    this.end()
    if (this.failure !== undefined) discard(this.failure.value)
    this.contexts?.keep(attempt.call.context)
    const losers = this.running.slice() // they leave the list as they are cancelled
    for (const loser of losers) {
      if (loser.number === 1) this.learn(loser)
      loser.call.cancel(new DOMException('another attempt has answered first', 'AbortError'))
    }
    attempt.call.close()
    this.out.settle(true, value)
  }

  private lose(number: number, call: CallState, failure: unknown): void {
    if (number === 1) this.failure = { value: failure, context: call.context }
    else if (failure !== call.cancelled) discard(failure) // it may carry what has to be closed, a response say
    call.close()
    if (this.flow.startsNext(this.rules, failure) && this.startHedge()) this.scheduleNext()
    if (this.running.length > 0 || this.over) return
    const reason = this.call.cancelled
    this.end()
    if (reason === undefined) {
      const first = this.failure as NonNullable<typeof this.failure>
      this.contexts?.keep(first.context)
      this.out.settle(false, first.value)
    } else this.out.settle(false, reason)
  }

  /**
   * Only first attempts are representative of all calls: later ones are started just where the first was slow, and those of them
   * that have ended are the quick ones. The first of a call that another one overtook took longer than the delay, which is all that
   * the percentile asks.
   */
  private learn({ startedAt }: HedgeAttempt): void {
    this.flow.learn(this.rules.clock.now() - startedAt)
  }

  /** Whether one more attempt was started. */
  private startHedge(): boolean {
    const { flow, rules, call } = this
    if (this.made > rules.maxHedges || this.over || call.cancelled !== undefined) return false
    if (!flow.mayBeDoneTwice(rules, call) || call.remainingMs() < rules.minRemainingMs) return false
    const attempt = this.made + 1
    const { name, clock, budget } = rules
    if (this.budgetCall !== undefined && !this.budgetCall.tryRetry(this.running.length)) {
      flow.suppressed++
      if (flow.events.active)
        flow.events.emit({ type: 'hedge.suppressed', policy: name, at: clock.wallNow(), attempt, budget: budget?.name ?? '' })
      return false
    }
    flow.hedges++
    if (flow.events.active) {
      const afterMs = clock.now() - this.startedAt
      flow.events.emit({ type: 'hedge.started', policy: name, at: clock.wallNow(), attempt, afterMs })
    }
    this.startAttempt()
    return true
  }

  private startAttempt(): void {
    this.made++
    const { call, contexts } = this
    const invocation = contexts === undefined ? call.invocation : { ...call.invocation, context: contexts.copy() }
    const inner = new CallState(call.run, invocation, call, this.made, call.deadlineAt, true)
    const attempt = new HedgeAttempt(this, inner, this.made, this.rules.clock.now())
    this.running.push(attempt)
    this.next.start(inner, attempt)
  }

  private scheduleNext(): void {
    const heap = deadlineHeap(this.rules.clock)
    heap.remove(this)
    if (this.over || this.made > this.rules.maxHedges || this.call.cancelled !== undefined) return
    const delayMs = this.flow.delayBefore(this.made + 1)
    if (delayMs === undefined) return
    if (delayMs === 0) {
      this.expire()
      return
    }
    this.dueAt = this.rules.clock.now() + delayMs
    heap.add(this)
  }

  private end(): void {
    this.over = true
    deadlineHeap(this.rules.clock).remove(this)
    if (this.call.cancellable) this.call.offCancel(this)
    this.budgetCall?.end()
  }
}

/** One of the attempts of a call. */
class HedgeAttempt implements Sink {
  readonly call: CallState
  readonly number: number
  readonly startedAt: number
  private readonly run: HedgeRun

  constructor(run: HedgeRun, call: CallState, number: number, startedAt: number) {
    this.run = run
    this.call = call
    this.number = number
    this.startedAt = startedAt
  }

  settle(ok: boolean, value: unknown): void {
    this.run.arrive(this, ok, value)
  }
}
