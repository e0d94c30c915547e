/** How much a limit admits. */
export interface LimitSize {
  readonly limit: number
  readonly windowMs: number
  /** Units that may be used at once; undefined: as many as the limit. */
  readonly burst: number | undefined
}

/**
 * One limit over many keys, which it knows as slots: small whole numbers that {@link KeySlots} hands out. Instants are monotonic
 * ms that never go back; costs are numbers above 0.
 */
export interface LimitAlgorithm {
  /** The most units that can be used at once. */
  readonly capacity: number
  /** Milliseconds until `cost` fits, 0 if it does now, Infinity if it never will. */
  waitMs(slot: number, cost: number, now: number): number
  /** Uses `cost`, also when it does not fit: the key is in debt then. Negative gives back. */
  take(slot: number, cost: number, now: number): void
  /** Units used and not yet regained. */
  used(slot: number, now: number): number
  /** Changes the limit; what was used stays used. */
  change(size: LimitSize, now: number): void
  /** Makes room for the slots below `slots`. */
  reserve(slots: number): void
  /** Makes a slot of which nothing is used remember what another one does. */
  copy(from: number, to: number): void
  /** Watches what becomes of units that were taken just now, so that no more of them is given back than still counts. */
  hold(slot: number, now: number): UnitHold
  /** The slot is another key's from now on. */
  forget(slot: number): void
}

/** Units that were taken and may be given back. */
export interface UnitHold {
  /** How many of these still count and are to be given back; the caller does so at once. Asked once. */
  giveBack(units: number, now: number): number
  /** Nobody will ask any more. */
  end(): void
}

/** The wait; 0 when it is shorter than a clock can tell, which is what rounding leaves of one that is over. */
export function roundedWaitMs(waitMs: number, now: number): number {
  return waitMs <= 1e-6 + Math.abs(now) * 2 ** -50 ? 0 : waitMs
}

/** A larger array with the same beginning. */
export function enlarged<A extends Float64Array | Uint32Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length)
  larger.set(array)
  return larger
}

/** How many there shall be room for when more than `count` are needed: little of it stays empty. */
export function grown(count: number): number {
  return Math.ceil(count * 1.25) + 4
}
