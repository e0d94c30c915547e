import { enlarged, roundedWaitMs, type LimitAlgorithm, type LimitSize } from './limit-algorithm.ts'

/** Limits up to this are kept exactly; of larger ones, calls this part of the window apart are remembered together. */
const stepsPerWindow = 20

/** Numbers per slot. */
const slotStride = 4
const sumAt = 0
const newestFromAt = 1
const oldestAt = 2
const newestAt = 3

/** Numbers per step. */
const stepStride = 3
const costAt = 0
const lastAt = 1
const nextAt = 2

/** Step 0 is none. */
const none = 0

/**
 * Sliding window: no interval of one window's length ever admits more than the limit. What a key used is a chain of steps,
 * oldest first; a step is forgotten when its youngest call is a window old. Of limits above 20, calls within a twentieth of the
 * window share a step, so that a key never has more than some 40. All steps of all keys lie in one array.
 */
export class SlidingWindow implements LimitAlgorithm {
  capacity: number
  private windowMs: number
  private slots: Float64Array = new Float64Array(0)
  private steps: Float64Array = new Float64Array(8 * stepStride)
  private stepsMade = 1
  private freeStep = none

  constructor({ limit, windowMs }: LimitSize) {
    this.capacity = limit
    this.windowMs = windowMs
  }

  waitMs(slot: number, cost: number, now: number): number {
    if (cost > this.capacity) return Infinity
    this.forget(slot, now)
    let excess = this.sum(slot) + cost - this.capacity
    let wait = 0
    for (let step = this.slot(slot, oldestAt); step !== none && excess > this.tolerance; step = this.step(step, nextAt)) {
      excess -= this.step(step, costAt)
      wait = this.step(step, lastAt) + this.windowMs - now
    }
    return wait
  }

  take(slot: number, cost: number, now: number): void {
    if (cost > 0) this.add(slot, cost, now)
    else if (cost < 0) this.giveBack(slot, -cost, now)
  }

  used(slot: number, now: number): number {
    this.forget(slot, now)
    return this.sum(slot)
  }

  change({ limit, windowMs }: LimitSize): void {
    this.capacity = limit
    this.windowMs = windowMs
  }

  reserve(slots: number): void {
    this.slots = enlarged(this.slots, slots * slotStride)
  }

  copy(from: number, to: number): void {
    for (let step = this.slot(from, oldestAt); step !== none; step = this.step(step, nextAt)) {
      this.append(to, this.step(step, costAt), this.step(step, lastAt))
    }
  }

  /** Forgives the rounding of summed fractional costs. */
  private get tolerance(): number {
    return this.capacity * 2 ** -40
  }

  private add(slot: number, cost: number, now: number): void {
    const newest = this.slot(slot, newestAt)
    // whole calls that fit are at most as many as the limit; fractions and debts could be any number
    const isExact = this.capacity <= stepsPerWindow && cost >= 1 && this.sum(slot) + cost <= this.capacity
    const stepMs = isExact ? 0 : this.windowMs / stepsPerWindow
    if (newest === none || now > this.slot(slot, newestFromAt) + stepMs) {
      this.append(slot, cost, now)
      return
    }
    this.slots[slot * slotStride + sumAt] = this.sum(slot) + cost
    this.steps[newest * stepStride + costAt] = this.step(newest, costAt) + cost
    this.steps[newest * stepStride + lastAt] = now
  }

  /** Takes the oldest cost back first: what is left is remembered for longer, never for too short a time. */
  private giveBack(slot: number, cost: number, now: number): void {
    this.forget(slot, now)
    let left = cost
    for (let step = this.slot(slot, oldestAt); step !== none && left > 0; step = this.slot(slot, oldestAt)) {
      const part = this.step(step, costAt)
      if (part > left) {
        this.steps[step * stepStride + costAt] = part - left
        this.slots[slot * slotStride + sumAt] = this.sum(slot) - left
        return
      }
      left -= part
      this.dropOldest(slot)
    }
  }

  private forget(slot: number, now: number): void {
    for (let step = this.slot(slot, oldestAt); step !== none; step = this.slot(slot, oldestAt)) {
      if (roundedWaitMs(this.step(step, lastAt) + this.windowMs - now, now) > 0) return
      this.dropOldest(slot)
    }
  }

  private append(slot: number, cost: number, at: number): void {
    const step = this.newStep()
    this.steps[step * stepStride + costAt] = cost
    this.steps[step * stepStride + lastAt] = at
    this.steps[step * stepStride + nextAt] = none
    const newest = this.slot(slot, newestAt)
    if (newest === none) this.slots[slot * slotStride + oldestAt] = step
    else this.steps[newest * stepStride + nextAt] = step
    this.slots[slot * slotStride + newestAt] = step
    this.slots[slot * slotStride + newestFromAt] = at
    this.slots[slot * slotStride + sumAt] = this.sum(slot) + cost
  }

  private dropOldest(slot: number): void {
    const oldest = this.slot(slot, oldestAt)
    const next = this.step(oldest, nextAt)
    this.slots[slot * slotStride + oldestAt] = next
    this.slots[slot * slotStride + sumAt] = next === none ? 0 : this.sum(slot) - this.step(oldest, costAt) // no rounding outlives the chain
    if (next === none) this.slots[slot * slotStride + newestAt] = none
    this.steps[oldest * stepStride + nextAt] = this.freeStep
    this.freeStep = oldest
  }

  private newStep(): number {
    const free = this.freeStep
    if (free !== none) {
      this.freeStep = this.step(free, nextAt)
      return free
    }
    if (this.stepsMade * stepStride === this.steps.length) this.steps = enlarged(this.steps, this.steps.length * 2)
    return this.stepsMade++
  }

  private sum(slot: number): number {
    return this.slots[slot * slotStride + sumAt] as number
  }

  private slot(slot: number, field: number): number {
    return this.slots[slot * slotStride + field] as number
  }

  private step(step: number, field: number): number {
    return this.steps[step * stepStride + field] as number
  }
}
