import type { Call, Cost } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import { errorMatcher, type ErrorMatch } from '../../core/match-error.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable, type Permit } from '../../core/permit.ts'
import type { CallOptions, HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import { isRefusal, type Refusal } from '../../core/refusal.ts'
import type { RateLimiterEvent } from './events.ts'
import { LimiterGate, type LimiterSettings } from './limiter-gate.ts'
import type { LearnedQuota } from './learned-quota.ts'
import type { SentMark } from './learned-quotas.ts'
import { limitOption, limitOptionNames, Limits, newLimits, type Limit, type LimitOptions } from './limits.ts'
import {
  LimiterReservation,
  reserveLater,
  reserveNow,
  type Reservation,
  type ReservationOptions,
  type WaitingReservationOptions,
} from './reservation.ts'

export interface RateLimiterQueueOptions {
  /** Calls that may wait for their turn, over all keys. @defaultValue 0 */
  readonly maxQueued?: number
  /** Of them, calls of one key. @defaultValue as many as maxQueued */
  readonly maxQueuedPerKey?: number
  /** Longest wait. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /** Keys told apart; further ones share the limit of one, so none can exceed it. @defaultValue 100_000 */
  readonly maxKeys?: number
  /** Whose limit a call uses. @defaultValue the call's `key`; calls without one share a limit */
  readonly keyOf?: (call: Call) => string | undefined
  /** What a call that does not say so will use, as far as anybody knows before it. @defaultValue each limit's `defaultCost` */
  readonly costOf?: (call: Call) => Cost | undefined
  /**
   * What a call has used, told by its result (once it has ended, streams included): the difference is given back, or charged.
   * Limits it does not name keep what was reserved, and so do calls that fail. See {@link tokensUsed}.
   */
  readonly actualCost?: (result: unknown, call: Call) => Cost | undefined
  /** Failures after which all that was reserved is given back: nothing was used. @defaultValue only calls that surely never began */
  readonly refundOn?: ErrorMatch
  /** The longest that what a server says (Retry-After, a reset) is believed. @defaultValue '1h' */
  readonly maxPause?: Duration
  /** After a pause, calls come back spread over this time instead of all at once. @defaultValue '1s' */
  readonly resumeOver?: Duration
  /** @defaultValue 'rate-limiter' */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

/** One limit, or several by name that a call uses together: requests and tokens per minute, say. */
export type RateLimiterOptions = RateLimiterQueueOptions & (LimitOptions | { readonly limits: Readonly<Record<string, LimitOptions>> })

/** What may change while a rate limiter is in use. */
export type RateLimiterSettings = Omit<RateLimiterQueueOptions, 'name' | 'clock' | 'random'> &
  (LimitOptions | { readonly limits: Readonly<Record<string, LimitOptions>> })

/** What a server's answers say of a quota. */
export interface LearnedStatus {
  /** null when it does not say. */
  readonly limit: number | null
  readonly remaining: number
  /** Epoch ms. */
  readonly resetAt: number
}

/** What one key has left of one limit. */
export interface LimitUsage {
  readonly limit: number
  readonly windowMs: number
  readonly used: number
  /** 0 or more; what is left here, or by what the server says if that is less. */
  readonly remaining: number
  /** What the server says of its own quota; null when it has said nothing that still holds. */
  readonly learned: LearnedStatus | null
}

/** Where learned figures belong. */
export interface LearnOptions {
  readonly key?: string
  /** Whose key counts, in place of `key`. */
  readonly call?: Call
  /** When the request was sent: what has been taken since, its answer cannot know. */
  readonly sent?: SentMark
}

export interface RateLimiterStatus {
  readonly kind: 'rate-limiter'
  readonly name: string
  readonly limits: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Keys remembered now. */
  readonly keys: number
  readonly queued: number
  readonly admitted: number
  readonly refused: number
  /** Epoch ms at which the latest pause ends; null while nothing is paused. */
  readonly pausedUntil: number | null
  /** By limit: what servers say of the quota of which the least is left, over all keys. */
  readonly learned: Readonly<Record<string, LearnedStatus>>
  /** Calls whose key had to share a limit, since `maxKeys` was reached. */
  readonly overflowed: number
  readonly [figure: string]: unknown
}

export interface RateLimiter extends Policy<RateLimiterEvent>, Acquirable, Disposable {
  readonly kind: 'rate-limiter'
  status(): RateLimiterStatus
  /** Uses the limit if the cost fits now; answers whether it did. */
  isAllowed(key?: string, cost?: Cost): boolean
  /** The same function, limited: another name of {@link Policy.wrap}. */
  limit<This, A extends unknown[], R>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => Promise<Awaited<R>>
  /** Units of the first limit that a key has used and not yet regained: compare with the limit. */
  currentRate(key?: string): number
  /**
   * Takes units before it is known how many will be used, or answers why not; never waits. Settle it when you know.
   * @throws HoldfastError `ERR_INVALID_OPTION` for a cost that is none.
   */
  tryReserve(options?: ReservationOptions): Reservation | Refusal
  /**
   * As {@link RateLimiter.tryReserve}, but waits for its turn where calls may wait.
   * @throws HoldfastError when refused; the reason of an aborted signal.
   */
  reserve(options?: WaitingReservationOptions): Promise<Reservation>
  /**
   * Goes by what a server's answer says of its quotas from now on, until they are reset: never more than the limits here allow, less
   * when less is left. A Response, an error of an SDK, or headers. `retry-after` on 429 pauses the key. What makes no sense is passed over.
   */
  learnFrom(answer: unknown, options?: LearnOptions): void
  /** To be taken when a request is sent, and handed to {@link RateLimiter.learnFrom} with its answer. */
  markSent(of?: Pick<LearnOptions, 'key' | 'call'>): SentMark
  /** What a key has used of each limit. Changes nothing. */
  usage(key?: string): Readonly<Record<string, LimitUsage>>
  /** Lets nobody through for a time, for all keys or one: the quota's owner said 429 to one caller, and meant all. */
  pause(duration: Duration, key?: string): void
  resume(key?: string): void
  /** Corrects what a call used, once it is known: more goes into debt, a negative cost gives back. */
  charge(cost: Cost, key?: string): void
  /** Changes a limit (the first, or the named one); what was used stays used. */
  setLimit(limit: number, options?: { readonly window?: Duration; readonly name?: string }): void
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. What keys have used of limits that keep
   * their names stays used; those who wait stay in line, and wait for the new limits; pauses go on, and figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: RateLimiterSettings): void
  /** Turns all waiters away, and every later call, with `ERR_DISPOSED`. */
  dispose(): void
}

const queueSettingNames = [
  'maxQueued',
  'maxQueuedPerKey',
  'maxWait',
  'maxKeys',
  'keyOf',
  'costOf',
  'actualCost',
  'refundOn',
  'maxPause',
  'resumeOver',
] as const
const settingNames = [...queueSettingNames, ...limitOptionNames, 'limits'] as const

/**
 * Limits how much is done per time, per key, in bounded memory and without a timer per key. Calls that may wait are let in in
 * order. A refusal carries the exact time after which the call fits.
 * @throws HoldfastError `ERR_RATE_LIMITED`, `ERR_RATE_LIMIT_WAIT`, `ERR_QUOTA_PAUSED`.
 * @example `const limit = rateLimiter({ limit: 100, window: '60s' }); if (!limit.isAllowed(userId)) return tooManyRequests()`
 */
export function rateLimiter(options: RateLimiterOptions): RateLimiter {
  return new RateLimiterPolicy(options)
}

class RateLimiterPolicy extends GatePolicy<RateLimiterEvent> implements RateLimiter {
  readonly kind = 'rate-limiter' as const
  readonly [parts]: readonly LimiterGate[]
  protected readonly gate: LimiterGate
  private readonly limits: Limits

  constructor(options: RateLimiterOptions) {
    checkOptionNames('rateLimiter', options, [...settingNames, 'name', 'clock', 'random'])
    const name = nameOption('rate-limiter', options.name)
    super(name, options.clock ?? systemClock)
    const settings = queueSettings(name, options)
    this.limits = new Limits(newLimits(name, namedLimits(name, options)), settings.maxKeys)
    const { clock, limits } = this
    const gateSettings = { ...settings, name, clock, limits, random: options.random ?? Math.random }
    this.gate = new LimiterGate(gateSettings, new EventHub())
    this[parts] = [this.gate]
  }

  reconfigure(options: RateLimiterSettings): void {
    checkOptionNames(this.name, options, settingNames)
    const settings = queueSettings(this.name, options)
    const limits = newLimits(this.name, namedLimits(this.name, options))
    this.limits.reconfigure(limits, settings.maxKeys, this.gate.now())
    this.gate.reconfigure({ ...this.gate.settings, ...settings })
  }

  override tryAcquire(options?: CallOptions): Permit | Refusal {
    this.limits.check(this.name, options?.cost)
    return super.tryAcquire(options)
  }

  override acquire(options?: CallOptions): Promise<Permit> {
    return new Promise((resolve, reject) => {
      this.limits.check(this.name, options?.cost)
      super.acquire(options).then(resolve, reject)
    })
  }

  on(listener: Listener<RateLimiterEvent>): () => void {
    return this.gate.events.on(listener)
  }

  isAllowed(key = '', cost?: Cost): boolean {
    this.checkKey(key)
    this.limits.check(this.name, cost)
    return this.gate.isAllowed(key, cost)
  }

  limit<This, A extends unknown[], R>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => Promise<Awaited<R>> {
    return this.wrap(run)
  }

  currentRate(key = ''): number {
    return this.limits.used(this.limits.all[0] as Limit, key, this.gate.now())
  }

  tryReserve(options?: ReservationOptions): Reservation | Refusal {
    this.limits.check(this.name, options?.cost)
    const answer = reserveNow(this.gate, options)
    return isRefusal(answer) ? answer : new LimiterReservation(this.gate, answer, this.checkActual)
  }

  async reserve(options?: WaitingReservationOptions): Promise<Reservation> {
    this.limits.check(this.name, options?.cost)
    return new LimiterReservation(this.gate, await reserveLater(this.gate, options), this.checkActual)
  }

  learnFrom(answer: unknown, options: LearnOptions = {}): void {
    this.gate.learn(answer, this.keyOf(options), options.sent)
  }

  markSent(of: Pick<LearnOptions, 'key' | 'call'> = {}): SentMark {
    return this.gate.learned.mark(this.keyOf(of), this.gate.now())
  }

  usage(key = ''): Readonly<Record<string, LimitUsage>> {
    const now = this.gate.now()
    return Object.fromEntries(
      this.limits.all.map((limit) => {
        const { name, windowMs, algorithm } = limit
        const used = this.limits.used(limit, key, now)
        const learned = this.gate.learned.find(key, name, now)
        const left = Math.max(0, (algorithm?.capacity ?? Infinity) - used)
        const remaining = Math.min(left, learned?.available(now) ?? Infinity)
        return [name, { limit: limit.limit, windowMs, used, remaining, learned: learned === undefined ? null : this.shown(learned, now) }]
      }),
    )
  }

  pause(duration: Duration, key?: string): void {
    if (key !== undefined) this.checkKey(key)
    this.gate.pause(key, durationMs(this.name, 'duration', duration))
  }

  resume(key?: string): void {
    this.gate.resume(key)
  }

  charge(cost: Cost, key = ''): void {
    this.checkKey(key)
    this.limits.check(this.name, cost, true)
    this.limits.charge(key, cost, this.gate.now())
    this.gate.queues.get(key)?.arm()
  }

  setLimit(limit: number, options: { readonly window?: Duration; readonly name?: string } = {}): void {
    const { name, window } = options
    const changed = name === undefined ? (this.limits.all[0] as Limit) : this.limits.all.find((each) => each.name === name)
    if (changed === undefined) {
      throw new HoldfastError({ code: 'ERR_UNKNOWN_NAME', policy: this.name, message: `${this.name}: there is no limit '${name}'` })
    }
    const units = limitOption(this.name, limit, changed.leastLimit)
    if ((units === Infinity) !== (changed.limit === Infinity))
      throw invalidOption(this.name, 'limit', limit, 'finite, or not, as it was made')
    const windowMs = window === undefined ? changed.windowMs : durationMs(this.name, 'window', window, { min: 1 })
    changed.algorithm?.change({ limit: units, windowMs, burst: changed.burst }, this.gate.now())
    changed.limit = units
    changed.windowMs = windowMs
    this.gate.rearm()
  }

  describe(): PolicyDescription {
    const { maxQueued, maxWaitMs, maxKeys, resumeOverMs } = this.gate.settings
    const limits = Object.fromEntries(
      this.limits.all.map((limit) => [limit.name, { ...limit.description, limit: limit.limit, windowMs: limit.windowMs }]),
    )
    return { kind: this.kind, name: this.name, limits, maxQueued, ...(maxWaitMs === Infinity ? {} : { maxWaitMs }), maxKeys, resumeOverMs }
  }

  status(): RateLimiterStatus {
    const { gate, clock } = this
    const now = gate.now()
    const pausedUntil = gate.pauses.latest(now)
    return {
      kind: this.kind,
      name: this.name,
      limits: Object.fromEntries(this.limits.all.map(({ name, limit, windowMs }) => [name, { limit, windowMs }])),
      keys: this.limits.slots.size,
      queued: gate.queued,
      admitted: gate.admitted,
      refused: gate.refused,
      pausedUntil: pausedUntil === undefined ? null : clock.wallNow() + pausedUntil - now,
      learned: Object.fromEntries([...gate.learned.tightestByLimit(now)].map(([name, quota]) => [name, this.shown(quota, now)])),
      overflowed: this.limits.slots.overflowed,
    }
  }

  override health(): HealthRecord {
    if (this.gate.disposed) return { status: 'fail', reason: `rate limiter '${this.name}' has been disposed of` }
    const now = this.gate.now()
    const pausedUntil = this.gate.pauses.latest(now)
    if (pausedUntil === undefined) return { status: 'pass' }
    return { status: 'warn', reason: `quota '${this.name}' is paused for another ${Math.ceil((pausedUntil - now) / 1_000)} s` }
  }

  dispose(): void {
    this.gate.dispose()
  }

  private readonly checkActual = (actual: Cost | undefined): void => this.limits.check(this.name, actual)

  private shown(quota: LearnedQuota, now: number): LearnedStatus {
    return { limit: quota.limit ?? null, remaining: quota.available(now), resetAt: this.clock.wallNow() + quota.resetAt - now }
  }

  private keyOf({ key = '', call }: Pick<LearnOptions, 'key' | 'call'>): string {
    this.checkKey(key)
    return call === undefined ? key : this.gate.keyOf(call)
  }

  private checkKey(key: unknown): void {
    if (typeof key !== 'string') throw invalidOption(this.name, 'key', key, 'a text')
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

type QueueSettings = Omit<LimiterSettings, 'name' | 'clock' | 'limits' | 'random'>

function queueSettings(name: string, options: RateLimiterSettings): QueueSettings {
  const maxQueued = integerOption(name, 'maxQueued', options.maxQueued ?? 0)
  return {
    maxQueued,
    maxQueuedPerKey: integerOption(name, 'maxQueuedPerKey', options.maxQueuedPerKey ?? maxQueued),
    maxWaitMs: options.maxWait === undefined ? Infinity : durationMs(name, 'maxWait', options.maxWait, { allowInfinity: true }),
    maxKeys: integerOption(name, 'maxKeys', options.maxKeys ?? 100_000, { min: 1 }),
    resumeOverMs: durationMs(name, 'resumeOver', options.resumeOver ?? '1s'),
    maxPauseMs: durationMs(name, 'maxPause', options.maxPause ?? '1h', { allowInfinity: true }),
    keyOf: functionOption(name, 'keyOf', options.keyOf) ?? ((call: Call) => call.key),
    costOf: functionOption(name, 'costOf', options.costOf),
    actualCost: functionOption(name, 'actualCost', options.actualCost),
    refundOn: options.refundOn === undefined ? undefined : errorMatcher(name, 'refundOn', options.refundOn),
  }
}

function namedLimits(owner: string, options: RateLimiterSettings): Readonly<Record<string, LimitOptions>> {
  if ('limits' in options) {
    const doubled = limitOptionNames.find((name) => name in options)
    if (doubled !== undefined) throw invalidOption(owner, doubled, Reflect.get(options, doubled), "inside 'limits', when 'limits' is given")
    if (typeof options.limits !== 'object' || options.limits === null)
      throw invalidOption(owner, 'limits', options.limits, 'an object of limits by name')
    return options.limits
  }
  const single: Record<string, unknown> = {}
  for (const name of limitOptionNames) if (options[name] !== undefined) single[name] = options[name]
  return { requests: single as unknown as LimitOptions }
}
