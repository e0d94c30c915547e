import type { Call, Priority } from '../../core/call.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { priorities } from '../../core/priority-line.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { QueuedWaiter } from '../../core/wait-list.ts'
import { DelayQueue } from './delay-queue.ts'
import type { ShedReport } from './shed-report.ts'

export interface DelaySettings {
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly targetMs: number
  readonly intervalMs: number
}

const place = {}

/** Lets so many calls run, and sheds by how long the others wait. */
export class DelayGate implements Gate<object> {
  readonly kind = 'gate' as const
  settings: DelaySettings
  readonly report: ShedReport
  running = 0
  disposed = false
  private readonly queue: DelayQueue<DelayWaiter>
  private intervals: DeadlineList

  constructor(settings: DelaySettings, report: ShedReport) {
    this.settings = settings
    this.report = report
    const { clock } = report.settings
    this.queue = new DelayQueue(clock.now())
    this.intervals = new DeadlineList(clock, settings.intervalMs)
  }

  get queued(): number {
    return this.queue.length
  }

  /** Queued calls per seat. */
  get load(): number {
    return this.settings.maxQueued === 0 ? 0 : this.queue.length / this.settings.maxQueued
  }

  admit(call: Call, seat: Seat<object> | undefined): object | Refusal | Waiting {
    const { name, clock } = this.report.settings
    if (this.disposed) return refusal('ERR_DISPOSED', name)
    const now = clock.now()
    this.queue.noteEmpty(now)
    const isStanding = this.stands(now)
    if (this.running < this.settings.maxConcurrent) return this.take()
    if (seat === undefined) return refusal('ERR_WOULD_WAIT', name)
    const rank = priorities.indexOf(call.priority)
    if (this.queue.length >= this.settings.maxQueued) {
      const oldest = this.queue.oldest()
      if (oldest === undefined || oldest.rank > rank || (oldest.rank === rank && !isStanding)) return this.refuse(call.priority, now)
      this.shed(oldest, now) // of the same importance, who has waited long has mostly given up
    }
    const waiter = new DelayWaiter(this, seat, call.priority, rank, now)
    this.queue.push(waiter)
    waiter.deadlines = this.intervals
    this.intervals.add(waiter, now)
    return waiter
  }

  settle(): void {
    // only waiting matters here
  }

  leave(): void {
    this.running--
    this.grantFree()
  }

  /** Whether a call would be shed at once. */
  shouldShed(priority: Priority | number): boolean {
    const now = this.report.settings.clock.now()
    if (priority === 'critical') return false
    return this.running >= this.settings.maxConcurrent && this.stands(now)
  }

  gaveUp(waiter: DelayWaiter): void {
    this.takeOut(waiter)
  }

  waitedTooLong(waiter: DelayWaiter): void {
    this.shed(waiter, this.report.settings.clock.now())
  }

  reconfigure(settings: DelaySettings): void {
    if (settings.intervalMs !== this.settings.intervalMs) this.intervals = new DeadlineList(this.report.settings.clock, settings.intervalMs)
    this.settings = settings
    this.grantFree()
  }

  dispose(): void {
    this.disposed = true
    for (let waiter = this.queue.next(false); waiter !== undefined; waiter = this.queue.next(false)) {
      this.takeOut(waiter)
      waiter.seat.refuse(refusal('ERR_DISPOSED', this.report.settings.name))
    }
  }

  private stands(now: number): boolean {
    const { intervalMs } = this.settings
    const isStanding = this.queue.stands(now, intervalMs)
    this.report.state(isStanding, this.load, now)
    return isStanding
  }

  private grantFree(): void {
    while (this.running < this.settings.maxConcurrent && this.queue.length > 0) {
      const now = this.report.settings.clock.now()
      const isStanding = this.stands(now)
      // dark mode waits as long as it would without
      if (isStanding && !this.report.settings.dark)
        for (const waiter of this.queue.overdue(now - this.settings.targetMs)) {
          if (this.queue.length === 1) break // a place is free: better late than nobody
          this.shed(waiter, now)
        }
      const next = this.queue.next(isStanding && !this.report.settings.dark)
      if (next === undefined) return
      this.takeOut(next)
      next.seat.grant(this.take())
    }
    if (this.queue.length === 0) this.stands(this.report.settings.clock.now())
  }

  private take(): object {
    this.running++
    this.report.admitted++
    return place
  }

  private shed(waiter: DelayWaiter, now: number): void {
    this.takeOut(waiter)
    waiter.seat.refuse(this.refuse(waiter.priority, now))
  }

  /** A full queue turns away in dark mode as well: it is a bound, not a judgement. */
  private refuse(priority: Priority, now: number): Refusal {
    return this.report.refuse(priority, this.load, now) ?? refusal('ERR_LOAD_SHED', this.report.settings.name)
  }

  private takeOut(waiter: DelayWaiter): void {
    this.queue.remove(waiter, this.report.settings.clock.now()) // and ends the watch over its wait
  }
}

/** A call that waits for a place. */
class DelayWaiter extends QueuedWaiter {
  readonly gate: DelayGate
  readonly seat: Seat<object>
  readonly priority: Priority
  readonly rank: number
  readonly queuedAt: number

  constructor(gate: DelayGate, seat: Seat<object>, priority: Priority, rank: number, queuedAt: number) {
    super()
    this.gate = gate
    this.seat = seat
    this.priority = priority
    this.rank = rank
    this.queuedAt = queuedAt
  }

  cancel(): void {
    this.gate.gaveUp(this)
  }

  expire(): void {
    this.gate.waitedTooLong(this)
  }
}
