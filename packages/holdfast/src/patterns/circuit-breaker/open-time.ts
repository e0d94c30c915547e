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
}

export const openTimeOptionNames = ['openFor', 'openForFactor', 'maxOpenFor', 'openForJitter'] as const

export interface OpenTime {
  /** Milliseconds of the n-th opening in a row. @throws whatever a function given as `openFor` throws */
  next(opening: number): number
  readonly firstMs: number
  readonly maxMs: number
  readonly description: Readonly<Record<string, unknown>>
}

const longestGrownMs = 3_600_000

export function openTime(owner: string, options: OpenTimeOptions, random: Random): OpenTime {
  const { openFor = '60s', openForFactor } = options
  const range = { min: 1, allowInfinity: true }
  const isComputed = typeof openFor === 'function'
  if (isComputed && openForFactor !== undefined)
    throw invalidOption(owner, 'openForFactor', openForFactor, "absent when 'openFor' is a function")
  const factor = numberOption(owner, 'openForFactor', openForFactor ?? 1, { min: 1, max: 1_000 })
  const jitter = ratioOption(owner, 'openForJitter', options.openForJitter ?? 0)
  const baseMs = durationMs(owner, 'openFor', isComputed ? openFor(1) : openFor, range)
  const defaultMaxMs = factor > 1 ? Math.max(longestGrownMs, baseMs) : Infinity
  const maxMs = options.maxOpenFor === undefined ? defaultMaxMs : durationMs(owner, 'maxOpenFor', options.maxOpenFor, range)
  const grown = (opening: number): number =>
    isComputed ? durationMs(owner, 'openFor', openFor(opening), range) : baseMs * factor ** (opening - 1)
  return {
    firstMs: Math.min(baseMs, maxMs),
    maxMs,
    next: (opening) => {
      const grownMs = grown(opening)
      if (jitter === 0 || grownMs === Infinity) return Math.min(grownMs, maxMs)
      return Math.min(grownMs * (1 - jitter + 2 * jitter * random()), maxMs)
    },
    description: {
      openForMs: baseMs === Infinity ? null : baseMs,
      ...(isComputed ? { openForIsComputed: true } : {}),
      ...(factor === 1 ? {} : { openForFactor: factor }),
      ...(maxMs === Infinity ? {} : { maxOpenForMs: maxMs }),
      ...(jitter === 0 ? {} : { openForJitter: jitter }),
    },
  }
}
