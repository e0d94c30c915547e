import { enlarged, roundedWaitMs, type LimitAlgorithm, type LimitSize } from './limit-algorithm.ts'

/** Numbers per slot: the level, and when it was so high. */
const stride = 2

/**
 * Generic Cell Rate Algorithm in its form as a leaky bucket (ITU-T I.371, Annex A): what is used raises a level that drains
 * at the limit's rate. Any interval of length P admits at most burst + limit · P / window.
 */
export class Gcra implements LimitAlgorithm {
  capacity: number
  private unitsPerMs: number
  private levels: Float64Array = new Float64Array(0)

  constructor({ limit, windowMs, burst }: LimitSize) {
    this.capacity = burst ?? limit
    this.unitsPerMs = limit / windowMs
  }

  waitMs(slot: number, cost: number, now: number): number {
    if (cost > this.capacity) return Infinity
    return roundedWaitMs((this.used(slot, now) + cost - this.capacity) / this.unitsPerMs, now)
  }

  take(slot: number, cost: number, now: number): void {
    this.levels[slot * stride] = this.used(slot, now) + cost
    this.levels[slot * stride + 1] = now
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
}
