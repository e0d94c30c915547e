import type { Abortable } from './abort-hub.ts'
import type { Call, CallState } from './call.ts'
import type { Flow, Layer, Sink } from './layer.ts'
import { isThenable } from './predicate.ts'

/**
 * A flow of the user's, made safe for those around it: what its `start` throws or rejects with fails the call, a second answer
 * is dropped, and a caller who leaves is told at once although the flow may not listen; what it still does is abandoned work.
 */
export class CustomFlow implements Flow {
  readonly kind = 'flow' as const
  private readonly flow: Flow

  constructor(flow: Flow) {
    this.flow = flow
  }

  start(next: Layer, call: Call, out: Sink): void {
    const reason = call.cancelled
    if (reason !== undefined) {
      out.settle(false, reason)
      return
    }
    const run = new CustomFlowRun(call as CallState, out)
    call.onCancel(run)
    try {
      const started: unknown = this.flow.start(next, call, run)
      if (isThenable(started)) Promise.resolve(started).catch((error: unknown) => run.settle(false, error))
    } catch (error) {
      run.settle(false, error)
    }
  }
}

class CustomFlowRun implements Sink, Abortable {
  private readonly call: CallState
  private readonly out: Sink
  private cancelled = false
  private settled = false

  constructor(call: CallState, out: Sink) {
    this.call = call
    this.out = out
  }

  settle(ok: boolean, value: unknown): void {
    if (this.settled) return
    this.settled = true
    if (this.cancelled) {
      this.call.release()
      return
    }
    this.call.offCancel(this)
    this.out.settle(ok, value)
  }

  cancel(reason: unknown): void {
    this.cancelled = true
    this.call.hold() // until the flow settles as well
    this.out.settle(false, reason)
  }
}
