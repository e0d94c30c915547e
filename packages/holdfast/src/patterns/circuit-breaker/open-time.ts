import { durationMs, type Duration } from '../../core/duration.ts'
import { numberOption, ratioOption } from '../../core/options.ts'
import type { Random } from '../../core/random.ts'

/** How long an opened circuit stays open. */
export interface OpenTimeOptions {
  /**
   * Time until the first probe; at exactly this time it is let in. A function gets the number of openings since the circuit
   * was last closed, 1 for the first. `Infinity` waits for a hand. @defaultValue '60s'
   */
  readonly openFor?: Duration | ((openings: number) => Duration)
  /** Growth per opening that follows a failed probe, 1 or more; closing starts anew. @defaultValue 1 */
  readonly openForFactor?: number
  /** Longest time, jitter included. @defaultValue no limit */
  readonly maxOpenFor?: Duration
  /** Share by which the time is varied, 0..1: 0.1 is ± 10 %. @defaultValue 0 */
  readonly openForJitter?: number
}

export const openTimeOptionNames = ['openFor', 'openForFactor', 'maxOpenFor', 'openForJitter'] as const

export interface OpenTime {
  /** Milliseconds of the n-th opening in a row; `chance` replaces the random number. */
  next(opening: number, chance?: number): number
  readonly firstMs: number
  readonly description: Readonly<Record<string, unknown>>
}

export function openTime(owner: string, options: OpenTimeOptions, random: Random): OpenTime {
  const { openFor = '60s' } = options
  const range = { min: Number.MIN_VALUE, allowInfinity: true }
  const factor = numberOption(owner, 'openForFactor', options.openForFactor ?? 1, { min: 1, max: 1_000 })
  const jitter = ratioOption(owner, 'openForJitter', options.openForJitter ?? 0)
  const maxMs = options.maxOpenFor === undefined ? Infinity : durationMs(owner, 'maxOpenFor', options.maxOpenFor, range)
  const firstMs = durationMs(owner, 'openFor', typeof openFor === 'function' ? openFor(1) : openFor, range)
  const grown = (opening: number): number => {
    if (typeof openFor !== 'function') return firstMs * factor ** (opening - 1)
    try {
      return durationMs(owner, 'openFor', openFor(opening), range)
    } catch {
      return firstMs
    }
  }
  return {
    firstMs,
    next: (opening, chance) => {
      const vary = jitter === 0 ? 1 : 1 - jitter + 2 * jitter * (chance ?? random())
      return Math.min(grown(opening) * vary, maxMs)
    },
    description: {
      openForMs: firstMs,
      ...(factor === 1 ? {} : { openForFactor: factor }),
      ...(maxMs === Infinity ? {} : { maxOpenForMs: maxMs }),
      ...(jitter === 0 ? {} : { openForJitter: jitter }),
    },
  }
}
