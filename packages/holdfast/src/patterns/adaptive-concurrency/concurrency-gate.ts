import type { Call } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Seat, Waiting } from '../../core/layer.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import type { Share, Shares } from '../../core/shares.ts'
import type { ConcurrencyAlgorithm, ConcurrencySample } from './algorithm.ts'
import type { AdaptiveConcurrencyEvent } from './events.ts'
import { outcomeOf, type CallOutcome } from './outcome.ts'
import { ShareLines, ShareWaiter, type WaiterOwner } from './waiters.ts'

/** Changes of the limit are told at most once in so many ms. */
const changesEveryMs = 1_000

export interface ConcurrencySettings {
  readonly name: string
  readonly clock: Clock
  readonly minLimit: number
  readonly maxLimit: number
  readonly maxQueued: number
  readonly maxWaitMs: number
  readonly shares: Shares | undefined
  readonly classify: ((ok: boolean, value: unknown) => CallOutcome | undefined) | undefined
}

/** A place that a call holds, and what is to be known of it when the call ends. */
export interface HeldPlace {
  readonly startedAt: number
  readonly inFlight: number
  readonly share: Share | undefined
}

/** Keeps to the limit of an algorithm, tells the algorithm how calls went, and keeps those in order who wait for a place. */
export class ConcurrencyGate implements Gate<HeldPlace>, WaiterOwner<HeldPlace> {
  readonly kind = 'gate' as const
  settings: ConcurrencySettings
  readonly events: EventHub<AdaptiveConcurrencyEvent>
  algorithm: ConcurrencyAlgorithm
  /** The algorithm's limit, cut to whole numbers within the bounds. */
  limit: number
  running = 0
  admitted = 0
  succeeded = 0
  failed = 0
  dropped = 0
  rejected = 0
  displaced = 0
  expiredWaits = 0
  disposed = false
  private turns = 0
  private toldLimit: number
  private toldAt = -Infinity
  private readonly lines = new ShareLines<HeldPlace>()
  private waits: DeadlineList | undefined

  constructor(settings: ConcurrencySettings, algorithm: ConcurrencyAlgorithm, events: EventHub<AdaptiveConcurrencyEvent>) {
    this.settings = settings
    this.events = events
    this.algorithm = algorithm
    this.limit = settings.minLimit
    this.readLimit()
    this.toldLimit = this.limit
    this.waits = waitsOf(settings)
  }

  get queued(): number {
    return this.lines.length
  }

  admit(call: Call, seat: Seat<HeldPlace> | undefined): HeldPlace | Refusal | Waiting {
    const { name, clock, maxQueued, maxWaitMs, shares } = this.settings
    if (this.disposed) return refusal('ERR_DISPOSED', name)
    const share = shares?.of(call)
    const now = clock.now()
    if (this.mayHave(share)) return this.take(share, now)
    this.tellBlocked(now)
    if (this.mayHave(share)) return this.take(share, now)
    if (seat === undefined || maxQueued === 0 || maxWaitMs === 0) return this.reject(share)
    if (this.lines.length >= maxQueued && !this.makeRoomFor(call)) return this.reject(share)
    const waiter = new ShareWaiter(this, seat, call, share, ++this.turns)
    this.lines.push(waiter, this.waits, now)
    return waiter
  }

  settle(place: HeldPlace, ok: boolean, value: unknown, call: Call): void {
    const outcome = this.outcomeOf(ok, value, call)
    if (outcome === 'success') this.succeeded++
    else if (outcome === 'dropped') this.dropped++
    else if (outcome === 'failure') this.failed++
    if (outcome !== 'success' && outcome !== 'dropped') return
    const now = this.settings.clock.now()
    this.learn({ startedAt: place.startedAt, rttMs: now - place.startedAt, inFlight: place.inFlight, dropped: outcome === 'dropped' }, now)
  }

  leave({ share }: HeldPlace): void {
    this.running--
    if (share !== undefined) share.inUse--
    this.grantFree()
  }

  gaveUp(waiter: ShareWaiter<HeldPlace>): void {
    this.lines.remove(waiter)
  }

  waitExpired(waiter: ShareWaiter<HeldPlace>): void {
    this.lines.remove(waiter)
    this.expiredWaits++
    waiter.seat.refuse(this.reject(waiter.share))
  }

