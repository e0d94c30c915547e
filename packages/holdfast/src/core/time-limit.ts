import type { CallState } from './call.ts'
import type { DeadlineNode } from './deadline-list.ts'
import { discard } from './discard.ts'
import type { Sink } from './layer.ts'

/** Who made a time limit: it is told of the end, and makes the error. */
export interface TimeLimitOwner {
  /** Takes the run out of whatever timer it waits for. */
  disarm(run: TimeLimitRun): void
  /** The time is up: the error for the caller. */
  timeIsUp(run: TimeLimitRun): unknown
}

/**
 * A call that is given up at an instant. Giving up cancels everything inside; the caller has the error at once, whether or
 * not the work inside listens.
 */
export class TimeLimitRun implements Sink, DeadlineNode {
  readonly owner: TimeLimitOwner
  readonly call: CallState
  readonly out: Sink
  dueAt: number = Infinity
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false
  place: number = -1
  private settled = false

  constructor(owner: TimeLimitOwner, call: CallState, out: Sink) {
    this.owner = owner
    this.call = call
    this.out = out
  }

  /** Limits nothing any more, although the call goes on. */
  disarm(): void {
    this.owner.disarm(this)
  }

  settle(ok: boolean, value: unknown): void {
    if (this.settled) {
      if (ok) discard(value)
      return
    }
    this.settled = true
    this.disarm()
    this.call.close()
    this.out.settle(ok, value)
  }

  expire(): void {
    if (this.settled) return
    const outside = this.call.cancelled
    const reason = outside === undefined ? this.owner.timeIsUp(this) : outside
    this.call.cancel(reason)
    this.settle(false, reason) // for layers that do not listen
  }
}
