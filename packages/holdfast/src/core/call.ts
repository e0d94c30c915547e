import { abortReason, listenAbort, unexplained, unlistenAbort, type Abortable } from './abort-hub.ts'
import type { Clock } from './clock.ts'
import type { Refusal } from './refusal.ts'

export type Priority = 'low' | 'normal' | 'high' | 'critical'

/** How much of each limit a call uses: a number for the only (or first) limit, or one per named limit. */
export type Cost = number | Readonly<Record<string, number>>

/** What a caller calls a call, as short texts. */
export type Labels = Readonly<Record<string, string>>

/**
 * What the protected function receives, and what custom policies see of a call. Each attempt has its own.
 * Reading `signal` makes it (about 2 µs); a function that never reads it pays nothing.
 */
export interface Call {
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Tells one caller, tenant or idempotent operation from another; undefined when the caller gave none. */
  readonly key: string | undefined
  /** The same for all attempts of one effect. */
  readonly idempotencyKey: string | undefined
  readonly priority: Priority
  readonly cost: Cost | undefined
  readonly labels: Labels | undefined
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
  /** Forbids any further attempt, also one beside this: something is sent that must not be sent twice. */
  doNotRetry(): void
  /** Takes {@link doNotRetry} back: it surely was not sent. */
  allowRetry(): void
  /**
   * Calls `waiter.cancel(reason)` once when the call is cancelled, at once if it is already, without an AbortSignal being made.
   * Whoever stops waiting for another reason says so with {@link offCancel}.
   */
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
  readonly outer: EnclosingFrame | undefined
  /** Frames from here to the function, this one included. */
  readonly frame: { readonly depth: number }
  /** The refusal of the first permit that is no longer valid, looking outwards. */
  staleRefusal(): Refusal | undefined
}

/** What all calls of one `execute` have in common. */
export interface Invocation {
  readonly clock: Clock
  readonly key: string | undefined
  readonly idempotencyKey: string | undefined
  readonly priority: Priority
  readonly cost: Cost | undefined
  readonly labels: Labels | undefined
  readonly context: unknown
  readonly callerSignal: AbortSignal | undefined
}

/** What only some calls need: those that stream, were given up, failed, or made a signal. */
class CallExtras {
  controller: AbortController | undefined = undefined
  /** Answers whose bodies go on. A success is judged when none is left. */
  streaming = 0
  /** Pieces of work that go on although nobody waits for them. */
  abandoned = 0
  /** How many of `streaming` are of this very call. */
  bodies = 0
  /** How a body that went on after the answer failed. */
  bodyFailure: { readonly error: unknown } | undefined = undefined
  answer: 'pending' | 'success' | 'failure' = 'pending'
  endWaiters: EndWaiter[] | undefined = undefined
  /** Something was sent that must not be sent twice. */
  final = false
}

/** This very call, not one outside it, can be cancelled by a policy. */
const ownsCancelFlag = 1
const cancellableFlag = 2
/** It hears when the call outside, or the caller's signal, is cancelled. */
const linkedFlag = 4
/** It has been answered, and its work has ended. */
const closedFlag = 8

/** The one implementation of {@link Call}. A policy that starts attempts makes children of the call it was given. */
export class CallState implements Call {
  readonly run: ProtectedFunction
  readonly invocation: Invocation
  readonly parent: CallState | undefined
  readonly attempt: number
  /** Undefined for Infinity, which would take a box of its own in every call. */
  private readonly dueAt: number | undefined
  private flags: number
  /** The innermost frame of gates around this call. */
  frame: EnclosingFrame | undefined
  private reason: unknown = undefined
  private waiters: Abortable | Set<Abortable> | undefined = undefined
  private extras: CallExtras | undefined = undefined