  /** Calls that wait keep the longest wait they came with, and the place in line. */
  reconfigure(settings: ConcurrencySettings, algorithm: ConcurrencyAlgorithm): void {
    if (settings.maxWaitMs !== this.settings.maxWaitMs) this.waits = waitsOf(settings)
    this.settings = settings
    this.algorithm = algorithm
    this.readLimit()
    this.grantFree()
  }

  dispose(): void {
    this.disposed = true
    for (let waiter = this.lines.next(anyone); waiter !== undefined; waiter = this.lines.next(anyone)) {
      this.lines.remove(waiter)
      waiter.seat.refuse(refusal('ERR_DISPOSED', this.settings.name))
    }
    this.waits?.clear()
  }

  /** A place is free for all, or the share has not used up what it is guaranteed. */
  private readonly mayHave = (share: Share | undefined): boolean =>
    this.running < this.limit || (share !== undefined && share.hasRoom(this.limit))

  private take(share: Share | undefined, now: number): HeldPlace {
    this.running++
    this.admitted++
    if (share !== undefined) {
      share.inUse++
      share.admitted++
    }
    return { startedAt: now, inFlight: this.running, share }
  }

  private grantFree(): void {
    if (this.lines.length === 0) return
    const now = this.settings.clock.now()
    for (let waiter = this.lines.next(this.mayHave); waiter !== undefined; waiter = this.lines.next(this.mayHave)) {
      this.lines.remove(waiter)
      waiter.seat.grant(this.take(waiter.share, now))
    }
  }

  /** A full queue is no reason to turn away the more important call. */
  private makeRoomFor(call: Call): boolean {
    const last = this.lines.lastBelow(call)
    if (last === undefined) return false
    this.lines.remove(last)
    this.displaced++
    last.seat.refuse(this.reject(last.share))
    return true
  }

  private reject(share: Share | undefined): Refusal {
    this.rejected++
    if (share !== undefined) share.rejected++
    const { name, clock } = this.settings
    const code: ErrorCode = 'ERR_CONCURRENCY_LIMITED'
    if (this.events.active) {
      const { limit, running, queued } = this
      this.events.emit({ type: 'concurrency.rejected', policy: name, at: clock.wallNow(), code, limit, running, queued })
    }
    return refusal(code, name)
  }

  private outcomeOf(ok: boolean, value: unknown, call: Call): CallOutcome {
    const { classify } = this.settings
    const usual = outcomeOf(ok, value, call)
    if (classify === undefined || usual === 'ignored') return usual
    try {
      return classify(ok, value) ?? usual
    } catch (error) {
      this.callbackFailed('classify', error)
      return usual
    }
  }

  private tellBlocked(now: number): void {
    if (this.algorithm.onBlocked === undefined) return
    try {
      this.algorithm.onBlocked(now)
    } catch (error) {
      this.callbackFailed('algorithm.onBlocked', error)
    }
    this.readLimit()
  }

  private learn(sample: ConcurrencySample, now: number): void {
    try {
      this.algorithm.onSample(sample, now)
    } catch (error) {
      this.callbackFailed('algorithm.onSample', error)
    }
    if (this.algorithm.limit === this.limit) return
    const before = this.limit
    this.readLimit()
    if (this.limit > before) this.grantFree()
    if (this.events.active) this.tellLimit(now)
  }

  /** An algorithm of the user's may answer anything. */
  private readLimit(): void {
    const { limit } = this.algorithm
    if (Number.isNaN(limit)) return
    const { minLimit, maxLimit } = this.settings
    this.limit = Math.max(minLimit, Math.min(maxLimit, Math.floor(limit)))
  }

  private tellLimit(now: number): void {
    if (this.limit === this.toldLimit || now - this.toldAt < changesEveryMs) return
    const from = this.toldLimit
    this.toldLimit = this.limit
    this.toldAt = now
    const { name, clock } = this.settings
    this.events.emit({ type: 'concurrency.limit-changed', policy: name, at: clock.wallNow(), from, to: this.limit })
  }

  private callbackFailed(callback: string, error: unknown): void {
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'concurrency.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }
}

function anyone(): boolean {
  return true
}

function waitsOf({ clock, maxWaitMs }: ConcurrencySettings): DeadlineList | undefined {
  return maxWaitMs === Infinity ? undefined : new DeadlineList(clock, maxWaitMs)
}
