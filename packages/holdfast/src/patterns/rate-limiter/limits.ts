import type { Cost } from '../../core/call.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { checkOptionNames, choiceOption, integerOption, invalidOption, numberOption, show } from '../../core/options.ts'
import { Gcra, SlidingWindow, unlimited, type LimitAlgorithm } from './algorithms.ts'

export interface LimitOptions {
  /** Units per window, above 0; `Infinity` limits nothing (for quotas that are only ever paused). */
  readonly limit: number
  /** @defaultValue '1s' */
  readonly window?: Duration
  /**
   * `sliding-window`: no interval of one window's length admits more than the limit. `gcra`: paced, a burst and then one unit per
   * window / limit; any interval of length P admits at most burst + limit · P / window. @defaultValue 'sliding-window'
   */
  readonly algorithm?: 'sliding-window' | 'gcra'
  /** Units that may be used at once, with `gcra` only; 1 or more. @defaultValue the limit */
  readonly burst?: number
  /** What a call uses when it does not say; 0 or more. @defaultValue 1 */
  readonly defaultCost?: number
}

export const limitOptionNames = ['limit', 'window', 'algorithm', 'burst', 'defaultCost'] as const

/** One limit at work. */
export interface Limit {
  readonly name: string
  readonly options: LimitOptions
  limit: number
  windowMs: number
  readonly defaultCost: number
  readonly algorithm: LimitAlgorithm
  readonly description: Readonly<Record<string, unknown>>
}

export function newLimit(owner: string, name: string, options: LimitOptions, maxKeys: number): Limit {
  const { limit, window = '1s', algorithm = 'sliding-window', burst, defaultCost = 1 } = options
  const units = limitOf(owner, limit)
  const windowMs = durationMs(owner, 'window', window, { min: 1 })
  choiceOption(owner, 'algorithm', algorithm, ['sliding-window', 'gcra'])
  if (burst !== undefined && algorithm !== 'gcra') throw invalidOption(owner, 'burst', burst, "absent unless algorithm is 'gcra'")
  if (burst !== undefined) numberOption(owner, 'burst', burst, { min: 1 })
  numberOption(owner, 'defaultCost', defaultCost)
  const made = units === Infinity ? unlimited : algorithm === 'gcra' ? new Gcra(units, windowMs, burst, maxKeys) : new SlidingWindow(units, windowMs, maxKeys)
  const description = { limit: units, windowMs, algorithm, ...(burst === undefined ? {} : { burst }), ...(defaultCost === 1 ? {} : { defaultCost }) }
  return { name, options, limit: units, windowMs, defaultCost, algorithm: made, description }
}

export function limitOf(owner: string, limit: unknown): number {
  if (typeof limit === 'number' && limit > 0) return limit
  throw invalidOption(owner, 'limit', limit, 'a number above 0')
}

/** The named limits of a limiter, asked and used together. */
export class Limits {
  readonly all: readonly Limit[]

  constructor(owner: string, options: Readonly<Record<string, LimitOptions>>, maxKeys: number) {
    this.all = Object.entries(options).map(([name, limit]) => {
      checkOptionNames(`${owner}/${name}`, limit, limitOptionNames)
      return newLimit(`${owner}/${name}`, name, limit, maxKeys)
    })
    if (this.all.length === 0) throw invalidOption(owner, 'limits', options, 'an object with at least one limit')
  }

  /** Milliseconds until the cost fits under every limit. */
  waitMs(key: string, cost: Cost | undefined, now: number): number {
    let wait = 0
    for (const limit of this.all) {
      const units = this.costOf(limit, cost)
      if (units > 0) wait = Math.max(wait, limit.algorithm.waitMs(key, units, now))
    }
    return wait
  }

  take(key: string, cost: Cost | undefined, now: number): void {
    for (const limit of this.all) {
      const units = this.costOf(limit, cost)
      if (units !== 0) limit.algorithm.take(key, units, now)
    }
  }

  /** Only the limits a correction names. */
  charge(key: string, cost: Cost, now: number): void {
    const costs = typeof cost === 'number' ? { [(this.all[0] as Limit).name]: cost } : cost
    for (const limit of this.all) {
      const units = costs[limit.name]
      if (units !== undefined && units !== 0) limit.algorithm.take(key, units, now)
    }
  }

  /** @throws HoldfastError `ERR_INVALID_OPTION` for a cost that is no number from 0, or names no limit. */
  check(owner: string, cost: Cost | undefined, allowNegative = false): void {
    if (cost === undefined) return
    const names = this.all.map(({ name }) => name)
    const costs = typeof cost === 'number' ? { [names[0] as string]: cost } : cost
    checkOptionNames(`${owner} cost`, costs, names)
    for (const [name, units] of Object.entries(costs)) {
      if (typeof units === 'number' && Number.isFinite(units) && (allowNegative || units >= 0)) continue
      throw invalidOption(owner, `cost.${name}`, units, allowNegative ? 'a number' : `a number from 0 up (got ${show(units)})`)
    }
  }

  private costOf(limit: Limit, cost: Cost | undefined): number {
    const units = typeof cost === 'object' ? cost[limit.name] : limit === this.all[0] ? cost : undefined
    // a cost that cannot be understood must not pass for free
    return units === undefined || !(units >= 0) ? limit.defaultCost : units
  }
}

export function maxKeysOption(owner: string, value: unknown): number {
  return integerOption(owner, 'maxKeys', value, { min: 1 })
}
