import type { DeadlineList, DeadlineNode } from './deadline-list.ts'
import type { Waiting } from './layer.ts'

/** One who waits in a {@link WaitList}, perhaps with a longest wait. It carries its own links: joining and leaving allocate nothing. */
export abstract class QueuedWaiter implements Waiting, DeadlineNode {
  inLine = false
  before: this | undefined = undefined
  after: this | undefined = undefined
  /** Where its longest wait is watched. */
  deadlines: DeadlineList | undefined = undefined
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false

  get waiting(): true {
    return true
  }

  /** Gives the place in line up; does nothing once it is over. */
  abstract cancel(): void
  /** It has waited for the longest time allowed, and still waits. */
  abstract expire(): void
}

/** Waiters in the order in which they came. Anyone may leave from anywhere in constant time. */
export class WaitList<W extends QueuedWaiter> {
  length = 0
  first: W | undefined = undefined
  last: W | undefined = undefined

  /** Joins at the end. `deadlines` watches the wait, counted from `now` (monotonic ms). */
  push(waiter: W, deadlines?: DeadlineList, now = 0): void {
    waiter.before = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.after = waiter
    this.last = waiter
    waiter.inLine = true
    this.length++
    if (deadlines === undefined) return
    waiter.deadlines = deadlines
    deadlines.add(waiter, now)
  }

  /** Takes a waiter out, wherever it stands, and ends the watch over its wait. */
  remove(waiter: W): void {
    if (!waiter.inLine) return
    if (waiter.before === undefined) this.first = waiter.after
    else waiter.before.after = waiter.after
    if (waiter.after === undefined) this.last = waiter.before
    else waiter.after.before = waiter.before
    waiter.before = undefined
    waiter.after = undefined
    waiter.inLine = false
    this.length--
    waiter.deadlines?.remove(waiter)
  }

  /** Takes out the one who came first. */
  shift(): W | undefined {
    const { first } = this
    if (first !== undefined) this.remove(first)
    return first
  }
}
