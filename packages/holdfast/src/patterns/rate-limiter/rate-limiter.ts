import type { Call, Cost } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable, type Permit } from '../../core/permit.ts'
import type { CallOptions, HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import type { Refusal } from '../../core/refusal.ts'
import type { RateLimiterEvent } from './events.ts'
import { LimiterGate, type LimiterSettings } from './limiter-gate.ts'
import { limitOption, limitOptionNames, Limits, newLimits, type Limit, type LimitOptions } from './limits.ts'

export interface RateLimiterQueueOptions {
  /** Calls that may wait for their turn, over all keys. @defaultValue 0 */
  readonly maxQueued?: number
  /** Longest wait. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /** Keys told apart; further ones share the limit of one, so none can exceed it. @defaultValue 100_000 */
  readonly maxKeys?: number
  /** Whose limit a call uses. @defaultValue the call's `key`; calls without one share a limit */
  readonly keyOf?: (call: Call) => string | undefined
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

/** What one key has left of one limit. */
export interface LimitUsage {
  readonly limit: number
  readonly windowMs: number
  readonly used: number
  /** 0 or more. */
  readonly remaining: number
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
  /** Calls whose key had to share a limit, since `maxKeys` was reached. */
  readonly overflowed: number
  readonly [figure: string]: unknown
}

export interface RateLimiter extends Policy<RateLimiterEvent>, Acquirable, Disposable {
  readonly kind: 'rate-limiter'
  status(): RateLimiterStatus
  /** Uses the limit if the cost fits now; answers whether it did. */
  isAllowed(key?: string, cost?: Cost): boolean
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

const queueSettingNames = ['maxQueued', 'maxWait', 'maxKeys', 'keyOf', 'resumeOver'] as const
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

  usage(key = ''): Readonly<Record<string, LimitUsage>> {
    const now = this.gate.now()
    return Object.fromEntries(
      this.limits.all.map((limit) => {
        const used = this.limits.used(limit, key, now)
        return [
          limit.name,
          { limit: limit.limit, windowMs: limit.windowMs, used, remaining: Math.max(0, (limit.algorithm?.capacity ?? Infinity) - used) },
        ]
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

  private checkKey(key: unknown): void {
    if (typeof key !== 'string') throw invalidOption(this.name, 'key', key, 'a text')
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

type QueueSettings = Pick<LimiterSettings, 'maxQueued' | 'maxWaitMs' | 'maxKeys' | 'resumeOverMs' | 'keyOf'>

function queueSettings(name: string, options: RateLimiterSettings): QueueSettings {
  return {
    maxQueued: integerOption(name, 'maxQueued', options.maxQueued ?? 0),
    maxWaitMs: options.maxWait === undefined ? Infinity : durationMs(name, 'maxWait', options.maxWait, { allowInfinity: true }),
    maxKeys: integerOption(name, 'maxKeys', options.maxKeys ?? 100_000, { min: 1 }),
    resumeOverMs: durationMs(name, 'resumeOver', options.resumeOver ?? '1s'),
    keyOf: functionOption(name, 'keyOf', options.keyOf) ?? ((call: Call) => call.key),
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
