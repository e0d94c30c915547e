import { durationMs, type Duration } from '../../core/duration.ts'
import { integerOption, ratioOption } from '../../core/options.ts'

/** How a half-open circuit decides. */
export interface HalfOpenOptions {
  /** Successful probes that close the circuit; any failed probe reopens it. Not with `halfOpenFailureRatio`. @defaultValue 2 */
  readonly successThreshold?: number
  /**
   * Probes at the same time; more than `successThreshold` keep a slow one from delaying the others. With `halfOpenFailureRatio`:
   * probes in all. @defaultValue successThreshold, or 10 with the ratio
   */
  readonly halfOpenProbes?: number
  /** Decides by the share of failed probes (0..1] instead: this share or more reopens, less closes; as soon as it is certain. */
  readonly halfOpenFailureRatio?: number
  /**
   * A probe that has not ended by this time, or by its caller's deadline if that is earlier, has failed.
   * @defaultValue the caller's deadline; without one, openFor, but 30 s at least
   */
  readonly probeTimeout?: Duration
}

export const halfOpenOptionNames = ['successThreshold', 'halfOpenProbes', 'halfOpenFailureRatio', 'probeTimeout'] as const

export interface HalfOpenRules {
  /** Probes at the same time. */
  readonly concurrent: number
  /** Probes in all, not counting the ignored ones. */
  readonly total: number
  /** Successes that close. */
  readonly successes: number
  /** Failures that reopen. */
  readonly failures: number
  readonly probeTimeoutMs: number
  /** Whether the timeout holds for probes whose caller gave a later deadline. */
  readonly cutsDeadlines: boolean
  /** Set where the share of failed probes decides. */
  readonly failureRatio: number | undefined
}

const shortestDefaultTimeoutMs = 30_000

/** @param openForMs Time the circuit is open at first; Infinity when only a hand probes. */
export function halfOpenRules(owner: string, options: HalfOpenOptions, openForMs: number): HalfOpenRules {
  const defaultTimeoutMs = openForMs === Infinity ? shortestDefaultTimeoutMs : Math.max(openForMs, shortestDefaultTimeoutMs)
  const probeTimeoutMs = durationMs(owner, 'probeTimeout', options.probeTimeout ?? defaultTimeoutMs, { min: 1 })
  const timeout = { probeTimeoutMs, cutsDeadlines: options.probeTimeout !== undefined }
  return options.halfOpenFailureRatio === undefined ? bySuccesses(owner, options, timeout) : byRatio(owner, options, timeout)
}

/** The rules in force, as plain data. */
export function describeHalfOpenRules(rules: HalfOpenRules): Readonly<Record<string, unknown>> {
  const { failureRatio, concurrent: halfOpenProbes, successes: successThreshold, probeTimeoutMs } = rules
  if (failureRatio === undefined) return { successThreshold, halfOpenProbes, probeTimeoutMs }
  return { halfOpenProbes, halfOpenFailureRatio: failureRatio, probeTimeoutMs }
}

type ProbeTimeout = Pick<HalfOpenRules, 'probeTimeoutMs' | 'cutsDeadlines'>

function bySuccesses(owner: string, options: HalfOpenOptions, timeout: ProbeTimeout): HalfOpenRules {
  const successThreshold = integerOption(owner, 'successThreshold', options.successThreshold ?? 2, { min: 1 })
  const halfOpenProbes = integerOption(owner, 'halfOpenProbes', options.halfOpenProbes ?? successThreshold, { min: 1 })
  return {
    ...timeout,
    concurrent: halfOpenProbes,
    total: Math.max(halfOpenProbes, successThreshold),
    successes: successThreshold,
    failures: 1,
    failureRatio: undefined,
  }
}

function byRatio(owner: string, options: HalfOpenOptions, timeout: ProbeTimeout): HalfOpenRules {
  const halfOpenFailureRatio = ratioOption(owner, 'halfOpenFailureRatio', options.halfOpenFailureRatio, true)
  const halfOpenProbes = integerOption(owner, 'halfOpenProbes', options.halfOpenProbes ?? 10, { min: 1 })
  const failures = smallestCountOf(halfOpenFailureRatio, halfOpenProbes)
  return {
    ...timeout,
    concurrent: halfOpenProbes,
    total: halfOpenProbes,
    successes: halfOpenProbes - failures + 1,
    failures,
    failureRatio: halfOpenFailureRatio,
  }
}

/** The smallest count whose share of `all` reaches the ratio, as `count / all >= ratio` says it. */
function smallestCountOf(ratio: number, all: number): number {
  const near = Math.max(1, Math.ceil(ratio * all)) // the product is rounded, and may be one off
  if (near > 1 && (near - 1) / all >= ratio) return near - 1
  return near / all >= ratio ? near : near + 1
}
