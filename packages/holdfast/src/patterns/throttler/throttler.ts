import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import { checkOptionNames, integerOption, invalidOption, nameOption, numberOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import { ThrottlerGate, type ThrottlerGateSettings } from './throttler-gate.ts'

export interface ThrottlerOptions {
  /** Calls that may run at the same time, 1 or more. @defaultValue no limit; then `perSecond` or `spacing` is required */
  readonly maxConcurrent?: number
  /** Calls that may start per second, evenly spread: 4 is one every 250 ms. Either this or `spacing`. @defaultValue no limit */
  readonly perSecond?: number
  /** Least time between two starts. @defaultValue none */
  readonly spacing?: Duration
  /**
   * Calls that may wait: higher priorities first, and within one priority those who came first. In a full queue, a call takes the
   * seat of the last one with a lower priority. @defaultValue 100
   */
  readonly maxQueued?: number
  /** Longest wait. Calls that would surely wait longer are refused at once. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /** @defaultValue 'throttler' */
  readonly name?: string
  readonly clock?: Clock
}

/** What may change while a throttler is in use. */
export type ThrottlerSettings = Omit<ThrottlerOptions, 'name' | 'clock'>

export interface ThrottlerEvent extends PolicyEvent {
  readonly type: 'throttler.rejected'
  readonly code: ErrorCode
  readonly running: number
  readonly queued: number
}

export interface ThrottlerStatus {
  readonly kind: 'throttler'
  readonly name: string
  /** null when there is no limit. */
  readonly maxConcurrent: number | null
  /** 0 when there is none. */
  readonly spacingMs: number
  readonly maxQueued: number
  readonly running: number
  readonly queued: number
  /** How long a call that came now would have to wait at least, for its start to be far enough from the others, in ms. */
  readonly leastWaitMs: number
  /** Calls that were started, ever. */
  readonly admitted: number
  readonly succeeded: number
  readonly failed: number
  /** Calls that were not, ever, those that waited in vain included. */
  readonly rejected: number
  /** Of those rejected: a call of higher priority took their seat in a full queue. */
  readonly displaced: number
  readonly expiredWaits: number
  readonly [figure: string]: unknown
}

export interface Throttler extends Policy<ThrottlerEvent>, Acquirable, Disposable {
  readonly kind: 'throttler'
  status(): ThrottlerStatus
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. Those who wait stay in line; figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: ThrottlerSettings): void
  /** Sets the totals to zero. */
  resetStatistics(): void
  /** Turns all waiters away, and every later call, with `ERR_DISPOSED`. */
  dispose(): void
}

const settingNames = ['maxConcurrent', 'perSecond', 'spacing', 'maxQueued', 'maxWait'] as const

/**
 * Makes calls wait so that only so many run at once, and no two start too close to each other. Where a bulkhead turns calls away
 * and a rate limiter counts them, a throttler has them come one after the other.
 * @throws HoldfastError `ERR_THROTTLED` when as many wait as may; `ERR_THROTTLE_WAIT` when the wait is, or would be, too long.
 * @example `{ using place = await throttler({ maxConcurrent: 10, perSecond: 50 }).acquire(); await work() }`
 */
export function throttler(options: ThrottlerOptions): Throttler {
  return new ThrottlerPolicy(options)
}

class ThrottlerPolicy extends GatePolicy<ThrottlerEvent> implements Throttler {
  readonly kind = 'throttler' as const
  readonly [parts]: readonly ThrottlerGate[]
  protected readonly gate: ThrottlerGate

  constructor(options: ThrottlerOptions) {
    checkOptionNames('throttler', options, [...settingNames, 'name', 'clock'])
    const name = nameOption('throttler', options.name)
    super(name, options.clock ?? systemClock)
    this.gate = new ThrottlerGate(gateSettings(name, this.clock, options), new EventHub())
    this[parts] = [this.gate]
  }

  on(listener: Listener<ThrottlerEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    const { maxConcurrent, spacingMs, maxQueued, maxWaitMs } = this.gate.settings
    return {
      kind: this.kind,
      name: this.name,
      ...(maxConcurrent === Infinity ? {} : { maxConcurrent }),
      ...(spacingMs === 0 ? {} : { spacingMs }),
      maxQueued,
      ...(maxWaitMs === Infinity ? {} : { maxWaitMs }),
    }
  }

  status(): ThrottlerStatus {
    const { gate } = this
    const { maxConcurrent, spacingMs, maxQueued } = gate.settings
    return {
      kind: this.kind,
      name: this.name,
      maxConcurrent: maxConcurrent === Infinity ? null : maxConcurrent,
      spacingMs,
      maxQueued,
      running: gate.running,
      queued: gate.queued,
      leastWaitMs: gate.leastWaitMs(),
      admitted: gate.admitted,
      succeeded: gate.succeeded,
      failed: gate.failed,
      rejected: gate.rejected,
      displaced: gate.displaced,
      expiredWaits: gate.expiredWaits,
    }
  }

  override health(): HealthRecord {
    const { gate } = this
    if (gate.disposed) return { status: 'fail', reason: `throttler '${this.name}' has been disposed of` }
    if (gate.queued < gate.settings.maxQueued || gate.queued === 0) return { status: 'pass' }
    return { status: 'warn', reason: `throttler '${this.name}' is full: ${gate.running} run, ${gate.queued} wait` }
  }

  reconfigure(settings: ThrottlerSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.gate.reconfigure(gateSettings(this.name, this.clock, settings))
  }

  resetStatistics(): void {
    this.gate.resetStatistics()
  }

  dispose(): void {
    this.gate.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function gateSettings(name: string, clock: Clock, settings: ThrottlerSettings): ThrottlerGateSettings {
  const { maxConcurrent, perSecond, spacing, maxQueued, maxWait } = settings
  if (perSecond !== undefined && spacing !== undefined) throw invalidOption(name, 'spacing', spacing, "absent when 'perSecond' is given")
  if (maxConcurrent === undefined && perSecond === undefined && spacing === undefined)
    throw invalidOption(name, 'maxConcurrent', maxConcurrent, "given, or 'perSecond', or 'spacing'")
  return {
    name,
    clock,
    maxConcurrent: integerOption(name, 'maxConcurrent', maxConcurrent ?? Infinity, { min: 1, allowInfinity: true }),
    spacingMs: spacingOption(name, perSecond, spacing),
    maxQueued: integerOption(name, 'maxQueued', maxQueued ?? 100),
    maxWaitMs: maxWait === undefined ? Infinity : durationMs(name, 'maxWait', maxWait, { allowInfinity: true }),
  }
}

function spacingOption(name: string, perSecond: number | undefined, spacing: Duration | undefined): number {
  if (perSecond !== undefined) return 1_000 / numberOption(name, 'perSecond', perSecond, { min: 1e-6, max: 1e9 })
  return spacing === undefined ? 0 : durationMs(name, 'spacing', spacing, { min: 0 })
}
