import type { DeadlineList, DeadlineNode } from '../../core/deadline-list.ts'
import type { BulkheadGate } from './bulkhead-gate.ts'

/** A place that a call holds. Most calls of a gate share one object: there is nothing to remember of them. */
export interface Place {
  readonly gate: BulkheadGate
  /** Monotonic ms; undefined when this call is not timed. */
  readonly takenAt: number | undefined
  readonly hold: Hold | undefined
}

/** A place that is taken back when it is held for too long. */
export class Hold implements Place, DeadlineNode {
  readonly gate: BulkheadGate
  readonly takenAt: number | undefined
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false
  over = false
  private readonly list: DeadlineList

  constructor(gate: BulkheadGate, takenAt: number | undefined, list: DeadlineList) {
    this.gate = gate
    this.takenAt = takenAt
    this.list = list
  }

  get hold(): Hold {
    return this
  }

  end(): void {
    this.over = true
    this.list.remove(this)
    this.gate.giveBack()
  }

  expire(): void {
    this.over = true
    this.gate.holdExpired(this.list.durationMs)
  }
}