  constructor(
    run: ProtectedFunction,
    invocation: Invocation,
    parent: CallState | undefined,
    attempt: number,
    deadlineAt: number,
    ownsCancel: boolean,
  ) {
    this.run = run
    this.invocation = invocation
    this.parent = parent
    this.attempt = attempt
    this.dueAt = deadlineAt === Infinity ? undefined : deadlineAt
    if (ownsCancel) this.flags = ownsCancelFlag | cancellableFlag
    else if (parent === undefined) this.flags = invocation.callerSignal === undefined ? 0 : cancellableFlag
    else this.flags = parent.flags & cancellableFlag
    this.frame = parent === undefined ? undefined : parent.frame
  }

  get deadlineAt(): number {
    return this.dueAt === undefined ? Infinity : this.dueAt
  }

  /** Whether anything at all can cancel it. */
  get cancellable(): boolean {
    return (this.flags & cancellableFlag) !== 0
  }

  get key(): string | undefined {
    return this.invocation.key
  }

  get idempotencyKey(): string | undefined {
    return this.invocation.idempotencyKey
  }

  get labels(): Labels | undefined {
    return this.invocation.labels
  }

  get priority(): Priority {
    return this.invocation.priority
  }

  get cost(): Cost | undefined {
    return this.invocation.cost
  }

  get context(): unknown {
    return this.invocation.context
  }

  /** A call inside this one: another attempt, a shorter deadline, a cancellation of its own. */
  child(attempt: number, deadlineAt: number, ownsCancel: boolean): CallState {
    return new CallState(this.run, this.invocation, this, attempt, deadlineAt, ownsCancel)
  }

  remainingMs(): number {
    if (this.deadlineAt === Infinity) return Infinity
    return Math.max(0, this.deadlineAt - this.invocation.clock.now())
  }

  get cancelled(): unknown {
    if (this.reason !== undefined) return this.reason
    if (this.parent !== undefined) return this.parent.cancelled
    const { callerSignal } = this.invocation
    return callerSignal?.aborted === true ? abortReason(callerSignal) : undefined
  }

  get signal(): AbortSignal {
    const made = this.extras?.controller
    if (made !== undefined) return made.signal
    if ((this.flags & ownsCancelFlag) === 0) {
      if (this.parent !== undefined) return this.parent.signal
      if (this.invocation.callerSignal !== undefined) return this.invocation.callerSignal
    }
    const controller = new AbortController()
    this.more().controller = controller
    const reason = this.cancelled
    if (reason !== undefined) controller.abort(reason)
    else this.link()
    return controller.signal
  }

  onCancel(waiter: Abortable): void {
    const reason = this.cancelled
    if (reason === undefined) this.enlist(waiter)
    else waiter.cancel(reason)
  }

  private enlist(waiter: Abortable): void {
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
    if (this.waiters === undefined && ((this.flags & closedFlag) !== 0 || this.extras?.controller === undefined)) this.unlink()
  }

