import { listenAbort, unlistenAbort, type Abortable } from './abort-hub.ts'
import type { Clock } from './clock.ts'
import type { Refusal } from './refusal.ts'

export type Priority = 'low' | 'normal' | 'high' | 'critical'

/** How much of each limit a call uses: a number for the only (or first) limit, or one per named limit. */
export type Cost = number | Readonly<Record<string, number>>

/**
 * What the protected function receives, and what custom policies see of a call. Each attempt has its own.
 * Reading `signal` makes it (about 2 µs); a function that never reads it pays nothing.
 */
export interface Call {
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Tells one caller, tenant or idempotent operation from another; undefined when the caller gave none. */
  readonly key: string | undefined
  readonly priority: Priority
  readonly cost: Cost | undefined
  /** What the caller attached to the call. */
  readonly context: unknown
  /** Monotonic ms of the call's clock at which nobody waits any more; Infinity if none. */
  readonly deadlineAt: number
  /** Milliseconds until the deadline, 0 or more; Infinity if there is none. */
  remainingMs(): number
  /** Why the call was cancelled (the abort reason, or the timeout's error); undefined while it is not. */
  readonly cancelled: unknown
  readonly signal: AbortSignal
  /**
   * Says that the answer is not the end of the work: a streamed body, say. The caller has the answer at once; places are
   * given back and a success is judged when `ended` settles, and its rejection is a failure.
   */
  until(ended: PromiseLike<unknown>): void
  /** Forbids any further attempt: something was sent that must not be sent twice. */
  doNotRetry(): void
  /** Hears of a cancellation without an AbortSignal being made. The call must be taken back with {@link offCancel}. */
  onCancel(waiter: Abortable): void
  offCancel(waiter: Abortable): void
}

export interface ProtectedFunction {
  (call: Call): unknown
}

/** Hears whenever the last stream, or the last piece of abandoned work, of a call has ended. */
interface EndWaiter {
  ended(): void
}

/** A frame of gates that holds permits for a call which may still wait further inside. */
export interface EnclosingFrame {
  /** The refusal of the first permit that is no longer valid, looking outwards. */
  staleRefusal(): Refusal | undefined
}

/** The one implementation of {@link Call}. A policy that starts attempts makes children of the call it was given. */
export class CallState implements Call {
  readonly run: ProtectedFunction
  readonly parent: CallState | undefined
  readonly clock: Clock
  readonly key: string | undefined
  readonly priority: Priority
  readonly cost: Cost | undefined
  readonly context: unknown
  readonly attempt: number
  readonly deadlineAt: number
  /** The caller's signal; on the outermost call only. */
  readonly callerSignal: AbortSignal | undefined
  /** Whether this very call, not one outside it, can be cancelled by a policy. */
  readonly ownsCancel: boolean
  /** Whether anything at all can cancel it. */
  readonly cancellable: boolean
  /** Set once an attempt sent what must not be sent twice. */
  final = false
  /** The innermost frame of gates around this call. */
  frame: EnclosingFrame | undefined
  /** Answers whose bodies go on. A success is judged when none is left. */
  streaming = 0
  /** Pieces of work that go on although nobody waits for them. Places are given back when none is left and nothing streams. */
  abandoned = 0
  /** How a body that went on after the answer failed. */
  bodyFailure: { readonly error: unknown } | undefined = undefined

  private reason: unknown = undefined
  private controller: AbortController | undefined = undefined
  private waiters: Abortable | Set<Abortable> | undefined = undefined
  private linked = false
  private closed = false
  private answer: 'pending' | 'success' | 'failure' = 'pending'
  /** How many of `streaming` are of this very call. */
  private bodies = 0
  private endWaiters: EndWaiter[] | undefined = undefined

  constructor(
    run: ProtectedFunction,
    parent: CallState | undefined,
    clock: Clock,
    key: string | undefined,
    priority: Priority,
    cost: Cost | undefined,
    context: unknown,
    attempt: number,
    deadlineAt: number,
    callerSignal: AbortSignal | undefined,
    ownsCancel: boolean,
  ) {
    this.run = run
    this.parent = parent
    this.clock = clock
    this.key = key
    this.priority = priority
    this.cost = cost
    this.context = context
    this.attempt = attempt
    this.deadlineAt = deadlineAt
    this.callerSignal = callerSignal
    this.ownsCancel = ownsCancel
    this.cancellable = ownsCancel || callerSignal !== undefined || (parent !== undefined && parent.cancellable)
    this.frame = parent === undefined ? undefined : parent.frame
  }

  /** A call inside this one: another attempt, a shorter deadline, a cancellation of its own. */
  child(attempt: number, deadlineAt: number, ownsCancel: boolean): CallState {
    return new CallState(this.run, this, this.clock, this.key, this.priority, this.cost, this.context, attempt, deadlineAt, undefined, ownsCancel)
  }

  remainingMs(): number {
    if (this.deadlineAt === Infinity) return Infinity
    return Math.max(0, this.deadlineAt - this.clock.now())
  }

