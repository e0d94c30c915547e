import { grown, type LimitAlgorithm } from './limit-algorithm.ts'

/** The slot of all keys there is no room for: together they get the limit of one, so none can exceed it. */
const sharedSlot = 0

/** Slots looked at with every use, so that idle keys are forgotten without a timer. */
const sweptPerUse = 2
const sweptWhenFull = 16

/** Gives each key a slot, in bounded memory. */
export class KeySlots {
  /** Calls that used the shared slot. */
  overflowed = 0
  private limits: readonly LimitAlgorithm[]
  private maxKeys: number
  private readonly slotOf = new Map<string, number>()
  private readonly keyOf: (string | undefined)[] = [undefined]
  private readonly free: number[] = []
  private reserved = 4
  private cursor = 1

  constructor(limits: readonly LimitAlgorithm[], maxKeys: number) {
    this.limits = limits
    this.maxKeys = maxKeys
    for (const limit of limits) limit.reserve(this.reserved)
  }

  /** Other limits for the same keys. Beyond a smaller `maxKeys`, keys are forgotten when they have used nothing. */
  reconfigure(limits: readonly LimitAlgorithm[], maxKeys: number): void {
    for (const limit of limits) if (!this.limits.includes(limit)) limit.reserve(this.reserved)
    this.limits = limits
    this.maxKeys = maxKeys
  }

  /** Lets another algorithm remember what one does. */
  move(from: LimitAlgorithm, to: LimitAlgorithm, now: number): void {
    to.reserve(this.reserved)
    for (let slot = 0; slot < this.keyOf.length; slot++) {
      const used = from.used(slot, now)
      if (used > 0) to.take(slot, used, now)
    }
  }

  get size(): number {
    return this.slotOf.size
  }

  has(key: string): boolean {
    return this.slotOf.has(key)
  }

  /** The slot that says what the key has used. */
  find(key: string): number {
    return this.slotOf.get(key) ?? sharedSlot
  }

  /** The slot in which the key's use is to be remembered; `found` is what {@link find} answered. */
  claim(key: string, found: number, now: number): number {
    if (this.slotOf.size > 1) this.sweep(now, sweptPerUse, found)
    return found === sharedSlot ? this.newSlot(key, now) : found
  }

  private newSlot(key: string, now: number): number {
    if (this.slotOf.size >= this.maxKeys) this.sweep(now, sweptWhenFull, sharedSlot)
    if (this.slotOf.size >= this.maxKeys) {
      this.overflowed++
      return sharedSlot
    }
    const slot = this.free.pop() ?? this.keyOf.length
    if (slot === this.reserved) {
      this.reserved = Math.min(grown(this.reserved), this.maxKeys + 1)
      for (const limit of this.limits) limit.reserve(this.reserved)
    }
    this.keyOf[slot] = key
    this.slotOf.set(key, slot)
    // the key may have used the shared slot before: were it to start afresh, it could use its limit twice
    for (const limit of this.limits) limit.copy(sharedSlot, slot)
    return slot
  }

  private sweep(now: number, count: number, except: number): void {
    for (let step = 0; step < count; step++) {
      if (this.cursor >= this.keyOf.length) this.cursor = 1
      const slot = this.cursor++
      const key = this.keyOf[slot]
      if (key === undefined || slot === except || !this.isIdle(slot, now)) continue
      this.slotOf.delete(key)
      this.keyOf[slot] = undefined
      for (const limit of this.limits) limit.forget(slot)
      this.free.push(slot)
    }
  }

  /** Whether a slot is as good as a fresh one: nothing of any limit is used. */
  private isIdle(slot: number, now: number): boolean {
    for (const limit of this.limits) if (limit.used(slot, now) > 0) return false
    return true
  }
}
