import type { Call, Priority } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { PrioritisedWaiter, PriorityLine } from '../../core/priority-line.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { BulkheadEvent } from './bulkhead.ts'
import { Hold, type Place } from './place.ts'

/** One call in so many is timed, and each of the first so many: reading the clock twice costs more than the rest of the gate. */
const timedEvery = 64

export interface GateSettings {
  readonly name: string
  readonly clock: Clock
  readonly maxQueued: number
  readonly maxWaitMs: number
  readonly maxHoldMs: number
}

/** Counts places, and keeps those in order who wait for one. */
export class BulkheadGate implements Gate<Place> {
  readonly kind = 'gate' as const
  settings: GateSettings
  readonly events: EventHub<BulkheadEvent>
  maxConcurrent: number
  running = 0
  admitted = 0
  succeeded = 0
  failed = 0
  rejected = 0
  displaced = 0
  expiredWaits = 0
  expiredHolds = 0
  /** Calls that were timed, and how long they held their places in all. */
  timed = 0
  timedMs = 0
  disposed = false
  private readonly sharedPlace: Place = { gate: this, takenAt: undefined, hold: undefined }
  /** How many of the next calls get the shared place. */
  private shared = 0
  private readonly line = new PriorityLine<Waiter>()
  private waits: DeadlineList | undefined
  private holds: DeadlineList | undefined

  constructor(settings: GateSettings, maxConcurrent: number, events: EventHub<BulkheadEvent>) {
    this.settings = settings
    this.events = events
    this.maxConcurrent = maxConcurrent
    this.waits = listOf(settings.clock, settings.maxWaitMs)
    this.holds = listOf(settings.clock, settings.maxHoldMs)
  }

  get queued(): number {
    return this.line.length
  }

  admit(call: Call, seat: Seat<Place> | undefined): Place | Refusal | Waiting {
    if (this.disposed) return refusal('ERR_DISPOSED', this.settings.name)
    if (this.running < this.maxConcurrent) return this.take()
    const { maxQueued, maxWaitMs } = this.settings
    if (seat === undefined || maxQueued === 0) return this.reject('ERR_BULKHEAD_FULL')
    if (maxWaitMs === 0) return this.reject('ERR_BULKHEAD_WAIT')
    if (this.queued >= maxQueued && !this.makeRoomFor(call)) return this.reject('ERR_BULKHEAD_FULL')
    return this.enqueue(new Waiter(this, seat, call.priority))
  }

  admitNow(): Place | undefined {
    return this.running < this.maxConcurrent && !this.disposed ? this.take() : undefined
  }

  settle(_place: Place, ok: boolean, value: unknown, call: Call): void {
    if (ok) this.succeeded++
    else if (verdictOf(ok, value, call) === 'failure') this.failed++
  }

  leave(place: Place): void {
    if (place === this.sharedPlace) this.giveBack()
    else this.leaveOwn(place)
  }

  /** A place is free again. */
  giveBack(): void {
    this.running--
    this.grantFree()
  }

  /** Calls that wait or run keep the times they began with. */
  reconfigure(settings: GateSettings, maxConcurrent: number): void {
    const { clock, maxWaitMs, maxHoldMs } = settings
    if (maxWaitMs !== this.settings.maxWaitMs) this.waits = listOf(clock, maxWaitMs)
    if (maxHoldMs !== this.settings.maxHoldMs) {
      this.holds = listOf(clock, maxHoldMs)
      this.shared = 0 // a shared place cannot be taken back
    }
    this.settings = settings
    this.resize(maxConcurrent)
  }

  resize(maxConcurrent: number): void {
    const from = this.maxConcurrent
    if (maxConcurrent === from) return
    this.maxConcurrent = maxConcurrent
    this.grantFree()
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'bulkhead.resized', policy: name, at: clock.wallNow(), from, to: maxConcurrent })
  }

  resetStatistics(): void {
    this.admitted = this.running
    this.succeeded = 0
    this.failed = 0
    this.rejected = 0
    this.displaced = 0
    this.expiredWaits = 0
    this.expiredHolds = 0
    this.timed = 0
    this.timedMs = 0
    this.shared = 0
  }

  dispose(): void {
    this.disposed = true
    for (let waiter = this.line.shift(); waiter !== undefined; waiter = this.line.shift()) {
      waiter.seat.refuse(refusal('ERR_DISPOSED', this.settings.name))
    }
    this.waits?.clear()
    this.holds?.clear() // no one waits for these places any more
  }

  /** Takes a waiter out of the queue, wherever it stands. */
  remove(waiter: Waiter): void {
    this.line.remove(waiter)
  }

  reject(code: ErrorCode): Refusal {
    this.rejected++
    const { name, clock } = this.settings
    if (this.events.active) {
      this.events.emit({ type: 'bulkhead.rejected', policy: name, at: clock.wallNow(), code, running: this.running, queued: this.queued })
    }
    return refusal(code, name)
  }

  holdExpired(maxHoldMs: number): void {
    this.expiredHolds++
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'bulkhead.hold-expired', policy: name, at: clock.wallNow(), maxHoldMs })
    this.giveBack()
  }

  private take(): Place {
    this.running++
    this.admitted++
    if (this.shared === 0) return this.ownPlace()
    this.shared--
    return this.sharedPlace
  }

  /** A place of which something is to be remembered. */
  private ownPlace(): Place {
    const isTimed = this.admitted <= timedEvery || this.admitted % timedEvery === 0
    const now = this.settings.clock.now()
    const takenAt = isTimed ? now : undefined
    if (this.holds === undefined) {
      if (this.admitted >= timedEvery) this.shared = timedEvery - 1
      return { gate: this, takenAt, hold: undefined }
    }
    const hold = new Hold(this, takenAt, this.holds)
    this.holds.add(hold, now)
    return hold
  }

  private leaveOwn({ takenAt, hold }: Place): void {
    if (hold?.over === true) return
    if (takenAt !== undefined) {
      this.timed++
      this.timedMs += Math.max(0, this.settings.clock.now() - takenAt)
    }
    if (hold === undefined) this.giveBack()
    else hold.end()
  }

  /** In a full queue, a call takes the seat of one that matters less: of the least important, the one that came last. */
  private makeRoomFor(call: Call): boolean {
    const displaced = this.line.lastBelow(call.priority)
    if (displaced === undefined) return false
    this.remove(displaced)
    this.displaced++
    displaced.seat.refuse(this.reject('ERR_BULKHEAD_FULL'))
    return true
  }

  private enqueue(waiter: Waiter): Waiter {
    this.line.push(waiter, this.waits, this.waits === undefined ? 0 : this.settings.clock.now())
    return waiter
  }

  private grantFree(): void {
    while (this.running < this.maxConcurrent) {
      const waiter = this.line.shift()
      if (waiter === undefined) return
      waiter.seat.grant(this.take())
    }
  }
}

function listOf(clock: Clock, durationMs: number): DeadlineList | undefined {
  return durationMs === Infinity ? undefined : new DeadlineList(clock, durationMs)
}

/** A call that waits for a place. */
class Waiter extends PrioritisedWaiter {
  readonly gate: BulkheadGate
  readonly seat: Seat<Place>

  constructor(gate: BulkheadGate, seat: Seat<Place>, priority: Priority) {
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
    this.seat.refuse(this.gate.reject('ERR_BULKHEAD_WAIT'))
  }
}