  get cancelled(): unknown {
    if (this.reason !== undefined) return this.reason
    if (this.parent !== undefined) return this.parent.cancelled
    return this.callerSignal?.aborted === true ? this.callerSignal.reason : undefined
  }

  get signal(): AbortSignal {
    if (this.controller !== undefined) return this.controller.signal
    if (!this.ownsCancel) {
      if (this.parent !== undefined) return this.parent.signal
      if (this.callerSignal !== undefined) return this.callerSignal
    }
    this.controller = new AbortController()
    const reason = this.cancelled
    if (reason !== undefined) this.controller.abort(reason)
    else this.link()
    return this.controller.signal
  }

  onCancel(waiter: Abortable): void {
    if (this.waiters === undefined) {
      this.waiters = waiter
      this.link()
    } else if (this.waiters instanceof Set) this.waiters.add(waiter)
    else this.waiters = new Set([this.waiters, waiter])
  }

  offCancel(waiter: Abortable): void {
    if (this.waiters === waiter) this.waiters = undefined
    else if (this.waiters instanceof Set) {
      this.waiters.delete(waiter)
      if (this.waiters.size === 0) this.waiters = undefined
    } else return
    if (this.waiters === undefined && (this.controller === undefined || this.closed)) this.unlink()
  }

  /** Cancels this call and all inside it. Waiters hear of it before the signal's listeners do. */
  cancel(reason: unknown): void {
    if (this.reason !== undefined) return
    this.reason = reason
    const { waiters } = this
    this.waiters = undefined
    this.unlink()
    if (waiters instanceof Set) for (const waiter of waiters) waiter.cancel(reason)
    else if (waiters !== undefined) waiters.cancel(reason)
    this.controller?.abort(reason)
  }

  /** Whether work goes on after the answer. */
  get open(): boolean {
    return this.streaming > 0 || this.abandoned > 0
  }

  /** Says that the call has been answered: nothing outside needs to reach it once its work has ended as well. */
  close(): void {
    if (this.open) this.whenEnded(this)
    else this.ended()
  }

  /** The work behind a closed call may have ended. */
  ended(): void {
    if (this.open) {
      this.whenEnded(this)
      return
    }
    this.closed = true
    if (this.waiters === undefined) this.unlink()
  }

  until(ended: PromiseLike<unknown>): void {
    const abandoned = this.answer === 'failure'
    if (abandoned) this.hold()
    else {
      this.bodies++
      this.addStreams(1)
    }
    Promise.resolve(ended).then(
      () => this.bodyEnded(abandoned),
      (error: unknown) => {
        if (this.answer !== 'failure' && this.bodyFailure === undefined) {
          this.bodyFailure = { error }
          if (this.answer === 'success') this.passBodyFailure()
        }
        this.bodyEnded(abandoned)
      },
    )
  }

  doNotRetry(): void {
    for (let call: CallState | undefined = this; call !== undefined && !call.final; call = call.parent) call.final = true
  }

  /** The function has answered, or its caller has given up. */
  answered(ok: boolean): void {
    this.answer = ok ? 'success' : 'failure'
    if (ok) {
      if (this.bodyFailure !== undefined) this.passBodyFailure()
      return
    }
    if (this.bodies === 0) return
    for (let count = this.bodies; count > 0; count--) this.hold()
    this.addStreams(-this.bodies)
    this.bodies = 0
  }

  /** Work goes on although nobody waits for it. */
  hold(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) call.abandoned++
  }

  /** The work of one {@link hold} has ended. */
  release(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) {
      call.abandoned--
      if (call.abandoned === 0) call.tellEnded()
    }
  }

  /** Calls `waiter.ended()` once, when the last stream or the last abandoned work has ended. */
  whenEnded(waiter: EndWaiter): void {
    ;(this.endWaiters ??= []).push(waiter)
  }

  private bodyEnded(abandoned: boolean): void {
    if (abandoned || this.bodies === 0) {
      this.release()
      return
    }
    this.bodies--
    this.addStreams(-1)
  }

  private addStreams(count: number): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) {
      call.streaming += count
      if (call.streaming === 0) call.tellEnded()
    }
  }

  private tellEnded(): void {
    const waiters = this.endWaiters
    if (waiters === undefined) return
    this.endWaiters = undefined
    for (const waiter of waiters) waiter.ended()
  }

  /** A body's failure counts for every layer outside that took the answer; a cancelled layer did not. */
  private passBodyFailure(): void {
    const failure = this.bodyFailure
    for (let call: CallState = this; call.reason === undefined && call.parent !== undefined; call = call.parent) {
      call.parent.bodyFailure ??= failure
    }
  }

  private link(): void {
    if (this.linked || this.closed) return
    if (this.parent !== undefined) {
      if (!this.parent.cancellable) return
      this.parent.onCancel(this)
    } else {
      if (this.callerSignal === undefined) return
      listenAbort(this.callerSignal, this)
    }
    this.linked = true
  }

  private unlink(): void {
    if (!this.linked) return
    this.linked = false
    if (this.parent !== undefined) this.parent.offCancel(this)
    else if (this.callerSignal !== undefined) unlistenAbort(this.callerSignal, this)
  }
}
