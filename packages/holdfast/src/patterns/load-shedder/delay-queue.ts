import { priorities } from '../../core/priority-line.ts'
import { WaitList, type QueuedWaiter } from '../../core/wait-list.ts'

/** One who waits in a {@link DelayQueue}. */
export interface DelayedWaiter extends QueuedWaiter {
  readonly rank: number
  /** Monotonic ms. */
  readonly queuedAt: number
}

/**
 * A queue that watches its own delay (CoDel, Nichols and Jacobson, ACM Queue 2012, as adapted to requests in "Fail at scale", Maurer,
 * ACM Queue 2015): while it has been empty within the last interval, a wait up to that interval is a burst and allowed. If it has not,
 * the queue stands: waits beyond the target are cut, and who came last is served first, since who waited long has mostly given up.
 */
export class DelayQueue<W extends DelayedWaiter> {
  length = 0
  private readonly lines: readonly WaitList<W>[] = priorities.map(() => new WaitList<W>())
  private emptyAt: number

  constructor(now: number) {
    this.emptyAt = now
  }

  push(waiter: W): void {
    this.line(waiter.rank).push(waiter)
    this.length++
  }

  remove(waiter: W, now: number): void {
    if (!waiter.inLine) return
    this.line(waiter.rank).remove(waiter)
    this.length--
    if (this.length === 0) this.emptyAt = now
  }

  /** Whether the queue has not been empty for an interval. */
  stands(now: number, intervalMs: number): boolean {
    return this.length > 0 && now - this.emptyAt > intervalMs
  }

  /** For a queue that is empty on arrival. */
  noteEmpty(now: number): void {
    if (this.length === 0) this.emptyAt = now
  }

  /** The one to be served next: the most important; of those the last one while the queue stands. */
  next(isStanding: boolean): W | undefined {
    for (let rank = priorities.length - 1; rank >= 0; rank--) {
      const line = this.line(rank)
      if (line.length > 0) return isStanding ? line.last : line.first
    }
    return undefined
  }

  /** The one who has waited longest, of the least important first. */
  oldest(): W | undefined {
    for (const line of this.lines) if (line.first !== undefined) return line.first
    return undefined
  }

  /** Those who have waited for longer than this. */
  *overdue(before: number): Generator<W> {
    for (const line of this.lines) {
      for (let { first } = line; first !== undefined && first.queuedAt < before; first = line.first) yield first
    }
  }

  private line(rank: number): WaitList<W> {
    return this.lines[rank] as WaitList<W>
  }
}
