import type { Call, Priority } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { deadlineHeap, type HeapNode } from '../../core/deadline-heap.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { PrioritisedWaiter, PriorityLine } from '../../core/priority-line.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import type { ThrottlerEvent } from './throttler.ts'

export interface ThrottlerGateSettings {
  readonly name: string
  readonly clock: Clock
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly maxWaitMs: number
  /** Least time between two starts; 0 for none. */
  readonly spacingMs: number
}

/** Nothing is remembered of a call that runs. */
type Started = true

/** Lets calls start one after the other: as many at a time, and as far apart, as is allowed. */
export class ThrottlerGate implements Gate<Started>, HeapNode {
  readonly kind = 'gate' as const
  settings: ThrottlerGateSettings
  readonly events: EventHub<ThrottlerEvent>
  running = 0
  admitted = 0
  succeeded = 0
  failed = 0
  rejected = 0
  displaced = 0
  expiredWaits = 0
  disposed = false
  dueAt = 0
  place = -1
  /** Monotonic ms before which no further call starts. */
  private nextStartAt = -Infinity
  private readonly line = new PriorityLine<Waiter>()
  private waits: DeadlineList | undefined

  constructor(settings: ThrottlerGateSettings, events: EventHub<ThrottlerEvent>) {
    this.settings = settings
    this.events = events
    this.waits = waitsOf(settings)
  }

  get queued(): number {
    return this.line.length
  }

  admitNow(): Started | undefined {
    return !this.disposed && this.running < this.settings.maxConcurrent && this.line.length === 0 && this.start() ? true : undefined
  }

  admit(call: Call, seat: Seat<Started> | undefined): Started | Refusal | Waiting {
    if (this.disposed) return refusal('ERR_DISPOSED', this.settings.name)
    if (this.admitNow() === true) return true
    const { clock, maxQueued, maxWaitMs } = this.settings
    const leastMs = this.leastWaitMs()
    if (seat === undefined || maxQueued === 0) return this.reject('ERR_THROTTLED', leastMs)
    if (leastMs > maxWaitMs || maxWaitMs === 0 || leastMs > call.deadlineAt - clock.now()) return this.reject('ERR_THROTTLE_WAIT', leastMs)
    if (this.queued >= maxQueued && !this.makeRoomFor(call)) return this.reject('ERR_THROTTLED', leastMs)
    const waiter = new Waiter(this, seat, call.priority)
    this.line.push(waiter, this.waits, this.waits === undefined ? 0 : clock.now())
    this.arm()
    return waiter
  }

  settle(_started: Started, ok: boolean, value: unknown, call: Call): void {
    if (ok) this.succeeded++
    else if (verdictOf(ok, value, call) === 'failure') this.failed++
  }

  leave(): void {
    this.running--
    this.startNext()
  }

  /** The time between two starts is over. */
  expire(): void {
    this.startNext()
  }

  /** Calls that wait stay in line, for as long as they were to wait when they came. */
  reconfigure(settings: ThrottlerGateSettings): void {
    const before = this.settings
    if (settings.maxWaitMs !== before.maxWaitMs) this.waits = waitsOf(settings)
    this.settings = settings
    this.nextStartAt += settings.spacingMs - before.spacingMs
    this.startNext()
  }

  resetStatistics(): void {
    this.admitted = this.running
    this.succeeded = 0
    this.failed = 0
    this.rejected = 0
    this.displaced = 0
    this.expiredWaits = 0
  }

  dispose(): void {
    this.disposed = true
    const { name, clock } = this.settings
    for (let waiter = this.line.shift(); waiter !== undefined; waiter = this.line.shift()) waiter.seat.refuse(refusal('ERR_DISPOSED', name))
    this.waits?.clear()
    deadlineHeap(clock).remove(this)
  }

  /** A waiter gives up. */
  remove(waiter: Waiter): void {
    this.line.remove(waiter)
    if (this.queued === 0) deadlineHeap(this.settings.clock).remove(this)
  }

  reject(code: ErrorCode, retryAfterMs: number): Refusal {
    this.rejected++
    const { name, clock } = this.settings
    if (this.events.active) {
      const { running, queued } = this
      this.events.emit({ type: 'throttler.rejected', policy: name, at: clock.wallNow(), code, running, queued })
    }
    return refusal(code, name, retryAfterMs > 0 ? retryAfterMs : undefined)
  }

  /** How long the next one who comes must wait at least, for the starts of all before it to be far enough apart. */
  leastWaitMs(): number {
    const { spacingMs, clock } = this.settings
    if (spacingMs === 0) return 0
    return Math.max(0, this.nextStartAt - clock.now()) + this.queued * spacingMs
  }

  /** Takes a place if the last start is long enough ago. */
  private start(): boolean {
    const { spacingMs, clock } = this.settings
    if (spacingMs > 0) {
      const now = clock.now()
      if (now < this.nextStartAt) return false
      this.nextStartAt = now + spacingMs
    }
    this.running++
    this.admitted++
    return true
  }

  private startNext(): void {
    while (this.running < this.settings.maxConcurrent && this.queued > 0 && this.start()) this.line.shift()?.seat.grant(true)
    this.arm()
  }

  /** Waits for the next start, if it is only time that the first in line waits for. */
  private arm(): void {
    const { clock, maxConcurrent } = this.settings
    const heap = deadlineHeap(clock)
    heap.remove(this)
    if (this.queued === 0 || this.running >= maxConcurrent) return
    this.dueAt = this.nextStartAt
    heap.add(this)
  }

  /** In a full queue, a call takes the seat of one that matters less: of the least important, the one that came last. */
  private makeRoomFor(call: Call): boolean {
    const displaced = this.line.lastBelow(call.priority)
    if (displaced === undefined) return false
    this.line.remove(displaced)
    this.displaced++
    displaced.seat.refuse(this.reject('ERR_THROTTLED', this.leastWaitMs()))
    return true
  }
}

function waitsOf({ clock, maxWaitMs }: ThrottlerGateSettings): DeadlineList | undefined {
  return maxWaitMs === Infinity ? undefined : new DeadlineList(clock, maxWaitMs)
}

/** A call that waits for its start. */
class Waiter extends PrioritisedWaiter {
  readonly gate: ThrottlerGate
  readonly seat: Seat<Started>

  constructor(gate: ThrottlerGate, seat: Seat<Started>, priority: Priority) {
    super(priority)
    this.gate = gate
    this.seat = seat
  }

  cancel(): void {
    this.gate.remove(this)
  }

  expire(): void {
    this.gate.remove(this)
    this.gate.expiredWaits++
    this.seat.refuse(this.gate.reject('ERR_THROTTLE_WAIT', this.gate.leastWaitMs()))
  }
}
