import type { Call } from '../../core/call.ts'
import type { DeadlineList } from '../../core/deadline-list.ts'
import type { Seat } from '../../core/layer.ts'
import { PrioritisedWaiter, PriorityLine, priorities } from '../../core/priority-line.ts'
import type { Share } from '../../core/shares.ts'

/** What a waiter tells when it gives up. */
export interface WaiterOwner<P> {
  gaveUp(waiter: ShareWaiter<P>): void
  waitExpired(waiter: ShareWaiter<P>): void
}

/** A call that waits for a place. */
export class ShareWaiter<P> extends PrioritisedWaiter {
  readonly owner: WaiterOwner<P>
  readonly seat: Seat<P>
  readonly share: Share | undefined
  /** Position among all who ever waited. */
  readonly turn: number

  constructor(owner: WaiterOwner<P>, seat: Seat<P>, call: Call, share: Share | undefined, turn: number) {
    super(call.priority)
    this.owner = owner
    this.seat = seat
    this.share = share
    this.turn = turn
  }

  cancel(): void {
    this.owner.gaveUp(this)
  }

  expire(): void {
    this.owner.waitExpired(this)
  }

  isBefore(other: ShareWaiter<P>): boolean {
    if (this.priority === other.priority) return this.turn < other.turn
    return priorities.indexOf(this.priority) > priorities.indexOf(other.priority)
  }
}

/** Those who wait, a line of priorities for each share. There are few shares, so looking through them costs little. */
export class ShareLines<P> {
  private readonly lines = new Map<Share | undefined, PriorityLine<ShareWaiter<P>>>()
  length = 0

  push(waiter: ShareWaiter<P>, deadlines: DeadlineList | undefined, now: number): void {
    let line = this.lines.get(waiter.share)
    if (line === undefined) this.lines.set(waiter.share, (line = new PriorityLine()))
    line.push(waiter, deadlines, now)
    this.length++
  }

  remove(waiter: ShareWaiter<P>): void {
    if (!waiter.inLine) return
    const line = this.lines.get(waiter.share) as PriorityLine<ShareWaiter<P>>
    line.remove(waiter)
    if (line.length === 0) this.lines.delete(waiter.share)
    this.length--
  }

  /** The one whose turn is next, among the shares that `mayHave` allows. */
  next(mayHave: (share: Share | undefined) => boolean): ShareWaiter<P> | undefined {
    let best: ShareWaiter<P> | undefined
    for (const [share, { first }] of this.lines) {
      if (first !== undefined && (best === undefined || first.isBefore(best)) && mayHave(share)) best = first
    }
    return best
  }

  /** Of those with a lower priority than this call's, the one whose turn is furthest away. */
  lastBelow({ priority }: Call): ShareWaiter<P> | undefined {
    let worst: ShareWaiter<P> | undefined
    for (const line of this.lines.values()) {
      const last = line.lastBelow(priority)
      if (last !== undefined && (worst === undefined || worst.isBefore(last))) worst = last
    }
    return worst
  }
}
