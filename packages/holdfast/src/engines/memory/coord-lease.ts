import { deadlineHeap, type DeadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { noAnswer, type Unavailable, type WriteOptions } from '../../core/ports/answers.ts'
import type { Lease } from '../../core/ports/coord-port.ts'
import type { Expiring } from '../../core/ports/expiry-queue.ts'
import type { CoordStore } from './coord-store.ts'

/** A lease of a memory store: renewed at a third of its time, as long as its client lives. */
export class MemoryLease implements Lease, Expiring {
  readonly ok = true as const
  readonly epoch: bigint
  readonly store: CoordStore
  readonly keys = new Set<string>()
  expiresAt: number
  place = -1
  private readonly ttlMs: number
  private readonly controller = new AbortController()
  private readonly heap: DeadlineHeap
  private readonly timer: HeapNode
  private abandoned = false

  constructor(store: CoordStore, ttlMs: number) {
    this.store = store
    this.ttlMs = ttlMs
    this.epoch = store.nextEpoch()
    const now = store.clock.now()
    this.expiresAt = now + ttlMs
    this.heap = deadlineHeap(store.clock)
    this.timer = { dueAt: 0, place: -1, expire: () => this.tend() }
    store.enterLease(this)
    this.arm(now + ttlMs / 3)
  }

  get validUntil(): number {
    return this.expiresAt
  }

  get lost(): AbortSignal {
    return this.controller.signal
  }

  async release({ deadlineMs }: WriteOptions): Promise<{ readonly ok: true } | Unavailable> {
    if (deadlineMs <= 0) return noAnswer
    if (this.place >= 0) this.store.endLease(this)
    return { ok: true }
  }

  /** Nobody renews it any more. */
  abandon(): void {
    this.abandoned = true
    if (this.place < 0) return
    this.heap.remove(this.timer)
    this.arm(this.expiresAt)
  }

  /** The store has ended it. */
  end(): void {
    this.heap.remove(this.timer)
    this.controller.abort(new DOMException('the lease is over', 'AbortError'))
  }

  private tend(): void {
    this.store.endLeases() // perhaps this one, when the timer is late
    if (this.place < 0 || this.abandoned) return
    const now = this.store.clock.now()
    this.store.extendLease(this, now + this.ttlMs)
    this.arm(now + this.ttlMs / 3)
  }

  private arm(dueAt: number): void {
    this.timer.dueAt = dueAt
    this.heap.add(this.timer)
  }
}
