import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import { checkOptionNames, integerOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import { BulkheadGate, type GateSettings } from './bulkhead-gate.ts'

export interface BulkheadOptions {
  /** Calls that may run at the same time, 1 or more. */
  readonly maxConcurrent: number
  /**
   * Calls that may wait for a place: higher priorities first, and within one priority those who came first. In a full queue, a call
   * takes the seat of the last one with a lower priority. @defaultValue 0
   */
  readonly maxQueued?: number
  /** Longest wait in the queue; 0 never waits. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /** A place held for longer is taken back, with an event: the limit may then be exceeded. @defaultValue no limit */
  readonly maxHold?: Duration
  /** @defaultValue 'bulkhead' */
  readonly name?: string
  readonly clock?: Clock
}

export interface BulkheadRejected extends PolicyEvent {
  readonly type: 'bulkhead.rejected'
  readonly code: ErrorCode
  readonly running: number
  readonly queued: number
}

export interface BulkheadHoldExpired extends PolicyEvent {
  readonly type: 'bulkhead.hold-expired'
  readonly maxHoldMs: number
}

export interface BulkheadResized extends PolicyEvent {
  readonly type: 'bulkhead.resized'
  readonly from: number
  readonly to: number
}

export type BulkheadEvent = BulkheadRejected | BulkheadHoldExpired | BulkheadResized

export interface BulkheadStatus {
  readonly kind: 'bulkhead'
  readonly name: string
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly running: number
  readonly queued: number
  /** running / maxConcurrent; above 1 while a shrunken bulkhead empties. */
  readonly utilization: number
  /** Calls that got a place, ever. */
  readonly admitted: number
  readonly succeeded: number
  readonly failed: number
  /** Calls that got none, ever, those that waited in vain included. */
  readonly rejected: number
  /** Of those rejected: they waited in a full queue, and a call of higher priority took their seat. */
  readonly displaced: number
  readonly expiredWaits: number
  readonly expiredHolds: number
  /** rejected / (admitted + rejected); null without calls. */
  readonly rejectionRate: number | null
  /** failed / (succeeded + failed); null without either. */
  readonly failureRate: number | null
  /** How long places are held on average, in ms, over the first 64 calls and every 64th after them; null without any. */
  readonly averageRunMs: number | null
  readonly [figure: string]: unknown
}

/** What may change while a bulkhead is in use. */
export type BulkheadSettings = Omit<BulkheadOptions, 'name' | 'clock'>

export interface Bulkhead extends Policy<BulkheadEvent>, Acquirable, Disposable {
  readonly kind: 'bulkhead'
  status(): BulkheadStatus
  /** Changes the number of places. Growing lets waiters in at once; shrinking waits for places to come back. */
  resize(maxConcurrent: number): void
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. Places are changed as by
   * {@link Bulkhead.resize}; those who wait stay in line, and keep `maxWait` and `maxHold` as they were when they came. Figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: BulkheadSettings): void
  /** Sets the totals to zero. Places and waiters stay as they are: resetting figures heals nothing. */
  resetStatistics(): void
  /** Turns all waiters away, and every later call, with `ERR_DISPOSED`. */
  dispose(): void
}

const settingNames = ['maxConcurrent', 'maxQueued', 'maxWait', 'maxHold'] as const
const optionNames = [...settingNames, 'name', 'clock'] as const

/** The bulkhead with one compartment; {@link bulkhead} is the public door. */
export function singleBulkhead(options: BulkheadOptions): Bulkhead {
  return new BulkheadPolicy(options)
}

class BulkheadPolicy extends GatePolicy<BulkheadEvent> implements Bulkhead {
  readonly kind = 'bulkhead' as const
  readonly [parts]: readonly BulkheadGate[]
  protected readonly gate: BulkheadGate

  constructor(options: BulkheadOptions) {
    checkOptionNames('bulkhead', options, optionNames)
    const name = nameOption('bulkhead', options.name)
    super(name, options.clock ?? systemClock)
    this.gate = new BulkheadGate(gateSettings(name, this.clock, options), placesOption(name, options.maxConcurrent), new EventHub())
    this[parts] = [this.gate]
  }

  on(listener: Listener<BulkheadEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    const { maxQueued, maxWaitMs, maxHoldMs } = this.gate.settings
    return {
      kind: this.kind,
      name: this.name,
      maxConcurrent: this.gate.maxConcurrent,
      maxQueued,
      ...(maxWaitMs === Infinity ? {} : { maxWaitMs }),
      ...(maxHoldMs === Infinity ? {} : { maxHoldMs }),
    }
  }

  status(): BulkheadStatus {
    const { gate } = this
    const asked = gate.admitted + gate.rejected
    const judged = gate.succeeded + gate.failed
    return {
      kind: this.kind,
      name: this.name,
      maxConcurrent: gate.maxConcurrent,
      maxQueued: gate.settings.maxQueued,
      running: gate.running,
      queued: gate.queued,
      utilization: gate.running / gate.maxConcurrent,
      admitted: gate.admitted,
      succeeded: gate.succeeded,
      failed: gate.failed,
      rejected: gate.rejected,
      displaced: gate.displaced,
      expiredWaits: gate.expiredWaits,
      expiredHolds: gate.expiredHolds,
      rejectionRate: asked === 0 ? null : gate.rejected / asked,
      failureRate: judged === 0 ? null : gate.failed / judged,
      averageRunMs: gate.timed === 0 ? null : gate.timedMs / gate.timed,
    }
  }

  override health(): HealthRecord {
    const { gate } = this
    if (gate.disposed) return { status: 'fail', reason: `bulkhead '${this.name}' has been disposed of` }
    if (gate.running < gate.maxConcurrent || gate.queued < gate.settings.maxQueued) return { status: 'pass' }
    return { status: 'warn', reason: `bulkhead '${this.name}' is full: ${gate.running} run, ${gate.queued} wait` }
  }

  resize(maxConcurrent: number): void {
    this.gate.resize(placesOption(this.name, maxConcurrent))
  }

  reconfigure(settings: BulkheadSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.gate.reconfigure(gateSettings(this.name, this.clock, settings), placesOption(this.name, settings.maxConcurrent))
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

function gateSettings(name: string, clock: Clock, { maxQueued, maxWait, maxHold }: BulkheadSettings): GateSettings {
  return {
    name,
    clock,
    maxQueued: integerOption(name, 'maxQueued', maxQueued ?? 0),
    maxWaitMs: maxWait === undefined ? Infinity : durationMs(name, 'maxWait', maxWait, { allowInfinity: true }),
    maxHoldMs: maxHold === undefined ? Infinity : durationMs(name, 'maxHold', maxHold, { min: 1, allowInfinity: true }),
  }
}

function placesOption(name: string, maxConcurrent: unknown): number {
  return integerOption(name, 'maxConcurrent', maxConcurrent, { min: 1 })
}
