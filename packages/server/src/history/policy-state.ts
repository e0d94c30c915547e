import type { CircuitStatus, PolicyStatus, RateLimiterStatus } from 'holdfast'
import type { RibbonState } from '../wire.ts'

/** What a policy, or all that stand before a dependency, do now. Instants in epoch ms. */
export interface StateReading {
  readonly state: RibbonState
  /** When the state began, where that is known. */
  readonly since: number | null
  readonly nextAttemptAt: number | null
  readonly pausedUntil: number | null
  /** Places in the given list of the policies that bring this state about. */
  readonly causes: readonly number[]
}

/** Worst first: the worst of a pipeline's circuit breakers is its state. */
const severity: readonly RibbonState[] = ['isolated', 'open', 'half-open', 'disabled', 'paused', 'closed', 'passing']

/** The state of a dependency out of the policies before it. */
export function stateOf(policies: readonly PolicyStatus[]): StateReading {
  const readings = policies.map(readingOf)
  const state = severity.find((each) => readings.some((reading) => reading.state === each)) ?? 'passing'
  const causes = readings.flatMap((reading, index) => (reading.state === state ? [index] : []))
  const decisive = readings.filter((reading) => reading.state === state)
  return {
    state,
    since: least(decisive.map(({ since }) => since)),
    nextAttemptAt: least(decisive.map(({ nextAttemptAt }) => nextAttemptAt)),
    pausedUntil: greatest(readings.map(({ pausedUntil }) => pausedUntil)),
    causes,
  }
}

type PolicyReading = Omit<StateReading, 'causes'>

function readingOf(status: PolicyStatus): PolicyReading {
  if (status.kind === 'circuit-breaker') {
    const { state, since, nextAttemptAt } = status as CircuitStatus
    return { state, since, nextAttemptAt, pausedUntil: null }
  }
  const { pausedUntil = null } = status.kind === 'rate-limiter' ? (status as RateLimiterStatus) : {}
  const state = pausedUntil === null ? 'passing' : 'paused'
  return { state, since: null, nextAttemptAt: null, pausedUntil: pausedUntil === null ? null : Math.round(pausedUntil) }
}

function least(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function greatest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null)
  return known.length === 0 ? null : Math.max(...known)
}
