import type { Call } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { DeadlineList, type DeadlineNode } from '../../core/deadline-list.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import type { Random } from '../../core/random.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import type { Limits } from './limits.ts'
import { Pauses } from './pauses.ts'
import type { RateLimiterEvent } from './rate-limiter.ts'

export interface LimiterSettings {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly limits: Limits
  readonly maxQueued: number
  readonly maxWaitMs: number
  readonly maxKeys: number
  readonly resumeOverMs: number
  readonly keyOf: (call: Call) => string | undefined
}

/** Nothing is remembered of an admitted call. */
export type Admitted = true

/** Admits what fits under the limits; keeps those in order who may wait. */
export class LimiterGate implements Gate<Admitted> {
  readonly kind = 'gate' as const
  readonly settings: LimiterSettings
  readonly events: EventHub<RateLimiterEvent>
  readonly pauses: Pauses
  readonly queues = new Map<string, KeyQueue>()
  admitted = 0
  refused = 0
  queued = 0
  disposed = false
  private readonly waits: DeadlineList | undefined

  constructor(settings: LimiterSettings, events: EventHub<RateLimiterEvent>) {
    this.settings = settings
    this.events = events
    this.pauses = new Pauses(settings.maxKeys, settings.resumeOverMs)
    this.waits = settings.maxWaitMs === Infinity ? undefined : new DeadlineList(settings.clock, settings.maxWaitMs)
  }

  admit(call: Call, seat: Seat<Admitted> | undefined): Admitted | Refusal | Waiting {
    const { name, clock, maxQueued, maxWaitMs } = this.settings
    if (this.disposed) return refusal('ERR_DISPOSED', name)
    const now = clock.now()
    const key = this.keyOf(call)
    const waitMs = this.waitMs(key, call, now)
    const queue = this.queues.get(key)
    if (waitMs === 0 && queue === undefined) {
      this.take(key, call, now)
      return true
    }
    const pausedMs = this.pauses.until(key) - now
    if (seat === undefined || this.queued >= maxQueued || waitMs === Infinity) {
      return pausedMs > 0 ? this.refuse('ERR_QUOTA_PAUSED', key, pausedMs + this.spreadMs()) : this.refuse('ERR_RATE_LIMITED', key, finite(waitMs))
    }
    if (waitMs > maxWaitMs || call.deadlineAt - now < waitMs) return this.refuse('ERR_RATE_LIMIT_WAIT', key, waitMs)
    const waiter = new LimitWaiter(this, call, seat, queue ?? this.newQueue(key))
    this.queued++
    waiter.queue.push(waiter)
    this.waits?.add(waiter, now)
    return waiter
  }

  settle(): void {}

  /** Milliseconds until the call fits, pause and the pacing after it included. */
  waitMs(key: string, call: Pick<Call, 'cost'>, now: number): number {
    return Math.max(this.settings.limits.waitMs(key, call.cost, now), this.pauses.waitMs(key, now))
  }

  take(key: string, call: Pick<Call, 'cost'>, now: number): void {
    this.admitted++
    this.settings.limits.take(key, call.cost, now)
    if (this.pauses.any) this.pauses.took(key, now, this.spacingMs())
  }

  pause(key: string | undefined, forMs: number): void {
    const { name, clock } = this.settings
    const now = clock.now()
    if (!this.pauses.pause(key, now + forMs, now)) return
    for (const queue of this.queues.values()) queue.arm()
    if (this.events.active) this.events.emit({ type: 'limiter.paused', policy: name, at: clock.wallNow(), key: key ?? null, forMs })
  }

  resume(key: string | undefined): void {
    const { name, clock } = this.settings
    this.pauses.resume(key)
    for (const queue of this.queues.values()) queue.arm()
    if (this.events.active) this.events.emit({ type: 'limiter.resumed', policy: name, at: clock.wallNow(), key: key ?? null })
  }

  dispose(): void {
    this.disposed = true
    for (const queue of this.queues.values()) queue.refuseAll(refusal('ERR_DISPOSED', this.settings.name))
  }

  refuse(code: ErrorCode, key: string, retryAfterMs: number | undefined): Refusal {
    this.refused++
    const { name, clock } = this.settings
    if (this.events.active) {
      this.events.emit({ type: 'limiter.rejected', policy: name, at: clock.wallNow(), code, key, retryAfterMs: retryAfterMs ?? null })
    }
    return refusal(code, name, retryAfterMs)
  }

