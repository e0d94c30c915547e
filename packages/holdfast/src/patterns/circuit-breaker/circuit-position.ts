import type { CircuitState } from './events.ts'

/** Where a circuit stands at an instant, by monotonic ms. */
export interface CircuitPosition {
  readonly state: CircuitState
  /** Set where time alone brought it there. */
  readonly beganAt?: number
  /** When an open circuit lets a probe in; Infinity if only a hand does. */
  readonly endsAt?: number
}

/** Of a circuit that is open until `endsAt`: half-open from then on. */
export function positionOf(now: number, endsAt: number, beganAt?: number): CircuitPosition {
  if (now >= endsAt) return { state: 'half-open', beganAt: endsAt }
  return beganAt === undefined ? { state: 'open', endsAt } : { state: 'open', beganAt, endsAt }
}
