import type { Abortable } from './abort-hub.ts'
import type { Call, CallState } from './call.ts'
import { discard } from './discard.ts'
import type { Flow, Layer, Sink } from './layer.ts'
import { isThenable } from './predicate.ts'

/**
 * A flow of the user's, made safe for those around it: whatever it throws or rejects with fails the call, a second answer is
 * dropped, a caller who leaves is told at once although the flow may not listen, and what it still does or has started counts
 * as work that goes on.
 */
export class CustomFlow implements Flow {
  readonly kind = 'flow' as const
  private readonly flow: Flow

  constructor(flow: Flow) {
    this.flow = flow
  }

  start(next: Layer, call: Call, out: Sink): void {
    const reason = call.cancelled
    if (reason === undefined) new CustomFlowRun(next, call as CallState, out).begin(this.flow)
    else out.settle(false, reason)
  }
}

/** One call of a flow: what it sees as the layer inside, and as the sink outside. */
class CustomFlowRun implements Layer, Sink, Abortable {
  private readonly next: Layer
  private readonly call: CallState
  private readonly out: Sink
  /** Calls inside that have not been answered. */
  private running = 0
  private settled = false
  private cancelled = false
  /** The caller has been told while work goes on. */
  private held = false

  constructor(next: Layer, call: CallState, out: Sink) {
    this.next = next
    this.call = call
    this.out = out
  }

  begin(flow: Flow): void {
    this.call.onCancel(this)
    try {
      const started: unknown = flow.start(this, this.call, this)
      if (isThenable(started)) Promise.resolve(started).catch((error: unknown) => this.settle(false, error))
    } catch (error) {
      this.settle(false, error)
    }
  }

  start(call: Call, out: Sink): void {
    this.running++
    this.next.start(call, {
      settle: (ok, value) => {
        this.running--
        try {
          out.settle(ok, value)
        } catch (error) {
          this.settle(false, error)
        }
        this.releaseIfOver()
      },
    })
  }

  settle(ok: boolean, value: unknown): void {
    if (this.settled) return
    this.settled = true
    if (!this.cancelled) {
      this.call.offCancel(this)
      if (this.running > 0) this.hold()
      this.out.settle(ok, value)
    } else if (value !== this.call.cancelled) discard(value)
    this.releaseIfOver()
  }

  cancel(reason: unknown): void {
    this.cancelled = true
    this.hold()
    this.out.settle(false, reason)
  }

  private hold(): void {
    this.held = true
    this.call.hold()
  }

  private releaseIfOver(): void {
    if (!this.held || !this.settled || this.running > 0) return
    this.held = false
    this.call.release()
  }
}