  left(waiter: LimitWaiter): void {
    this.queued--
    this.waits?.remove(waiter)
  }

  keyOf(call: Call): string {
    try {
      return this.settings.keyOf(call) ?? ''
    } catch {
      return ''
    }
  }

  private newQueue(key: string): KeyQueue {
    const queue = new KeyQueue(this, key)
    this.queues.set(key, queue)
    return queue
  }

  /** Refused callers come back spread over the resumption, not all at its first moment. */
  private spreadMs(): number {
    return this.settings.random() * this.settings.resumeOverMs
  }

  /** Distance of the calls let in after a pause. */
  private spacingMs(): number {
    const { limits, resumeOverMs } = this.settings
    let spacing = this.queued > 0 ? resumeOverMs / (this.queued + 1) : 0
    for (const { limit, windowMs } of limits.all) if (limit !== Infinity) spacing = Math.max(spacing, Math.min(windowMs / limit, resumeOverMs))
    return spacing
  }
}

function finite(ms: number): number | undefined {
  return ms === Infinity ? undefined : ms
}

/** Those who wait for one key's turn, in order. */
export class KeyQueue implements HeapNode {
  readonly gate: LimiterGate
  readonly key: string
  dueAt = 0
  place = -1
  private first: LimitWaiter | undefined = undefined
  private last: LimitWaiter | undefined = undefined

  constructor(gate: LimiterGate, key: string) {
    this.gate = gate
    this.key = key
  }

  push(waiter: LimitWaiter): void {
    waiter.before = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.after = waiter
    this.last = waiter
    if (this.first === waiter) this.arm()
  }

  remove(waiter: LimitWaiter): void {
    const wasFirst = this.first === waiter
    if (waiter.before === undefined) this.first = waiter.after
    else waiter.before.after = waiter.after
    if (waiter.after === undefined) this.last = waiter.before
    else waiter.after.before = waiter.before
    waiter.before = undefined
    waiter.after = undefined
    waiter.inLine = false
    this.gate.left(waiter)
    if (wasFirst) this.arm()
  }

  /** Waits for the moment at which the first in line fits. */
  arm(): void {
    const heap = deadlineHeap(this.gate.settings.clock)
    heap.remove(this)
    if (this.first === undefined) {
      this.gate.queues.delete(this.key)
      return
    }
    const now = this.gate.settings.clock.now()
    this.dueAt = now + this.gate.waitMs(this.key, this.first.call, now)
    heap.add(this)
  }

  expire(): void {
    const { clock } = this.gate.settings
    while (this.first !== undefined) {
      const now = clock.now()
      const waiter = this.first
      if (this.gate.waitMs(this.key, waiter.call, now) > 0) break
      this.gate.take(this.key, waiter.call, now)
      this.remove(waiter)
      waiter.seat.grant(true)
    }
    this.arm()
  }

  refuseAll(why: Refusal): void {
    for (let waiter = this.first; waiter !== undefined; waiter = this.first) {
      this.remove(waiter)
      waiter.seat.refuse(why)
    }
  }
}

class LimitWaiter implements Waiting, DeadlineNode {
  readonly waiting = true as const
  readonly gate: LimiterGate
  readonly call: Call
  readonly seat: Seat<Admitted>
  readonly queue: KeyQueue
  before: LimitWaiter | undefined = undefined
  after: LimitWaiter | undefined = undefined
  inLine = true
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false

  constructor(gate: LimiterGate, call: Call, seat: Seat<Admitted>, queue: KeyQueue) {
    this.gate = gate
    this.call = call
    this.seat = seat
    this.queue = queue
  }

  cancel(): void {
    if (this.inLine) this.queue.remove(this)
  }

  /** It has waited for the longest time allowed. */
  expire(): void {
    if (!this.inLine) return
    const { clock } = this.gate.settings
    const waitMs = this.gate.waitMs(this.queue.key, this.call, clock.now())
    this.queue.remove(this)
    this.seat.refuse(this.gate.refuse('ERR_RATE_LIMIT_WAIT', this.queue.key, finite(waitMs)))
  }
}
