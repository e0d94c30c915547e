import type { Priority } from './call.ts'
import type { DeadlineList } from './deadline-list.ts'
import { QueuedWaiter, WaitList } from './wait-list.ts'

/** Lowest first. */
export const priorities = ['low', 'normal', 'high', 'critical'] as const satisfies readonly Priority[]

/** 0 for the lowest. */
const rankOf: Readonly<Record<Priority, number>> = { low: 0, normal: 1, high: 2, critical: 3 }

/** One who waits in a {@link PriorityLine}. */
export abstract class PrioritisedWaiter extends QueuedWaiter {
  readonly priority: Priority

  protected constructor(priority: Priority) {
    super()
    this.priority = priority
  }
}

/** Waiters of higher priority first, and within one priority those who came first. Anyone may leave in constant time. */
export class PriorityLine<W extends PrioritisedWaiter> {
  length = 0
  /** Lines are made when somebody first waits in them. */
  private readonly lines: (WaitList<W> | undefined)[] = [undefined, undefined, undefined, undefined]

  push(waiter: W, deadlines?: DeadlineList, now?: number): void {
    const rank = rankOf[waiter.priority]
    const line = (this.lines[rank] ??= new WaitList())
    line.push(waiter, deadlines, now)
    this.length++
  }

  remove(waiter: W): void {
    if (!waiter.inLine) return
    this.lines[rankOf[waiter.priority]]?.remove(waiter)
    this.length--
  }

  /** The one whose turn is next. */
  get first(): W | undefined {
    if (this.length === 0) return undefined
    for (let rank = this.lines.length - 1; rank >= 0; rank--) {
      const first = this.lines[rank]?.first
      if (first !== undefined) return first
    }
    return undefined
  }

  /** Takes out the one whose turn is next. */
  shift(): W | undefined {
    const { first } = this
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Of those with a lower priority than this, the one whose turn is furthest away. */
  lastBelow(priority: Priority): W | undefined {
    for (let rank = 0; rank < rankOf[priority]; rank++) {
      const last = this.lines[rank]?.last
      if (last !== undefined) return last
    }
    return undefined
  }
}
