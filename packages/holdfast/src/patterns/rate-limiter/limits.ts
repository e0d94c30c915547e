import type { Cost } from '../../core/call.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { checkOptionNames, choiceOption, invalidOption, numberOption } from '../../core/options.ts'
import { Gcra } from './gcra.ts'
import { Holding, type HeldUnits } from './holding.ts'
import { KeySlots } from './key-slots.ts'
import type { LimitAlgorithm, LimitSize } from './limit-algorithm.ts'
import { SlidingWindow } from './sliding-window.ts'

export type LimitAlgorithmName = 'sliding-window' | 'gcra' | 'token-bucket'

export interface LimitOptions {
  /** Units per window, above 0; `Infinity` limits nothing (for quotas that are only ever paused). */
  readonly limit: number
  /** @defaultValue '1s' */
  readonly window?: Duration
  /**
   * `sliding-window`: no interval of one window's length admits more than the limit. `gcra`: paced, a burst and then one unit per
   * window / limit; any interval of length P admits at most burst + limit · P / window. `token-bucket`: the same arithmetic by its
   * other name, a bucket of `burst` tokens that is refilled all the time with limit / window. @defaultValue 'sliding-window'
   */
  readonly algorithm?: LimitAlgorithmName
  /** Units that may be used at once (the bucket's capacity), not with `sliding-window`; 1 or more. @defaultValue the limit */
  readonly burst?: number
  /** What a call uses when it does not say; 0 or more. @defaultValue 1 */
  readonly defaultCost?: number
}

export const limitOptionNames = ['limit', 'window', 'algorithm', 'burst', 'defaultCost'] as const

/** One limit at work. */
export interface Limit {
  readonly name: string
  limit: number
  windowMs: number
  readonly burst: number | undefined
  readonly defaultCost: number
  /** The smallest limit that lets a call through. */
  readonly leastLimit: number
  /** Absent when nothing is limited. */
  algorithm: LimitAlgorithm | undefined
  readonly description: Readonly<Record<string, unknown>>
}

function newLimit(owner: string, name: string, options: LimitOptions): Limit {
  checkOptionNames(owner, options, limitOptionNames)
  const { window = '1s', algorithm = 'sliding-window', burst, defaultCost = 1 } = options
  numberOption(owner, 'defaultCost', defaultCost)
  choiceOption(owner, 'algorithm', algorithm, ['sliding-window', 'gcra', 'token-bucket'])
  if (burst !== undefined && algorithm === 'sliding-window')
    throw invalidOption(owner, 'burst', burst, "absent unless algorithm is 'gcra' or 'token-bucket'")
  if (burst !== undefined) burstOption(owner, burst, defaultCost)
  const leastLimit = burst === undefined ? defaultCost : 0
  const limit = limitOption(owner, options.limit, leastLimit)
  const windowMs = durationMs(owner, 'window', window, { min: 1 })
  const description = {
    limit,
    windowMs,
    algorithm,
    ...(burst === undefined ? {} : { burst }),
    ...(defaultCost === 1 ? {} : { defaultCost }),
  }
  return {
    name,
    limit,
    windowMs,
    burst,
    defaultCost,
    leastLimit,
    algorithm: newAlgorithm(algorithm, { limit, windowMs, burst }),
    description,
  }
}

function newAlgorithm(algorithm: LimitAlgorithmName, size: LimitSize): LimitAlgorithm | undefined {
  if (size.limit === Infinity) return undefined
  return algorithm === 'sliding-window' ? new SlidingWindow(size) : new Gcra(size)
}

/** A limit that no call could ever pass is a mistake. */
export function limitOption(owner: string, limit: unknown, leastUnits: number): number {
  if (typeof limit === 'number' && limit > 0 && limit >= leastUnits) return limit
  throw invalidOption(owner, 'limit', limit, leastUnits > 0 ? `a number from ${leastUnits} up (what one call uses)` : 'a number above 0')
}