  /** Cancels this call and all inside it. Waiters hear of it before the signal's listeners do; one that leaves meanwhile does not. */
  cancel(reason: unknown = unexplained): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.unlink()
    const { waiters } = this
    if (waiters instanceof Set) {
      for (const waiter of waiters) {
        waiters.delete(waiter)
        waiter.cancel(reason)
      }
    } else if (waiters !== undefined) {
      this.waiters = undefined
      waiters.cancel(reason)
    }
    this.extras?.controller?.abort(reason)
  }

  /** Answers whose bodies go on. */
  get streaming(): number {
    return this.extras === undefined ? 0 : this.extras.streaming
  }

  /** Whether work goes on after the answer. */
  get open(): boolean {
    const { extras } = this
    return extras !== undefined && (extras.streaming > 0 || extras.abandoned > 0)
  }

  /** Whether its function has asked for nothing beyond its answer. */
  get isPlain(): boolean {
    return this.extras === undefined
  }

  get bodyFailure(): { readonly error: unknown } | undefined {
    return this.extras === undefined ? undefined : this.extras.bodyFailure
  }

  /** Whether no further attempt may be made. */
  get final(): boolean {
    return this.extras !== undefined && this.extras.final
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
    this.flags |= closedFlag
    if (this.waiters === undefined) this.unlink()
  }

  until(ended: PromiseLike<unknown>): void {
    const extras = this.more()
    const abandoned = extras.answer === 'failure'
    if (abandoned) this.hold()
    else {
      extras.bodies++
      this.addStreams(1)
    }
    Promise.resolve(ended).then(
      () => this.bodyEnded(abandoned),
      (error: unknown) => {
        if (extras.answer !== 'failure' && extras.bodyFailure === undefined) {
          extras.bodyFailure = { error }
          if (extras.answer === 'success') this.passBodyFailure()
        }
        this.bodyEnded(abandoned)
      },
    )
  }

  doNotRetry(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) call.more().final = true
  }

  allowRetry(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) if (call.final) call.more().final = false
  }

  /** The function begins. A flow may have started it on this very call before. */
  begin(): void {
    const { extras } = this
    if (extras === undefined) return
    extras.answer = 'pending'
    extras.bodyFailure = undefined
  }

  /** The function has answered. */
  succeeded(): void {
    const { extras } = this
    if (extras === undefined) return
    extras.answer = 'success'
    if (extras.bodyFailure !== undefined) this.passBodyFailure()
  }

  /** The function has failed, or its caller has given up: bodies that go on are streamed to nobody. */
  failed(): void {
    const extras = this.more()
    extras.answer = 'failure'
    const { bodies } = extras
    if (bodies === 0) return
    extras.bodies = 0
    for (let count = bodies; count > 0; count--) this.hold()
    this.addStreams(-bodies)
  }

  /** Work goes on although nobody waits for it. */
  hold(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) call.more().abandoned++
  }

  /** The work of one {@link hold} has ended. */
  release(): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) {
      if (--call.more().abandoned === 0) call.tellEnded()
    }
  }

  /** Calls `waiter.ended()` once, when the last stream or the last abandoned work has ended. */
  whenEnded(waiter: EndWaiter): void {
    ;(this.more().endWaiters ??= []).push(waiter)
  }

  private more(): CallExtras {
    return (this.extras ??= new CallExtras())
  }

  private bodyEnded(abandoned: boolean): void {
    const extras = this.more()
    if (abandoned || extras.bodies === 0) {
      this.release()
      return
    }
    extras.bodies--
    this.addStreams(-1)
  }

  private addStreams(count: number): void {
    for (let call: CallState | undefined = this; call !== undefined; call = call.parent) {
      const extras = call.more()
      extras.streaming += count
      if (extras.streaming === 0) call.tellEnded()
    }
  }

  private tellEnded(): void {
    const waiters = this.extras?.endWaiters
    if (this.extras === undefined || waiters === undefined) return
    this.extras.endWaiters = undefined
    for (const waiter of waiters) waiter.ended()
  }

  /** A body's failure counts for every layer outside that took the answer. One that cancelled the call by itself did not. */
  private passBodyFailure(): void {
    const failure = this.bodyFailure
    for (let call: CallState = this; call.parent !== undefined; call = call.parent) {
      if (call.reason !== undefined && call.parent.cancelled === undefined) return
      call.parent.more().bodyFailure ??= failure
    }
  }

  private link(): void {
    if ((this.flags & (linkedFlag | closedFlag)) !== 0 || !this.cancellable) return
    if (this.parent !== undefined) {
      if (!this.parent.cancellable) return
      this.parent.enlist(this)
    } else {
      if (this.invocation.callerSignal === undefined) return
      listenAbort(this.invocation.callerSignal, this)
    }
    this.flags |= linkedFlag
  }

  private unlink(): void {
    if ((this.flags & linkedFlag) === 0) return
    this.flags &= ~linkedFlag
    if (this.parent !== undefined) this.parent.offCancel(this)
    else if (this.invocation.callerSignal !== undefined) unlistenAbort(this.invocation.callerSignal, this)
  }
}
