import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  functionOption,
  integerOption,
  invalidOption,
  nameOption,
} from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import { sharesOption, type ShareOptions, type ShareStatus } from '../../core/shares.ts'
import { AimdLimit } from './aimd-limit.ts'
import type { ConcurrencyAlgorithm, LimitBounds } from './algorithm.ts'
import { ConcurrencyGate, type ConcurrencySettings } from './concurrency-gate.ts'
import type { AdaptiveConcurrencyEvent } from './events.ts'
import { FixedLimit } from './fixed-limit.ts'
import type { CallOutcome } from './outcome.ts'
import { ProbingLimit } from './probing-limit.ts'

/** What may change while an adaptive limit is in use. */
export interface AdaptiveConcurrencySettings extends ShareOptions {
  /** The limit is never lower, 1 or more. @defaultValue 1 */
  readonly minLimit?: number
  /** The limit is never higher. @defaultValue 1000 */
  readonly maxLimit?: number
  /** Calls that may wait for a place; when all seats are taken, a more important call takes that of the least important. @defaultValue 0 */
  readonly maxQueued?: number
  /** Longest wait in the queue; 0 never waits. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /**
   * `probing` tries limits and looks at what becomes of throughput and latency. `aimd` reads drops only: for language models, and for
   * all who answer 429, 503 or 529 when they have enough. `fixed` stays at `initialLimit`. A function makes one of your own.
   * @defaultValue 'probing'
   */
  readonly algorithm?: 'probing' | 'aimd' | 'fixed' | ((bounds: LimitBounds) => ConcurrencyAlgorithm)
  /**
   * Other clients call the same dependency too, each with a limit of its own. `probing` then gives way when latency has doubled, together
   * with them, and takes much longer to believe that latency is the dependency's own. @defaultValue false
   */
  readonly shared?: boolean
  /**
   * What a result (`ok`) or an error says about the dependency's load; undefined: as usual. Not asked about refusals and aborted calls.
   * @defaultValue timeouts and the statuses 429, 503, 529 are drops, other errors failures that are no sample
   */
  readonly classify?: (ok: boolean, value: unknown) => CallOutcome | undefined
}

export interface AdaptiveConcurrencyOptions extends AdaptiveConcurrencySettings {
  /** The limit to begin with. @defaultValue 20, within the bounds */
  readonly initialLimit?: number
  /** @defaultValue 'adaptive-concurrency' */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

export interface AdaptiveConcurrencyStatus {
  readonly kind: 'adaptive-concurrency'
  readonly name: string
  readonly limit: number
  readonly minLimit: number
  readonly maxLimit: number
  readonly running: number
  readonly queued: number
  /** running / limit; above 1 while a shrunken limit empties, or a share is claimed that others had borrowed. */
  readonly utilization: number
  /** Calls that got a place, ever. */
  readonly admitted: number
  readonly succeeded: number
  /** Calls that failed by themselves. */
  readonly failed: number
  /** Calls that were too much for the dependency. */
  readonly dropped: number
  /** Calls that got no place, ever, those that waited in vain and those that had to give way included. */
  readonly rejected: number
  readonly displaced: number
  readonly expiredWaits: number
  /** rejected / (admitted + rejected); null without calls. */
  readonly rejectionRate: number | null
  /** The algorithm's name, and what it knows. */
  readonly algorithm: Readonly<Record<string, number | string | null>>
  /** By name of the partition; null without partitions. */
  readonly partitions: Readonly<Record<string, ShareStatus>> | null
  readonly [figure: string]: unknown
}

export interface AdaptiveConcurrency extends Policy<AdaptiveConcurrencyEvent>, Acquirable, Disposable {
  readonly kind: 'adaptive-concurrency'
  status(): AdaptiveConcurrencyStatus
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. Those who run and wait stay, and so do
   * figures. What was learnt stays while bounds and algorithm do; otherwise the algorithm begins anew at the limit of the moment.
   * Shares are counted anew: calls that run already count for none.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: AdaptiveConcurrencySettings): void
  /** Turns all waiters away, and every later call, with `ERR_DISPOSED`. */
  dispose(): void
}

const settingNames = [
  'minLimit',
  'maxLimit',
  'maxQueued',
  'maxWait',
  'algorithm',
  'shared',
  'classify',
  'partitions',
  'partitionOf',
] as const
const optionNames = [...settingNames, 'initialLimit', 'name', 'clock', 'random'] as const
const defaultLimit = 20

/**
 * Limits how many calls run at once, and finds the limit by itself: just enough for all the throughput the dependency has, and no
 * queue in front of it. A place is given back when the work has ended, also when its caller was told earlier.
 * @throws HoldfastError `ERR_CONCURRENCY_LIMITED` when no place is free, or became free within `maxWait`.
 * @example `const limit = adaptiveConcurrency({ maxLimit: 200 }); await limit.execute(({ signal }) => search(q, { signal }))`
 */
export function adaptiveConcurrency(options: AdaptiveConcurrencyOptions = {}): AdaptiveConcurrency {
  return new AdaptiveConcurrencyPolicy(options)
}

class AdaptiveConcurrencyPolicy extends GatePolicy<AdaptiveConcurrencyEvent> implements AdaptiveConcurrency {
  readonly kind = 'adaptive-concurrency' as const
  readonly [parts]: readonly ConcurrencyGate[]
  protected readonly gate: ConcurrencyGate
  private readonly random: Random
  private shared: boolean
  private algorithm: NonNullable<AdaptiveConcurrencySettings['algorithm']>

