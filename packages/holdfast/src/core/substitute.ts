import type { Call, CallState } from './call.ts'
import type { Flow, Layer, Sink } from './layer.ts'
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
export class SubstituteFlow implements Flow {
  readonly kind = 'flow' as const
  usedTotal = 0
  failedTotal = 0
  private readonly substitute: Substitute

  constructor(substitute: Substitute) {
    this.substitute = substitute
  }

  start(next: Layer, call: Call, out: Sink): void {
    next.start(call, {
      settle: (ok, value) => {
        if (ok || call.cancelled !== undefined) out.settle(ok, value)
        else new SubstituteRun(this, call as CallState, out, toError(value)).answer()
      },
    })
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

/** A failed call that may be given a substitute. Its caller may leave while that is being made. */
class SubstituteRun {
  private readonly flow: SubstituteFlow
  private readonly call: CallState
  private readonly out: Sink
  private readonly error: unknown
  private over = false

  constructor(flow: SubstituteFlow, call: CallState, out: Sink, error: unknown) {
    this.flow = flow
    this.call = call
    this.out = out
    this.error = error
  }

  answer(): void {
    if (!this.flow.isWanted(this.error)) {
      this.out.settle(false, this.error)
      return
    }
    let substitute: unknown
    try {
      substitute = this.flow.make(this.error, this.call)
    } catch (failure) {
      this.settle(false, failure)
      return
    }
    const reason = this.call.cancelled // the handler itself may have made its caller give up
    if (typeof substitute === 'object' && substitute !== null) this.watch(Promise.resolve(substitute), reason)
    else if (reason === undefined) this.settle(true, substitute)
    else this.out.settle(false, reason)
  }

  cancel(reason: unknown): void {
    this.over = true
    this.call.hold() // the substitute is still being made
    this.out.settle(false, reason)
  }

  private watch(substitute: Promise<unknown>, reason: unknown): void {
    if (reason === undefined) this.call.onCancel(this)
    else this.cancel(reason)
    substitute.then(
      (value: unknown) => this.ended(true, value),
      (failure: unknown) => this.ended(false, failure),
    )
  }

  private ended(ok: boolean, value: unknown): void {
    if (this.over) {
      this.call.release()
      return
    }
    this.call.offCancel(this)
    this.settle(ok, value)
  }

  private settle(ok: boolean, value: unknown): void {
    if (ok) this.flow.reportUse(this.error)
    else if (value !== this.error) this.flow.reportFailure(value) // to throw the error in hand is to decline
    this.out.settle(ok, value)
  }
}
