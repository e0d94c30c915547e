import type { CallState } from './call.ts'
import type { Clock } from './clock.ts'
import { deadlineHeap } from './deadline-heap.ts'
import { errorWithoutStack } from './errors.ts'
import type { ChainLayer, Sink } from './layer.ts'
import { TimeLimitRun, type TimeLimitOwner } from './time-limit.ts'

/** The deadline a caller gives for one call. */
export class CallerDeadline implements TimeLimitOwner {
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Answers the running limit; undefined when the time was up from the beginning. */
  start(next: ChainLayer, outer: CallState, withinMs: number, out: Sink): TimeLimitRun | undefined {
    if (withinMs === 0) {
      out.settle(false, this.timeIsUp())
      return undefined
    }
    const run = new TimeLimitRun(this, outer.child(outer.attempt, this.clock.now() + withinMs, true), out)
    run.dueAt = run.call.deadlineAt
    deadlineHeap(this.clock).add(run)
    next.start(run.call, run)
    return run
  }

  disarm(run: TimeLimitRun): void {
    deadlineHeap(this.clock).remove(run)
  }

  timeIsUp(): unknown {
    return errorWithoutStack({ code: 'ERR_DEADLINE_EXCEEDED' })
  }
}
