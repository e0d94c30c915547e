import { policy, refusal, type Clock, type Policy } from 'holdfast'

/** One finished call, as an algorithm hears of it. */
export interface CallSample {
  readonly endedAt: number
  readonly rttMs: number
  /** Calls in flight when this one began, itself included. */
  readonly inFlight: number
  /** Calls in flight when it ended, itself included. */
  readonly inFlightNow: number
  /** Whether it was dropped: failed, that is. */
  readonly dropped: boolean
}

/** A limit on concurrency that finds its own size. What enforces it lies outside, so that only the algorithms differ. */
export interface ConcurrencyAlgorithm {
  /** Calls that may be in flight now; what lies behind the point is cut off. */
  limit(now: number): number
  ended(sample: CallSample): void
  /** A call was turned away. */
  refused?(now: number): void
}

interface Permit {
  readonly startedAt: number
  readonly inFlight: number
}

/** An algorithm as a policy. */
export function limiter(name: string, algorithm: ConcurrencyAlgorithm, clock: Clock): Policy {
  let inFlight = 0
  const parts = {
    kind: 'gate',
    admit: (): Permit | ReturnType<typeof refusal> => {
      const now = clock.now()
      if (inFlight >= Math.max(1, Math.floor(algorithm.limit(now)))) {
        algorithm.refused?.(now)
        return refusal('ERR_REFUSED', name)
      }
      return { startedAt: now, inFlight: ++inFlight }
    },
    settle: (permit: Permit, ok: boolean) => {
      const endedAt = clock.now()
      const { startedAt, inFlight: inFlightThen } = permit
      algorithm.ended({ endedAt, rttMs: endedAt - startedAt, inFlight: inFlightThen, inFlightNow: inFlight, dropped: !ok })
      inFlight--
    },
  } as const
  return policy({ name, clock, parts, status: () => ({ limit: algorithm.limit(clock.now()) }) })
}

/** All algorithms may choose a limit in this range. */
const minLimit = 1
export const maxLimit = 1_000
export const initialLimit = 20

export function clampLimit(limit: number): number {
  return Math.min(maxLimit, Math.max(minLimit, limit))
}
