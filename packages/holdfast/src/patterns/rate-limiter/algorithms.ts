/** One limit over many keys, in bounded memory. Instants are monotonic ms; costs are numbers above 0. */
export interface LimitAlgorithm {
  /** Milliseconds until `cost` fits, 0 if it does now, Infinity if it never will. Changes nothing. */
  waitMs(key: string, cost: number, now: number): number
  /** Uses `cost`, also when it does not fit: the key is in debt then. Negative gives back. */
  take(key: string, cost: number, now: number): void
  /** What the key has used and not yet regained. */
  used(key: string, now: number): number
  /** Changes the limit; what was used stays used. */
  change(limit: number, windowMs: number, now: number): void
  readonly keys: number
  /** Calls that shared the bucket of the keys there was no room for. */
  readonly overflowed: number
}

/** The key of all keys there was no room for: together they get the limit of one, so none can exceed it. */
const overflowKey = '\u0000overflow'

/** Per-key entries, swept a little with every use, so that no timer is needed. */
abstract class KeyedEntries<Entry> {
  overflowed = 0
  protected readonly entries = new Map<string, Entry>()
  private readonly maxKeys: number
  private sweeper: IterableIterator<[string, Entry]> | undefined = undefined

  constructor(maxKeys: number) {
    this.maxKeys = maxKeys
  }

  get keys(): number {
    return this.entries.size
  }

  /** Whether an entry says no more than a missing one. */
  protected abstract isIdle(entry: Entry, now: number): boolean

  /** The key under which an entry is, or may be, kept. */
  protected place(key: string, now: number): string {
    if (this.entries.size < this.maxKeys || this.entries.has(key)) return key
    this.sweep(now, 16)
    if (this.entries.size < this.maxKeys) return key
    this.overflowed++
    return overflowKey
  }

  protected sweep(now: number, steps: number): void {
    for (let step = 0; step < steps && this.entries.size > 0; step++) {
      const next = (this.sweeper ??= this.entries.entries()).next()
      if (next.done === true) {
        this.sweeper = undefined
        return
      }
      if (this.isIdle(next.value[1], now)) this.entries.delete(next.value[0])
    }
  }
}

/**
 * Generic Cell Rate Algorithm (ITU-T I.371, virtual scheduling): one number per key, the theoretical arrival time of the next
 * conforming call. Any interval of length P admits at most burst + limit · P / window.
 */
export class Gcra extends KeyedEntries<number> implements LimitAlgorithm {
  private intervalMs: number
  private burst: number
  private readonly fixedBurst: boolean

  constructor(limit: number, windowMs: number, burst: number | undefined, maxKeys: number) {
    super(maxKeys)
    this.intervalMs = windowMs / limit
    this.burst = burst ?? limit
    this.fixedBurst = burst !== undefined
  }

  waitMs(key: string, cost: number, now: number): number {
    if (cost > this.burst) return Infinity
    const arrival = Math.max(this.entries.get(this.place(key, now)) ?? now, now)
    return Math.max(0, arrival + (cost - this.burst) * this.intervalMs - now)
  }

  take(key: string, cost: number, now: number): void {
    const place = this.place(key, now)
    const arrival = Math.max(this.entries.get(place) ?? now, now)
    this.entries.set(place, Math.max(now, arrival + cost * this.intervalMs))
    this.sweep(now, 2)
  }

  used(key: string, now: number): number {
    return Math.max(0, (this.entries.get(key) ?? now) - now) / this.intervalMs
  }

  change(limit: number, windowMs: number, now: number): void {
    const intervalMs = windowMs / limit
    for (const [key, arrival] of this.entries) this.entries.set(key, now + (Math.max(0, arrival - now) / this.intervalMs) * intervalMs)
    this.intervalMs = intervalMs
    if (!this.fixedBurst) this.burst = limit
  }

  protected isIdle(arrival: number, now: number): boolean {
    return arrival <= now
  }
}

