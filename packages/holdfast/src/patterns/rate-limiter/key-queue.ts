import type { Cost } from '../../core/call.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import type { DeadlineList } from '../../core/deadline-list.ts'
import type { Seat } from '../../core/layer.ts'
import type { Refusal } from '../../core/refusal.ts'
import { QueuedWaiter, WaitList } from '../../core/wait-list.ts'
import type { Admitted, LimiterGate } from './limiter-gate.ts'

/** Those who wait for one key's turn, in order. */
export class KeyQueue implements HeapNode {
  readonly gate: LimiterGate
  readonly key: string
  dueAt = 0
  place = -1
  private readonly line = new WaitList<LimitWaiter>()

  constructor(gate: LimiterGate, key: string) {
    this.gate = gate
    this.key = key
  }

  get length(): number {
    return this.line.length
  }

  push(waiter: LimitWaiter, waits: DeadlineList | undefined, now: number): void {
    this.line.push(waiter, waits, now)
    if (this.line.first === waiter) this.arm()
  }

  /** Takes one who gave up out of the line, wherever they stand. */
  remove(waiter: LimitWaiter): void {
    const wasFirst = this.line.first === waiter
    this.unlink(waiter)
    if (wasFirst) this.arm()
  }

  /** Waits for the moment at which the first in line fits. */
  arm(): void {
    const { gate } = this
    const heap = deadlineHeap(gate.settings.clock)
    heap.remove(this)
    for (let waiter = this.line.first; waiter !== undefined; waiter = this.line.first) {
      const now = gate.now()
      const waitMs = gate.waitMs(this.key, waiter.cost, now)
      if (waitMs !== Infinity) {
        // after a pause of all keys, their queues must not all wake for the same turn
        const spreadMs = gate.queues.size > 1 ? gate.spreadMs(this.key, now + waitMs) : 0
        this.dueAt = gate.settings.clock.now() + waitMs + spreadMs
        heap.add(this)
        return
      }
      this.unlink(waiter) // the limit has become smaller than what this call costs
      waiter.seat.refuse(gate.refuse(this.key, waitMs, now))
    }
    gate.queues.delete(this.key)
  }

  /** Milliseconds until the first in line may have its turn. */
  remainingMs(): number {
    return Math.max(0, this.dueAt - this.gate.settings.clock.now())
  }

  /** It is the turn of those in front. */
  expire(): void {
    for (let waiter = this.line.first; waiter !== undefined; waiter = this.line.first) {
      const now = this.gate.now()
      if (!this.gate.take(this.key, waiter.cost, now)) break
      this.unlink(waiter)
      this.gate.came(this.key, now)
      waiter.seat.grant(this.gate.admission(this.key, waiter.cost, now))
    }
    this.arm()
  }

  refuseAll(why: Refusal): void {
    for (let waiter = this.line.first; waiter !== undefined; waiter = this.line.first) {
      this.unlink(waiter)
      waiter.seat.refuse(why)
    }
    this.arm()
  }

  private unlink(waiter: LimitWaiter): void {
    this.line.remove(waiter)
    this.gate.queued--
  }
}

/** A call that waits for its turn. */
export class LimitWaiter extends QueuedWaiter {
  readonly cost: Cost | undefined
  readonly seat: Seat<Admitted>
  readonly queue: KeyQueue

  constructor(cost: Cost | undefined, seat: Seat<Admitted>, queue: KeyQueue) {
    super()
    this.cost = cost
    this.seat = seat
    this.queue = queue
  }

  cancel(): void {
    if (this.inLine) this.queue.remove(this)
  }

  expire(): void {
    const { gate, key } = this.queue
    const now = gate.now()
    const waitMs = gate.waitMs(key, this.cost, now)
    this.queue.remove(this)
    this.seat.refuse(gate.refuse(key, waitMs, now, 'ERR_RATE_LIMIT_WAIT'))
  }
}
