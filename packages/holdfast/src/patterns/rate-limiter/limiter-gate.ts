import type { Call, Cost } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import type { Random } from '../../core/random.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import type { RateLimiterEvent } from './events.ts'
import { KeyQueue, LimitWaiter } from './key-queue.ts'
import type { Limits } from './limits.ts'
import { Pauses, type Pace } from './pauses.ts'

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
  settings: LimiterSettings
  readonly events: EventHub<RateLimiterEvent>
  readonly pauses: Pauses
  readonly queues = new Map<string, KeyQueue>()
  admitted = 0
  refused = 0
  queued = 0
  disposed = false
  private waits: DeadlineList | undefined
  private readAt = -Infinity
  private steppedBackMs = 0

  constructor(settings: LimiterSettings, events: EventHub<RateLimiterEvent>) {
    this.settings = settings
    this.events = events
    this.pauses = new Pauses(settings.maxKeys, settings.resumeOverMs)
    this.waits = waitsOf(settings)
  }

  /** Calls that wait stay in line, for as long as they were to wait when they came. Limits are changed by their owner. */
  reconfigure(settings: LimiterSettings): void {
    const { maxWaitMs, maxKeys, resumeOverMs } = settings
    if (maxWaitMs !== this.settings.maxWaitMs) this.waits = waitsOf(settings)
    this.settings = settings
    this.pauses.reconfigure(maxKeys, resumeOverMs)
    this.rearm()
  }

  /** The clock's time, but never going back: a clock that does neither frees what was used nor holds it for longer. */
  now(): number {
    const readAt = this.settings.clock.now()
    if (readAt < this.readAt) this.steppedBackMs += this.readAt - readAt
    this.readAt = readAt
    return readAt + this.steppedBackMs
  }

  admit(call: Call, seat: Seat<Admitted> | undefined): Admitted | Refusal | Waiting {
    if (this.disposed) return refusal('ERR_DISPOSED', this.settings.name)
    if (this.admitNow(call) !== undefined) return true
    const now = this.now()
    const key = this.keyOf(call)
    const queue = this.queueOf(key)
    const waitMs = this.waitBehind(queue, key, call.cost, now)
    const { clock, maxQueued, maxWaitMs } = this.settings
    if (seat === undefined || this.queued >= maxQueued || waitMs === Infinity) return this.refuse(key, waitMs, now)
    if (waitMs > maxWaitMs || waitMs > call.deadlineAt - clock.now()) return this.refuse(key, waitMs, now, 'ERR_RATE_LIMIT_WAIT')
    return this.enqueue(new LimitWaiter(call, seat, queue ?? this.newQueue(key)))
  }

  admitNow(call: Call): Admitted | undefined {
    if (this.disposed) return undefined
    const now = this.now()
    const key = this.keyOf(call)
    if (this.queueOf(key) !== undefined || !this.take(key, call.cost, now)) return undefined
    this.came(key, now)
    return true
  }

  settle(): void {}

  /** As {@link LimiterGate.admit}, of a call that exists only as its key and cost, and never waits. */
  isAllowed(key: string, cost: Cost | undefined): boolean {
    if (this.disposed) return false
    const now = this.now()
    const queue = this.queueOf(key)
    if (queue === undefined && this.take(key, cost, now)) {
      this.came(key, now)
      return true
    }
    if (this.events.active) this.refuse(key, this.waitBehind(queue, key, cost, now), now)
    else this.refused++
    return false
  }

  /** Milliseconds until the cost fits, pause and the pacing after it included. */
  waitMs(key: string, cost: Cost | undefined, now: number): number {
    const waitMs = this.settings.limits.waitMs(key, cost, now)
    return this.pauses.isActive(now) ? Math.max(waitMs, this.pauses.waitMs(key, now)) : waitMs
  }

  /** Uses the cost if it fits now; answers whether it did. */
  take(key: string, cost: Cost | undefined, now: number): boolean {
    if (this.pauses.isActive(now) && this.pauses.waitMs(key, now) > 0) return false
    if (!this.settings.limits.tryTake(key, cost, now)) return false
    this.admitted++
    return true
  }

  /** A call was let in, and waits no more if it did. */
  came(key: string, now: number): void {
    if (!this.pauses.isActive(now)) return
    this.pauses.took(key, now, this.pace(this.queued, this.settings.limits.slots.size), this.pace(this.queueOf(key)?.length ?? 0, 1))
  }

  pause(key: string | undefined, forMs: number): void {
    const { name, clock } = this.settings
    const now = this.now()
    if (!this.pauses.pause(key, now + forMs, now)) return
    this.rearm()
    if (this.events.active) this.events.emit({ type: 'limiter.paused', policy: name, at: clock.wallNow(), key: key ?? null, forMs })
  }

  resume(key: string | undefined): void {
    const { name, clock } = this.settings
    this.pauses.resume(key)
    this.rearm()
    if (this.events.active) this.events.emit({ type: 'limiter.resumed', policy: name, at: clock.wallNow(), key: key ?? null })
  }

  /** What those wait for who wait has changed. */
  rearm(): void {
    for (const queue of this.queues.values()) queue.arm()
  }

  dispose(): void {
    this.disposed = true
    for (const queue of this.queues.values()) queue.refuseAll(refusal('ERR_DISPOSED', this.settings.name))
    this.waits?.clear()
  }

  refuse(key: string, waitMs: number, now: number, code?: ErrorCode): Refusal {
    this.refused++
    const { name, clock } = this.settings
    const isPaused = waitMs !== Infinity && this.pauses.isActive(now) && this.pauses.until(key) > now
    const reason = isPaused ? 'ERR_QUOTA_PAUSED' : (code ?? 'ERR_RATE_LIMITED')
    const retryAfterMs = waitMs === Infinity ? undefined : waitMs + this.spreadMs(key, now + waitMs)
    if (this.events.active) {
      this.events.emit({
        type: 'limiter.rejected',
        policy: name,
        at: clock.wallNow(),
        code: reason,
        key,
        retryAfterMs: retryAfterMs ?? null,
      })
    }
    return refusal(reason, name, retryAfterMs)
  }

  /** Callers that come back after a pause are spread over the resumption: not all shall come at its first moment. */
  spreadMs(key: string, at: number): number {
    const pacedMs = this.pauses.pacedMs(key, at)
    return pacedMs === 0 ? 0 : this.settings.random() * pacedMs
  }

  private keyOf(call: Call): string {
    try {
      const key = this.settings.keyOf(call) ?? ''
      return typeof key === 'string' ? key : String(key)
    } catch {
      return ''
    }
  }

  private queueOf(key: string): KeyQueue | undefined {
    return this.queued === 0 ? undefined : this.queues.get(key)
  }

  private waitBehind(queue: KeyQueue | undefined, key: string, cost: Cost | undefined, now: number): number {
    const waitMs = this.waitMs(key, cost, now)
    return queue === undefined ? waitMs : Math.max(waitMs, queue.remainingMs())
  }

  private newQueue(key: string): KeyQueue {
    const queue = new KeyQueue(this, key)
    this.queues.set(key, queue)
    return queue
  }

  private enqueue(waiter: LimitWaiter): LimitWaiter {
    this.queued++
    waiter.queue.push(waiter, this.waits, this.settings.clock.now())
    return waiter
  }

  /** After a pause, calls come back no faster than the limits allow so many keys in the long run. */
  private pace(waiting: number, keys: number): Pace {
    const { limits, resumeOverMs } = this.settings
    let leastSpacingMs = 0
    for (const { limit, windowMs } of limits.all) leastSpacingMs = Math.max(leastSpacingMs, windowMs / limit / Math.max(1, keys))
    return { waiting, leastSpacingMs: Math.min(leastSpacingMs, resumeOverMs) }
  }
}

function waitsOf({ clock, maxWaitMs }: LimiterSettings): DeadlineList | undefined {
  return maxWaitMs === Infinity ? undefined : new DeadlineList(clock, maxWaitMs)
}
