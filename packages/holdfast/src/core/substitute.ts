import type { Call } from './call.ts'
import { isHoldfastError } from './errors.ts'
import type { Flow, Layer, Sink } from './layer.ts'
import { toError } from './refusal.ts'

export interface Substitute {
  readonly handler: (error: unknown, call: Call) => unknown
  /** Absent: every failure is answered. */
  readonly when: ((error: unknown) => boolean) | undefined
  readonly used: (error: unknown) => void
  readonly failed: (error: unknown) => void
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
        else this.answer(toError(value), call, out)
      },
    })
  }

  private answer(error: unknown, call: Call, out: Sink): void {
    const { handler, when } = this.substitute
    let substitute: unknown
    try {
      if (when !== undefined && !when(error)) {
        out.settle(false, error)
        return
      }
      substitute = handler(error, call)
    } catch (failure) {
      this.fail(failure, out)
      return
    }
    this.usedTotal++
    this.substitute.used(error)
    if (typeof substitute !== 'object' || substitute === null) {
      out.settle(true, substitute)
      return
    }
    new PendingSubstitute(call, out, (failure) => this.fail(failure, out)).watch(Promise.resolve(substitute))
  }

  private fail(failure: unknown, out: Sink): void {
    if (!isHoldfastError(failure)) this.failedTotal++
    this.substitute.failed(failure)
    out.settle(false, failure)
  }
}

/** A substitute that is being made; its caller may leave meanwhile. */
class PendingSubstitute {
  private readonly call: Call
  private readonly out: Sink
  private readonly fail: (failure: unknown) => void
  private over = false

  constructor(call: Call, out: Sink, fail: (failure: unknown) => void) {
    this.call = call
    this.out = out
    this.fail = fail
  }

  watch(substitute: Promise<unknown>): void {
    this.call.onCancel(this)
    substitute.then(
      (value: unknown) => {
        if (this.end()) this.out.settle(true, value)
      },
      (failure: unknown) => {
        if (this.end()) this.fail(failure)
      },
    )
  }

  cancel(reason: unknown): void {
    if (this.over) return
    this.over = true
    this.out.settle(false, reason)
  }

  private end(): boolean {
    if (this.over) return false
    this.over = true
    this.call.offCancel(this)
    return true
  }
}