/** What one key used lately: steps of neighbouring calls, oldest first. */
interface Steps {
  readonly cost: number[]
  readonly firstAt: number[]
  readonly lastAt: number[]
  sum: number
}

const stepsPerWindow = 20

/**
 * Sliding window: no interval of one window's length ever admits more than the limit. Calls within a twentieth of the window
 * are remembered as one step and forgotten together, when the youngest of them is a window old; limits up to 20 are exact.
 */
export class SlidingWindow extends KeyedEntries<Steps> implements LimitAlgorithm {
  private limit: number
  private windowMs: number

  constructor(limit: number, windowMs: number, maxKeys: number) {
    super(maxKeys)
    this.limit = limit
    this.windowMs = windowMs
  }

  waitMs(key: string, cost: number, now: number): number {
    if (cost > this.limit) return Infinity
    const steps = this.entries.get(this.place(key, now))
    if (steps === undefined) return 0
    this.forget(steps, now)
    let excess = steps.sum + cost - this.limit
    if (excess <= tolerance) return 0
    for (const [index, stepCost] of steps.cost.entries()) {
      excess -= stepCost
      if (excess <= tolerance) return (steps.lastAt[index] as number) + this.windowMs - now
    }
    return Infinity
  }

  take(key: string, cost: number, now: number): void {
    const place = this.place(key, now)
    let steps = this.entries.get(place)
    if (steps === undefined) this.entries.set(place, (steps = { cost: [], firstAt: [], lastAt: [], sum: 0 }))
    else this.forget(steps, now)
    if (cost < 0) this.giveBack(steps, -cost)
    else this.add(steps, cost, now)
    this.sweep(now, 2)
  }

  used(key: string, now: number): number {
    const steps = this.entries.get(key)
    if (steps === undefined) return 0
    let sum = 0
    for (const [index, cost] of steps.cost.entries()) if ((steps.lastAt[index] as number) + this.windowMs > now) sum += cost
    return sum
  }

  change(limit: number, windowMs: number): void {
    this.limit = limit
    this.windowMs = windowMs
  }

  protected isIdle(steps: Steps, now: number): boolean {
    this.forget(steps, now)
    return steps.cost.length === 0
  }

  private add(steps: Steps, cost: number, now: number): void {
    const newest = steps.cost.length - 1
    const stepMs = this.limit <= stepsPerWindow ? 0 : this.windowMs / stepsPerWindow
    steps.sum += cost
    if (newest >= 0 && now <= (steps.firstAt[newest] as number) + stepMs) {
      steps.cost[newest]! += cost
      steps.lastAt[newest] = Math.max(now, steps.lastAt[newest] as number)
      return
    }
    steps.cost.push(cost)
    steps.firstAt.push(now)
    steps.lastAt.push(now)
  }

  /** Takes the youngest cost back first. */
  private giveBack(steps: Steps, cost: number): void {
    let left = cost
    while (left > 0 && steps.cost.length > 0) {
      const newest = steps.cost.length - 1
      const part = Math.min(left, steps.cost[newest] as number)
      steps.cost[newest]! -= part
      steps.sum -= part
      left -= part
      if ((steps.cost[newest] as number) > 0) return
      steps.cost.pop()
      steps.firstAt.pop()
      steps.lastAt.pop()
    }
  }

  private forget(steps: Steps, now: number): void {
    let gone = 0
    while (gone < steps.cost.length && (steps.lastAt[gone] as number) + this.windowMs <= now) steps.sum -= steps.cost[gone++] as number
    if (gone === 0) return
    steps.cost.splice(0, gone)
    steps.firstAt.splice(0, gone)
    steps.lastAt.splice(0, gone)
    if (steps.cost.length === 0) steps.sum = 0 // no rounding is carried over
  }
}

/** Forgives the rounding of summed fractional costs. */
const tolerance = 1e-9

/** No limit at all: what is left is the pause. */
export const unlimited: LimitAlgorithm = {
  waitMs: () => 0,
  take: () => undefined,
  used: () => 0,
  change: () => undefined,
  keys: 0,
  overflowed: 0,
}
