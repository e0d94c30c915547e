import { LevelFloors } from './level-floors.ts'
import { enlarged, roundedWaitMs, type LimitAlgorithm, type LimitSize, type UnitHold } from './limit-algorithm.ts'

/** Numbers per slot: the level, and when it was so high. */
const stride = 2

/**
 * Generic Cell Rate Algorithm in its form as a leaky bucket (ITU-T I.371, Annex A): what is used raises a level that drains
 * at the limit's rate. Any interval of length P admits at most burst + limit · P / window. A token bucket is the same seen from
 * the other side: its tokens are what the level leaves of the burst.
 */
export class Gcra implements LimitAlgorithm {
  capacity: number
  private unitsPerMs: number
  private levels: Float64Array = new Float64Array(0)
  /** Of slots with units that may be given back. */
  private readonly floors = new Map<number, LevelFloors>()

  constructor({ limit, windowMs, burst }: LimitSize) {
    this.capacity = burst ?? limit
    this.unitsPerMs = limit / windowMs
  }

  waitMs(slot: number, cost: number, now: number): number {
    if (cost > this.capacity) return Infinity
    return roundedWaitMs((this.used(slot, now) + cost - this.capacity) / this.unitsPerMs, now)
  }

  take(slot: number, cost: number, now: number): void {
    const level = this.used(slot, now)
    this.levels[slot * stride] = Math.max(0, level + cost)
    this.levels[slot * stride + 1] = now
    if (this.floors.size > 0) this.floors.get(slot)?.observe(Math.max(0, Math.min(level, level + cost)))
  }

  used(slot: number, now: number): number {
    const level = this.levels[slot * stride] as number
    if (level === 0) return 0
    return Math.max(0, level - (now - (this.levels[slot * stride + 1] as number)) * this.unitsPerMs)
  }

  change({ limit, windowMs, burst }: LimitSize, now: number): void {
    for (let slot = 0; slot < this.levels.length / stride; slot++) this.take(slot, 0, now)
    this.unitsPerMs = limit / windowMs
    this.capacity = burst ?? limit
  }

  reserve(slots: number): void {
    this.levels = enlarged(this.levels, slots * stride)
  }

  copy(from: number, to: number): void {
    this.levels.copyWithin(to * stride, from * stride, (from + 1) * stride)
  }

  hold(slot: number): UnitHold {
    let floors = this.floors.get(slot)
    if (floors === undefined) this.floors.set(slot, (floors = new LevelFloors()))
    const watched = floors
    const floor = watched.watch()
    return {
      giveBack: (units, later) => {
        watched.observe(this.floors.get(slot) === watched ? this.used(slot, later) : 0)
        const back = Math.min(units, floor.lowest())
        watched.lower(units)
        return back
      },
      end: () => {
        if (watched.unwatch() === 0 && this.floors.get(slot) === watched) this.floors.delete(slot)
      },
    }
  }

  forget(slot: number): void {
    if (this.floors.size === 0) return
    this.floors.get(slot)?.observe(0)
    this.floors.delete(slot)
  }
}
