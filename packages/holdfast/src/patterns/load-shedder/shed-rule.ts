import type { Priority } from '../../core/call.ts'
import type { Random } from '../../core/random.ts'

export interface ShedThresholds {
  /** Load from which the least important calls are shed. */
  readonly shedFrom: number
  /** Load from which all but critical calls are shed. */
  readonly maxLoad: number
  /** Load from which critical calls are shed as well. */
  readonly hardLimit: number
  /** How far load has to fall below `shedFrom` for shedding to end. */
  readonly hysteresis: number
  readonly priorityLevels: number
}

/** Where a call stands between the least important, 0, and those that are shed last before the critical ones, below 1. */
const positions: Readonly<Record<Exclude<Priority, 'critical'>, number>> = { low: 0, normal: 1 / 3, high: 2 / 3 }

/**
 * Probability with which a call is shed, 0..1. Between `shedFrom` and `maxLoad` every priority has a band of its own, in which the
 * probability grows from 0 to 1: less important calls are gone before the next ones are touched, and nothing falls off a cliff.
 */
export function shedProbability(rules: ShedThresholds, priority: Priority | number, load: number): number {
  if (load >= rules.hardLimit) return 1
  if (priority === 'critical') return 0
  const isLevel = typeof priority === 'number'
  const bands = isLevel ? rules.priorityLevels : 3
  const position = isLevel ? (priority - 1) / rules.priorityLevels : positions[priority]
  const width = (rules.maxLoad - rules.shedFrom) / bands
  const from = rules.shedFrom + position * (rules.maxLoad - rules.shedFrom)
  if (width === 0) return load >= from ? 1 : 0
  return Math.max(0, Math.min(1, (load - from) / width))
}

/**
 * Whether load is being shed, as it is told: with hysteresis, so that it does not start and end with every sample. What is shed goes by
 * the load alone; its ramp has no cliff to flap at.
 */
export class SheddingState {
  active = false

  update(rules: ShedThresholds, load: number): void {
    if (this.active) {
      if (load < rules.shedFrom - rules.hysteresis) this.active = false
    } else if (load >= rules.shedFrom) this.active = true
  }
}

export function decide(probability: number, random: Random): boolean {
  return probability >= 1 || (probability > 0 && random() < probability)
}
