import type { Random } from '../../core/random.ts'

/** How one call went, as a {@link ConcurrencyAlgorithm} hears of it. */
export interface ConcurrencySample {
  /** Monotonic ms at which the call got its place. */
  readonly startedAt: number
  /** How long its answer took, in ms. */
  readonly rttMs: number
  /** Calls in flight when it started, itself included. */
  readonly inFlight: number
  /** The dependency refused it or did not answer in time: too much was asked of it. `rttMs` says nothing then. */
  readonly dropped: boolean
}

/**
 * Decides how many calls may be in flight, from what became of those that were. It enforces nothing: the gate does.
 * Calls that failed by themselves, or were cancelled, are never told.
 */
export interface ConcurrencyAlgorithm {
  readonly name: string
  /** The limit in force; the gate cuts it to whole numbers within its bounds, and keeps the last one when this is no number. */
  readonly limit: number
  onSample(sample: ConcurrencySample, now: number): void
  /** A call came and found no place: it was queued or refused. */
  onBlocked?(now: number): void
  /** What `status()` says of it. */
  status?(): Readonly<Record<string, number | string | null>>
}

/** What the gate gives an algorithm to begin with. */
export interface LimitBounds {
  readonly minLimit: number
  readonly maxLimit: number
  readonly initialLimit: number
  readonly random: Random
  /** Other clients call the same dependency, each with a limit of its own. */
  readonly shared: boolean
}
