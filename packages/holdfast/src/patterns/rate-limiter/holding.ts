import type { Cost } from '../../core/call.ts'
import type { LimitAlgorithm, UnitHold } from './limit-algorithm.ts'

/** Units of one limit that were reserved. */
export interface HeldUnits {
  readonly name: string
  readonly algorithm: LimitAlgorithm
  readonly units: number
  readonly hold: UnitHold
}

/** What one call has reserved, until it is known what it used. */
export class Holding {
  readonly key: string
  /** Where the key's use was remembered. */
  readonly slot: number
  readonly cost: Cost | undefined
  readonly held: readonly HeldUnits[]
  isOpen = true

  constructor(key: string, slot: number, cost: Cost | undefined, held: readonly HeldUnits[]) {
    this.key = key
    this.slot = slot
    this.cost = cost
    this.held = held
  }
}