function burstOption(owner: string, burst: unknown, leastUnits: number): void {
  const least = Math.max(1, leastUnits)
  if (typeof burst !== 'number' || !(burst >= least) || burst === Infinity)
    throw invalidOption(owner, 'burst', burst, `a number from ${least} up`)
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function newLimits(owner: string, options: Readonly<Record<string, LimitOptions>>): readonly Limit[] {
  const names = Object.keys(options)
  if (names.length === 0) throw invalidOption(owner, 'limits', options, 'an object with at least one limit')
  return names.map((name) => newLimit(`${owner}/${name}`, name, options[name] as LimitOptions))
}

function countedOf(limits: readonly Limit[]): readonly CountedLimit[] {
  return limits.flatMap(({ name, defaultCost, algorithm }, index) =>
    algorithm === undefined ? [] : [{ name, isFirst: index === 0, defaultCost, algorithm }],
  )
}

/** The named limits of a limiter, asked and used together. */
export class Limits {
  all: readonly Limit[]
  readonly slots: KeySlots
  /** Those that limit anything. */
  private counted: readonly CountedLimit[]

  constructor(all: readonly Limit[], maxKeys: number) {
    this.all = all
    this.counted = countedOf(all)
    this.slots = new KeySlots(
      this.counted.map(({ algorithm }) => algorithm),
      maxKeys,
    )
  }

  /** Other limits. Of those that keep their names, what each key has used stays used. */
  reconfigure(changed: readonly Limit[], maxKeys: number, now: number): void {
    const before = new Map(this.all.map((limit) => [limit.name, limit.algorithm]))
    this.all = changed
    for (const limit of changed) {
      const earlier = before.get(limit.name)
      if (earlier === undefined || limit.algorithm === undefined) continue
      if (earlier.constructor === limit.algorithm.constructor) {
        earlier.change(limit, now)
        limit.algorithm = earlier
      } else this.slots.move(earlier, limit.algorithm, now)
    }
    this.counted = countedOf(changed)
    this.slots.reconfigure(
      this.counted.map(({ algorithm }) => algorithm),
      maxKeys,
    )
  }

  /** Uses the cost if it fits under every limit; answers whether it did. */
  tryTake(key: string, cost: Cost | undefined, now: number): boolean {
    if (this.counted.length === 0) return true
    const found = this.slots.find(key)
    if (this.waitAt(found, cost, now) > 0) return false
    const slot = this.slots.claim(key, found, now)
    for (const limit of this.counted) limit.algorithm.take(slot, costOf(limit, cost), now)
    return true
  }

  /** Milliseconds until the cost fits under every limit. */
  waitMs(key: string, cost: Cost | undefined, now: number): number {
    return this.waitAt(this.slots.find(key), cost, now)
  }

  used({ algorithm }: Limit, key: string, now: number): number {
    return algorithm === undefined ? 0 : algorithm.used(this.slots.find(key), now)
  }

  /** Only the limits a correction names. */
  charge(key: string, cost: Cost, now: number): void {
    for (const limit of this.counted) {
      const units = namedUnits(limit, cost)
      if (units === undefined || units === 0) continue
      if (units < 0 && !this.slots.has(key)) continue // what a key used along with others is not given back to them
      limit.algorithm.take(this.slots.claim(key, this.slots.find(key), now), units, now)
    }
  }

  /** What the key has just used, as a reservation. */
  hold(key: string, cost: Cost | undefined, now: number): Holding {
    const slot = this.slots.find(key)
    const held = this.counted.flatMap((limit): HeldUnits[] => {
      const units = costOf(limit, cost)
      const { name, algorithm } = limit
      return units === 0 ? [] : [{ name, algorithm, units, hold: algorithm.hold(slot, now) }]
    })
    return new Holding(key, slot, cost, held)
  }

  /** Puts right what a reservation used, once; limits that `actual` does not name keep what was reserved. Answers whether it did. */
  settle(holding: Holding, actual: Cost | undefined, now: number): boolean {
    if (!holding.isOpen) return false
    holding.isOpen = false
    for (const limit of this.counted) {
      const units = namedUnits(limit, actual)
      if (units === undefined || !(units >= 0 && units < Infinity)) continue
      const held = holding.held.find(({ name }) => name === limit.name)
      const more = units - (held?.units ?? 0)
      if (more > 0) limit.algorithm.take(this.slots.claim(holding.key, this.slots.find(holding.key), now), more, now)
      else if (more < 0 && held !== undefined) this.giveBack(holding, held, -more, now)
    }
    for (const { hold } of holding.held) hold.end()
    return true
  }

  /** Gives a reservation back as a whole, as far as it still counts. */
  cancel(holding: Holding, now: number): boolean {
    return this.settle(holding, Object.fromEntries(holding.held.map(({ name }) => [name, 0])), now)
  }

  /** What a cost says of a limit. */
  units(name: string, cost: Cost | undefined): number {
    const index = this.all.findIndex((limit) => limit.name === name)
    const limit = this.all[index]
    return limit === undefined ? 0 : costOf({ name, isFirst: index === 0, defaultCost: limit.defaultCost }, cost)
  }

  /** Only to the key that used it, under the limit that counted it. */
  private giveBack({ key, slot }: Holding, { algorithm, hold }: HeldUnits, units: number, now: number): void {
    if (!this.slots.has(key) || this.slots.find(key) !== slot) return
    if (!this.counted.some((limit) => limit.algorithm === algorithm)) return
    const left = hold.giveBack(units, now)
    if (left > 0) algorithm.take(slot, -left, now)
  }

  /** @throws HoldfastError `ERR_INVALID_OPTION` for a cost that is no number from 0, or names no limit. */
  check(owner: string, cost: Cost | undefined, allowNegative = false): void {
    if (cost === undefined) return
    if (typeof cost === 'number') {
      checkUnits(owner, (this.all[0] as Limit).name, cost, allowNegative)
      return
    }
    checkOptionNames(
      `${owner} cost`,
      cost,
      this.all.map(({ name }) => name),
    )
    for (const [name, units] of Object.entries(cost)) checkUnits(owner, name, units, allowNegative)
  }

  private waitAt(slot: number, cost: Cost | undefined, now: number): number {
    let wait = 0
    for (const limit of this.counted) {
      const units = costOf(limit, cost)
      if (units > 0) wait = Math.max(wait, limit.algorithm.waitMs(slot, units, now))
    }
    return wait
  }
}

function checkUnits(owner: string, name: string, units: unknown, allowNegative: boolean): void {
  if (typeof units === 'number' && Number.isFinite(units) && (allowNegative || units >= 0)) return
  throw invalidOption(owner, `cost.${name}`, units, allowNegative ? 'a number' : 'a number from 0 up')
}

interface NamedLimit {
  readonly name: string
  readonly isFirst: boolean
  readonly defaultCost: number
}

interface CountedLimit extends NamedLimit {
  readonly algorithm: LimitAlgorithm
}

/** What a cost says of one limit. */
function namedUnits(limit: NamedLimit, cost: Cost | undefined): number | undefined {
  if (typeof cost === 'object') return cost?.[limit.name]
  return limit.isFirst ? cost : undefined
}

function costOf(limit: NamedLimit, cost: Cost | undefined): number {
  const units = namedUnits(limit, cost)
  // a cost that cannot be understood must not pass for free
  return units === undefined || !(units >= 0) ? limit.defaultCost : units
}
