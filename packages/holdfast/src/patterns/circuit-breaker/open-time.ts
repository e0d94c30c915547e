import { durationMs, type Duration } from '../../core/duration.ts'
import { invalidOption, numberOption, ratioOption } from '../../core/options.ts'
import type { Random } from '../../core/random.ts'

/** How long an opened circuit stays open. */
export interface OpenTimeOptions {
  /**
   * Time until the first probe; at exactly this time it is let in. A function gets the number of openings since the circuit
   * was last closed, 1 for the first. `Infinity` waits for a hand. @defaultValue '60s'
   */
  readonly openFor?: Duration | ((openings: number) => Duration)
  /** Growth per opening that follows a failed probe, 1 or more; closing starts anew. Not with a function. @defaultValue 1 */
  readonly openForFactor?: number
  /** Longest time, jitter included; also for what `openOn` answers. @defaultValue 1 h (openFor, if longer) with openForFactor, else no limit */
  readonly maxOpenFor?: Duration
  /** Share by which the time is varied, 0..1: 0.1 is ± 10 %. @defaultValue 0 */
  readonly openForJitter?: number
  /**
   * Makes the growth shrink while the circuit is closed, by one opening per this time (as Envoy's outlier detection does), instead of
   * starting anew with every closing: what fails again and again soon after it closed stays open for longer and longer.
   * @defaultValue closing starts anew
   */
  readonly openForDecay?: Duration
}

export const openTimeOptionNames = ['openFor', 'openForFactor', 'maxOpenFor', 'openForJitter', 'openForDecay'] as const

const longestGrownMs = 3_600_000
const range = { min: 1, allowInfinity: true }

/** Validated {@link OpenTimeOptions}. */
export class OpenTime {
  readonly firstMs: number
  readonly maxMs: number
  /** Infinity: closing starts the growth anew. */
  readonly decayMs: number
  private readonly owner: string
  private readonly baseMs: number
  private readonly factor: number
  private readonly jitter: number
  private readonly computed: ((openings: number) => Duration) | undefined
  private readonly random: Random

  /** @throws HoldfastError `ERR_INVALID_OPTION` */
  constructor(owner: string, options: OpenTimeOptions, random: Random) {
    const { openFor = '60s', openForFactor, maxOpenFor, openForDecay } = options
    const computed = typeof openFor === 'function' ? openFor : undefined
    if (computed !== undefined && openForFactor !== undefined)
      throw invalidOption(owner, 'openForFactor', openForFactor, "absent when 'openFor' is a function")
    this.owner = owner
    this.random = random
    this.computed = computed
    this.factor = numberOption(owner, 'openForFactor', openForFactor ?? 1, { min: 1, max: 1_000 })
    this.jitter = ratioOption(owner, 'openForJitter', options.openForJitter ?? 0)
    this.baseMs = durationMs(owner, 'openFor', typeof openFor === 'function' ? openFor(1) : openFor, range)
    const defaultMaxMs = this.factor > 1 ? Math.max(longestGrownMs, this.baseMs) : Infinity
    this.maxMs = maxOpenFor === undefined ? defaultMaxMs : durationMs(owner, 'maxOpenFor', maxOpenFor, range)
    this.firstMs = Math.min(this.baseMs, this.maxMs)
    if (openForDecay !== undefined && this.factor === 1 && computed === undefined)
      throw invalidOption(owner, 'openForDecay', openForDecay, "given together with an 'openForFactor' above 1 or a function as 'openFor'")
    this.decayMs = openForDecay === undefined ? Infinity : durationMs(owner, 'openForDecay', openForDecay, { min: 1 })
  }

  /** Milliseconds of the n-th opening in a row. @throws whatever a function given as `openFor` throws */
  next(opening: number): number {
    const { jitter, maxMs } = this
    const grownMs = this.grown(opening)
    if (jitter === 0 || grownMs === Infinity) return Math.min(grownMs, maxMs)
    return Math.min(grownMs * (1 - jitter + 2 * jitter * this.random()), maxMs)
  }

  describe(): Readonly<Record<string, unknown>> {
    const { baseMs, computed, factor, maxMs, jitter, decayMs } = this
    return {
      openForMs: baseMs === Infinity ? null : baseMs,
      ...(computed === undefined ? {} : { openForIsComputed: true }),
      ...(factor === 1 ? {} : { openForFactor: factor }),
      ...(maxMs === Infinity ? {} : { maxOpenForMs: maxMs }),
      ...(jitter === 0 ? {} : { openForJitter: jitter }),
      ...(decayMs === Infinity ? {} : { openForDecayMs: decayMs }),
    }
  }

  private grown(opening: number): number {
    const { owner, computed, baseMs, factor } = this
    return computed === undefined ? baseMs * factor ** (opening - 1) : durationMs(owner, 'openFor', computed(opening), range)
  }
}