  constructor(options: AdaptiveConcurrencyOptions) {
    checkOptionNames('adaptiveConcurrency', options, optionNames)
    const name = nameOption('adaptive-concurrency', options.name)
    super(name, options.clock ?? systemClock)
    this.random = functionOption(name, 'random', options.random) ?? Math.random
    const settings = checkedSettings(name, this.clock, options)
    const { minLimit, maxLimit } = settings
    const initialLimit =
      options.initialLimit === undefined
        ? Math.max(minLimit, Math.min(maxLimit, defaultLimit))
        : integerOption(name, 'initialLimit', options.initialLimit, { min: minLimit, max: maxLimit })
    this.algorithm = algorithmOption(name, options.algorithm)
    this.shared = booleanOption(name, 'shared', options.shared ?? false)
    const algorithm = newAlgorithm(name, this.algorithm, { minLimit, maxLimit, initialLimit, random: this.random, shared: this.shared })
    this.gate = new ConcurrencyGate(settings, algorithm, new EventHub())
    this[parts] = [this.gate]
  }

  on(listener: Listener<AdaptiveConcurrencyEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    const { minLimit, maxLimit, maxQueued, maxWaitMs, shares } = this.gate.settings
    return {
      kind: this.kind,
      name: this.name,
      algorithm: this.gate.algorithm.name,
      ...(this.shared ? { shared: true } : {}),
      minLimit,
      maxLimit,
      maxQueued,
      ...(maxWaitMs === Infinity ? {} : { maxWaitMs }),
      ...(shares === undefined ? {} : { partitions: shares.ratios }),
    }
  }

  status(): AdaptiveConcurrencyStatus {
    const { gate } = this
    const { minLimit, maxLimit, shares } = gate.settings
    const { limit, running, queued, admitted, succeeded, failed, dropped, rejected, displaced, expiredWaits } = gate
    const asked = admitted + rejected
    return {
      kind: this.kind,
      name: this.name,
      limit,
      minLimit,
      maxLimit,
      running,
      queued,
      utilization: running / limit,
      admitted,
      succeeded,
      failed,
      dropped,
      rejected,
      displaced,
      expiredWaits,
      rejectionRate: asked === 0 ? null : rejected / asked,
      algorithm: { name: gate.algorithm.name, ...gate.algorithm.status?.() },
      partitions: shares === undefined ? null : shares.status(),
    }
  }

  override health(): HealthRecord {
    const { gate, name } = this
    if (gate.disposed) return { status: 'fail', reason: `adaptive limit '${name}' has been disposed of` }
    if (gate.running < gate.limit || gate.queued < gate.settings.maxQueued) return { status: 'pass' }
    return { status: 'warn', reason: `adaptive limit '${name}' of ${gate.limit} is reached: ${gate.running} run, ${gate.queued} wait` }
  }

  reconfigure(options: AdaptiveConcurrencySettings): void {
    checkOptionNames(this.name, options, settingNames)
    const before = this.gate.settings
    const settings = checkedSettings(this.name, this.clock, options)
    const { minLimit, maxLimit } = settings
    const wanted = algorithmOption(this.name, options.algorithm)
    const shared = booleanOption(this.name, 'shared', options.shared ?? false)
    const isSame = wanted === this.algorithm && shared === this.shared && minLimit === before.minLimit && maxLimit === before.maxLimit
    const initialLimit = Math.max(minLimit, Math.min(maxLimit, this.gate.limit))
    const algorithm = isSame
      ? this.gate.algorithm
      : newAlgorithm(this.name, wanted, { minLimit, maxLimit, initialLimit, random: this.random, shared })
    this.algorithm = wanted
    this.shared = shared
    this.gate.reconfigure(settings, algorithm)
  }

  dispose(): void {
    this.gate.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function checkedSettings(name: string, clock: Clock, options: AdaptiveConcurrencySettings): ConcurrencySettings {
  const minLimit = integerOption(name, 'minLimit', options.minLimit ?? 1, { min: 1 })
  return {
    name,
    clock,
    minLimit,
    maxLimit: integerOption(name, 'maxLimit', options.maxLimit ?? Math.max(1_000, minLimit), { min: minLimit }),
    maxQueued: integerOption(name, 'maxQueued', options.maxQueued ?? 0),
    maxWaitMs: options.maxWait === undefined ? Infinity : durationMs(name, 'maxWait', options.maxWait, { allowInfinity: true }),
    shares: sharesOption(name, options),
    classify: functionOption(name, 'classify', options.classify),
  }
}

function algorithmOption(name: string, value: AdaptiveConcurrencySettings['algorithm']): NonNullable<typeof value> {
  if (value === undefined) return 'probing'
  return typeof value === 'function' ? value : choiceOption(name, 'algorithm', value, ['probing', 'aimd', 'fixed'] as const)
}

function newAlgorithm(
  name: string,
  algorithm: NonNullable<AdaptiveConcurrencySettings['algorithm']>,
  bounds: LimitBounds,
): ConcurrencyAlgorithm {
  if (algorithm === 'probing') return new ProbingLimit(bounds)
  if (algorithm === 'aimd') return new AimdLimit(bounds)
  if (algorithm === 'fixed') return new FixedLimit(bounds)
  const made: unknown = algorithm(bounds)
  const { limit, onSample } = (made ?? {}) as { readonly limit?: unknown; readonly onSample?: unknown }
  if (typeof limit === 'number' && typeof onSample === 'function') return made as ConcurrencyAlgorithm
  throw invalidOption(name, 'algorithm', made, 'a function that makes an algorithm: limit, a number, and onSample(sample, now)')
}
