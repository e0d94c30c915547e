import type { Call, Cost } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { EventHub } from '../../core/events.ts'
import { neverRan } from '../../core/frame.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { isThenable } from '../../core/predicate.ts'
import type { Random } from '../../core/random.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import type { RateLimiterEvent } from './events.ts'
import { Holding } from './holding.ts'
import { KeyQueue, LimitWaiter } from './key-queue.ts'
import { LearnedQuotas, type SentMark } from './learned-quotas.ts'
import type { Limits } from './limits.ts'
import { Pauses, type Pace } from './pauses.ts'
import { readRateNews } from './quota-news.ts'

export interface LimiterSettings {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly limits: Limits
  readonly maxQueued: number
  readonly maxQueuedPerKey: number
  readonly maxWaitMs: number
  readonly maxKeys: number
  readonly resumeOverMs: number
  readonly maxPauseMs: number
  readonly keyOf: (call: Call) => string | undefined
  readonly costOf: ((call: Call) => Cost | undefined) | undefined
  readonly actualCost: ((result: unknown, call: Call) => Cost | undefined) | undefined
  readonly refundOn: ((error: unknown) => boolean) | undefined
}

/** Of a call whose cost is never corrected, nothing is remembered. */
export type Admitted = true | Holding

/** Admits what fits under the limits; keeps those in order who may wait. */
export class LimiterGate implements Gate<Admitted> {
  readonly kind = 'gate' as const
  settings: LimiterSettings
  readonly events: EventHub<RateLimiterEvent>
  readonly pauses: Pauses
  readonly learned: LearnedQuotas
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
    this.learned = new LearnedQuotas(settings.limits, settings.maxKeys)
    this.waits = waitsOf(settings)
  }

  /** Calls that wait stay in line, for as long as they were to wait when they came. Limits are changed by their owner. */
  reconfigure(settings: LimiterSettings): void {
    const { maxWaitMs, maxKeys, resumeOverMs } = settings
    if (maxWaitMs !== this.settings.maxWaitMs) this.waits = waitsOf(settings)
    this.settings = settings
    this.pauses.reconfigure(maxKeys, resumeOverMs)
    this.learned.reconfigure(maxKeys)
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
    const now = this.now()
    const key = this.keyOf(call)
    const cost = this.costOf(call)
    const queue = this.queueOf(key)
    if (queue === undefined && this.take(key, cost, now)) {
      this.came(key, now)
      return this.admission(key, cost, now)
    }
    const waitMs = this.waitBehind(queue, key, cost, now)
    const { clock, maxWaitMs } = this.settings
    if (seat === undefined || !this.hasSeat(queue) || waitMs === Infinity) return this.refuse(key, waitMs, now)
    if (waitMs > maxWaitMs || waitMs > call.deadlineAt - clock.now()) return this.refuse(key, waitMs, now, 'ERR_RATE_LIMIT_WAIT')
    return this.enqueue(new LimitWaiter(cost, seat, queue ?? this.newQueue(key)))
  }

  admitNow(call: Call): Admitted | undefined {
    if (this.disposed || this.settings.costOf !== undefined) return undefined
    const now = this.now()
    const key = this.keyOf(call)
    if (this.queueOf(key) !== undefined || !this.take(key, call.cost, now)) return undefined
    this.came(key, now)
    return this.admission(key, call.cost, now)
  }

  settle(permit: Admitted, ok: boolean, value: unknown, call: Call): void {
    if (permit !== true) this.reconcile(permit, ok, value, call)
  }

  /** The permit of a call that was let in just now. */
  admission(key: string, cost: Cost | undefined, now: number): Admitted {
    const { actualCost, refundOn, limits } = this.settings
    return actualCost === undefined && refundOn === undefined ? true : limits.hold(key, cost, now)
  }

  /** What a call that was let in just now has reserved. */
  holdNow(key: string, cost: Cost | undefined): Holding {
    return this.settings.limits.hold(key, cost, this.now())
  }

  /** Puts right what a call has used, as far as that is known. */
  settleHolding(holding: Holding, actual: Cost | undefined): void {
    if (this.settings.limits.settle(holding, actual, this.now())) this.queues.get(holding.key)?.arm()
  }

  cancelHolding(holding: Holding): void {
    if (this.settings.limits.cancel(holding, this.now())) this.queues.get(holding.key)?.arm()
  }

  /** Believes what a server's answer says about its quotas. */
  learn(source: unknown, key: string, mark: SentMark | undefined): void {
    const { clock, maxPauseMs } = this.settings
    const { quotas, pauseMs } = readRateNews(source, clock.wallNow())
    if (quotas.length === 0 && pauseMs === undefined) return
    const now = this.now()
    const usedUpUntil = this.learned.learn(key, quotas, mark, maxPauseMs, now)
    if (usedUpUntil !== undefined) this.pause(key, usedUpUntil - now)
    if (pauseMs !== undefined) this.pause(key, Math.min(pauseMs, maxPauseMs))
    this.queues.get(key)?.arm()
  }

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
    let waitMs = this.settings.limits.waitMs(key, cost, now)
    if (this.learned.keys.size > 0) waitMs = Math.max(waitMs, this.learned.waitMs(key, cost, now))
    return this.pauses.isActive(now) ? Math.max(waitMs, this.pauses.waitMs(key, now)) : waitMs
  }

  /** Uses the cost if it fits now; answers whether it did. */
  take(key: string, cost: Cost | undefined, now: number): boolean {
    if (this.pauses.isActive(now) && this.pauses.waitMs(key, now) > 0) return false
    const learns = this.learned.keys.size > 0
    if (learns && this.learned.waitMs(key, cost, now) > 0) return false
    if (!this.settings.limits.tryTake(key, cost, now)) return false
    this.admitted++
    if (learns) this.tookLearned(key, cost, now)
    return true
  }

  /** A call was let in, and waits no more if it did. */
  came(key: string, now: number): void {
    if (!this.pauses.isActive(now)) return
    this.pauses.took(key, now, this.pace(this.queued, this.settings.limits.slots.size), this.pace(this.queueOf(key)?.length ?? 0, 1))
  }

  pause(key: string | undefined, forMs: number): void {
    const now = this.now()
    if (!this.pauses.pause(key, now + forMs, now)) return
    this.rearm()
    this.announcePause(key, forMs)
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

  private tookLearned(key: string, cost: Cost | undefined, now: number): void {
    const usedUpUntil = this.learned.took(key, cost, now)
    if (usedUpUntil !== undefined && this.pauses.pause(key, usedUpUntil, now)) this.announcePause(key, usedUpUntil - now)
  }

  private announcePause(key: string | undefined, forMs: number): void {
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'limiter.paused', policy: name, at: clock.wallNow(), key: key ?? null, forMs })
  }

  private reconcile(holding: Holding, ok: boolean, value: unknown, call: Call): void {
    const { actualCost, refundOn } = this.settings
    if (ok) this.settleHolding(holding, actualCost === undefined ? undefined : this.ask('actualCost', () => actualCost(value, call)))
    else if (value === neverRan || (refundOn !== undefined && this.ask('refundOn', () => refundOn(value)) === true))
      this.cancelHolding(holding)
    else this.settleHolding(holding, undefined)
  }

  /** What a call uses before anybody knows better. */
  costOf(call: Call): Cost | undefined {
    const { costOf } = this.settings
    return costOf === undefined || call.cost !== undefined ? call.cost : this.ask('costOf', () => costOf(call))
  }

  /** The answer of a user's function, which is needed at once; undefined when it has none. */
  private ask<T>(callback: string, run: () => T): T | undefined {
    let failure: unknown
    try {
      const answer = run() ?? undefined
      if (!isThenable(answer)) return answer
      Promise.resolve(answer).catch(() => undefined)
      failure = new TypeError(`${callback} must answer at once, not with a promise`)
    } catch (error) {
      failure = error
    }
    const { name, clock } = this.settings
    if (this.events.active) {
      this.events.emit({ type: 'limiter.callback-failed', policy: name, at: clock.wallNow(), callback, error: failure })
    }
    return undefined
  }

  private hasSeat(queue: KeyQueue | undefined): boolean {
    const { maxQueued, maxQueuedPerKey } = this.settings
    return this.queued < maxQueued && (queue === undefined ? 0 : queue.length) < maxQueuedPerKey
  }

  /** Whose limit a call uses. */
  keyOf(call: Call): string {
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
