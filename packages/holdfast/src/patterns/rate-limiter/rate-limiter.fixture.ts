import { seededRandom } from 'holdfast/testing'

/** Something that was let through. */
export interface Use {
  readonly at: number
  readonly cost: number
}

/** The most that any interval of a length let through; intervals include their beginning, not their end. */
export function mostInAnyInterval(uses: readonly Use[], lengthMs: number): number {
  let most = 0
  for (const [index, first] of uses.entries()) {
    const inside = uses.slice(index).filter(({ at }) => at < first.at + lengthMs)
    most = Math.max(most, sumOf(inside))
  }
  return most
}

export function sumOf(uses: readonly Use[]): number {
  return uses.reduce((sum, { cost }) => sum + cost, 0)
}

export interface Arrival {
  readonly gapMs: number
  readonly cost: number
}

/** Callers at random times: now many at once, now none for a while. */
export function arrivals(seed: number, count: number, windowMs: number, costs: readonly number[]): Arrival[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => ({
    gapMs: random() < 0.5 ? 0 : Math.round(random() ** 3 * windowMs * 2) / 2,
    cost: costs[Math.floor(random() * costs.length)] as number,
  }))
}
