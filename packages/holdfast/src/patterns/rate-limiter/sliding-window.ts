import { enlarged, grown, roundedWaitMs, type LimitAlgorithm, type LimitSize, type UnitHold } from './limit-algorithm.ts'

/** Limits up to this are kept exactly; of larger ones, calls this part of the window apart are remembered together. */
const stepsPerWindow = 20

/** Per slot and per step: two numbers, and links of 32 bits, so that a key takes little room. */
const numbersEach = 2
const linksPerSlot = 2

/** Numbers of a slot. */
const sumAt = 0
const newestFromAt = 1

/** Links of a slot. */
const oldestAt = 0
const newestAt = 1

/** Numbers of a step; its one link is the step after it. */
const costAt = 0
const lastAt = 1

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
  /** What was used until then has been forgotten by a shorter window than today's. */
  private forgottenUntil = -Infinity
  private slots: Float64Array = new Float64Array(0)
  private ends: Uint32Array = new Uint32Array(0)
  private steps: Float64Array = new Float64Array(8 * numbersEach)
  private nexts: Uint32Array = new Uint32Array(8)
  private stepsMade = 1
  private freeStep = none

  constructor({ limit, windowMs }: LimitSize) {
    this.capacity = limit
    this.windowMs = windowMs
  }

  waitMs(slot: number, cost: number, now: number): number {
    if (cost > this.capacity) return Infinity
    this.dropOld(slot, now)
    let excess = this.sum(slot) + cost - this.capacity
    let wait = 0
    for (let step = this.end(slot, oldestAt); step !== none && excess > this.tolerance; step = this.next(step)) {
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
    this.dropOld(slot, now)
    return this.sum(slot)
  }

  change({ limit, windowMs }: LimitSize, now: number): void {
    if (windowMs > this.windowMs) this.forgottenUntil = Math.max(this.forgottenUntil, now - this.windowMs)
    this.capacity = limit
    this.windowMs = windowMs
  }

  reserve(slots: number): void {
    this.slots = enlarged(this.slots, slots * numbersEach)
    this.ends = enlarged(this.ends, slots * linksPerSlot)
  }

  copy(from: number, to: number): void {
    for (let step = this.end(from, oldestAt); step !== none; step = this.next(step)) {
      this.append(to, this.step(step, costAt), this.step(step, lastAt))
    }
  }

  hold(_slot: number, now: number): UnitHold {
    return {
      giveBack: (units, later) => (now > this.forgottenUntil && now + this.windowMs > later ? units : 0),
      end: () => {},
    }
  }

  forget(): void {}

  /** Forgives the rounding of summed fractional costs. */
  private get tolerance(): number {
    return this.capacity * 2 ** -40
  }

  private add(slot: number, cost: number, now: number): void {
    const newest = this.end(slot, newestAt)
    // whole calls that fit are at most as many as the limit; fractions and debts could be any number
    const isExact = this.capacity <= stepsPerWindow && cost >= 1 && this.sum(slot) + cost <= this.capacity
    const stepMs = isExact ? 0 : this.windowMs / stepsPerWindow
    if (newest === none || now > this.slot(slot, newestFromAt) + stepMs) {
      this.append(slot, cost, now)
      return
    }
    this.slots[slot * numbersEach + sumAt] = this.sum(slot) + cost
    this.steps[newest * numbersEach + costAt] = this.step(newest, costAt) + cost
    this.steps[newest * numbersEach + lastAt] = now
  }

  /** Takes the oldest cost back first: what is left is remembered for longer, never for too short a time. */
  private giveBack(slot: number, cost: number, now: number): void {
    this.dropOld(slot, now)
    let left = cost
    for (let step = this.end(slot, oldestAt); step !== none && left > 0; step = this.end(slot, oldestAt)) {
      const part = this.step(step, costAt)
      if (part > left) {
        this.steps[step * numbersEach + costAt] = part - left
        this.slots[slot * numbersEach + sumAt] = this.sum(slot) - left
        return
      }
      left -= part
      this.dropOldest(slot)
    }
  }

  private dropOld(slot: number, now: number): void {
    for (let step = this.end(slot, oldestAt); step !== none; step = this.end(slot, oldestAt)) {
      if (roundedWaitMs(this.step(step, lastAt) + this.windowMs - now, now) > 0) return
      this.dropOldest(slot)
    }
  }

  private append(slot: number, cost: number, at: number): void {
    const step = this.newStep()
    this.steps[step * numbersEach + costAt] = cost
    this.steps[step * numbersEach + lastAt] = at
    this.nexts[step] = none
    const newest = this.end(slot, newestAt)
    if (newest === none) this.ends[slot * linksPerSlot + oldestAt] = step
    else this.nexts[newest] = step
    this.ends[slot * linksPerSlot + newestAt] = step
    this.slots[slot * numbersEach + newestFromAt] = at
    this.slots[slot * numbersEach + sumAt] = this.sum(slot) + cost
  }

  private dropOldest(slot: number): void {
    const oldest = this.end(slot, oldestAt)
    const next = this.next(oldest)
    this.ends[slot * linksPerSlot + oldestAt] = next
    this.slots[slot * numbersEach + sumAt] = next === none ? 0 : this.sum(slot) - this.step(oldest, costAt) // no rounding outlives the chain
    if (next === none) this.ends[slot * linksPerSlot + newestAt] = none
    this.nexts[oldest] = this.freeStep
    this.freeStep = oldest
  }

  private newStep(): number {
    const free = this.freeStep
    if (free !== none) {
      this.freeStep = this.next(free)
      return free
    }
    if (this.stepsMade === this.nexts.length) {
      const room = grown(this.stepsMade)
      this.steps = enlarged(this.steps, room * numbersEach)
      this.nexts = enlarged(this.nexts, room)
    }
    return this.stepsMade++
  }

  private sum(slot: number): number {
    return this.slots[slot * numbersEach + sumAt] as number
  }

  private slot(slot: number, field: number): number {
    return this.slots[slot * numbersEach + field] as number
  }

  private end(slot: number, which: number): number {
    return this.ends[slot * linksPerSlot + which] as number
  }

  private next(step: number): number {
    return this.nexts[step] as number
  }

  private step(step: number, field: number): number {
    return this.steps[step * numbersEach + field] as number
  }
}
