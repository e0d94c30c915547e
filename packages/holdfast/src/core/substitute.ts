import type { Call, CallState } from './call.ts'
import { discard } from './discard.ts'
import type { Layer, RelaxedFlow, Sink } from './layer.ts'
import { askPredicate } from './predicate.ts'
import { toError } from './refusal.ts'

export interface Substitute {
  readonly handler: (error: unknown, call: Call) => unknown
  /** Absent: every failure is answered. */
  readonly when: ((error: unknown) => boolean) | undefined
  /** An answer was given in place of `error`. */
  readonly used: (error: unknown) => void
  /** There was no answer, since `when` or the handler failed with `failure`. */
  readonly failed: (failure: unknown) => void
}

/** Gives another answer in place of a failure. A caller who has left gets none. */
export class SubstituteFlow implements RelaxedFlow {
  readonly kind = 'flow' as const
  usedTotal = 0
  failedTotal = 0
  readonly settings = undefined
  private substitute: Substitute

  constructor(substitute: Substitute) {
    this.substitute = substitute
  }

  /** Calls that fail from now on get another answer. */
  reconfigure(answer: Pick<Substitute, 'handler' | 'when'>): void {
    this.substitute = { ...this.substitute, ...answer }
  }

  start(next: Layer, call: Call, out: Sink): void {
    next.start(call, new SubstituteRun(this, call as CallState, out))
  }

  startRelaxed(call: CallState): CallState {
    return call
  }

  resume(_next: Layer, call: CallState, _attempt: CallState, out: Sink, error: unknown): void {
    new SubstituteRun(this, call, out).settle(false, error)
  }

  isWanted(error: unknown): boolean {
    const { when } = this.substitute
    if (when === undefined) return true
    try {
      return askPredicate('when', when, error)
    } catch (failure) {
      this.reportFailure(failure)
      return false
    }
  }

  make(error: unknown, call: Call): unknown {
    return this.substitute.handler(error, call)
  }

  reportUse(error: unknown): void {
    this.usedTotal++
    this.substitute.used(error)
  }

  reportFailure(failure: unknown): void {
    this.failedTotal++
    this.substitute.failed(failure)
  }
}

/** A call that is given a substitute if it fails. Its caller may leave while that is being made. */
class SubstituteRun implements Sink {
  private readonly flow: SubstituteFlow
  private readonly call: CallState
  private readonly out: Sink
  /** What the call failed with, as it came (perhaps a refusal), and as an error. */
  private failure: unknown = undefined
  private error: unknown = undefined
  private over = false

  constructor(flow: SubstituteFlow, call: CallState, out: Sink) {
    this.flow = flow
    this.call = call
    this.out = out
  }

  settle(ok: boolean, value: unknown): void {
    if (ok || this.call.cancelled !== undefined) this.out.settle(ok, value)
    else this.replace(value)
  }

  cancel(reason: unknown): void {
    this.over = true
    this.call.hold() // the substitute is still being made
    this.out.settle(false, reason)
  }

  private replace(failure: unknown): void {
    this.failure = failure
    this.error = toError(failure)
    if (!this.flow.isWanted(this.error)) {
      this.out.settle(false, failure)
      return
    }
    let substitute: unknown
    try {
      substitute = this.flow.make(this.error, this.call)
    } catch (thrown) {
      this.answer(false, thrown)
      return
    }
    if (typeof substitute === 'object' && substitute !== null) {
      this.watch(Promise.resolve(substitute))
      return
    }
    const reason = this.call.cancelled // the handler itself may have made its caller give up
    if (reason === undefined) this.answer(true, substitute)
    else this.out.settle(false, reason)
  }

  private watch(substitute: Promise<unknown>): void {
    this.call.onCancel(this)
    substitute.then(
      (value: unknown) => this.ended(true, value),
      (thrown: unknown) => this.ended(false, thrown),
    )
  }

  private ended(ok: boolean, value: unknown): void {
    if (this.over) {
      if (value !== this.call.cancelled) discard(value)
      this.call.release()
      return
    }
    this.call.offCancel(this)
    this.answer(ok, value)
  }

  private answer(ok: boolean, value: unknown): void {
    if (!ok && value === this.error) {
      this.out.settle(false, this.failure) // to throw the error in hand is to decline
      return
    }
    if (ok) this.flow.reportUse(this.error)
    else this.flow.reportFailure(value)
    this.out.settle(ok, value)
  }
}
