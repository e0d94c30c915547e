import type { Call } from '../../core/call.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import type { Verdict } from '../../core/layer.ts'
import { integerOption, ratioOption } from '../../core/options.ts'

/** How a half-open circuit decides. */
export interface HalfOpenOptions {
  /** Successful probes that close the circuit; any failed probe reopens it. @defaultValue 2 */
  readonly successThreshold?: number
  /** Probes at the same time; with `halfOpenFailureRatio`, probes in all. @defaultValue successThreshold, or 10 with the ratio */
  readonly halfOpenProbes?: number
  /** Decides by the share of failed probes (0..1] instead: this share or more reopens, less closes; as soon as it is certain. */
  readonly halfOpenFailureRatio?: number
  /** A probe that has not ended by its caller's deadline, or by this time if there is none, has failed. @defaultValue max(openFor, 30 s) */
  readonly probeTimeout?: Duration
}

export const halfOpenOptionNames = ['successThreshold', 'halfOpenProbes', 'halfOpenFailureRatio', 'probeTimeout'] as const

export interface HalfOpenRules {
  /** Probes at the same time. */
  readonly concurrent: number
  /** Successes that close. */
  readonly successes: number
  /** Failures that reopen. */
  readonly failures: number
  readonly probeTimeoutMs: number
  readonly description: Readonly<Record<string, unknown>>
}

export function halfOpenRules(owner: string, options: HalfOpenOptions, openForMs: number): HalfOpenRules {
  const { halfOpenFailureRatio, halfOpenProbes } = options
  const successThreshold = integerOption(owner, 'successThreshold', options.successThreshold ?? 2, { min: 1 })
  const probeTimeoutMs = durationMs(owner, 'probeTimeout', options.probeTimeout ?? Math.min(Math.max(openForMs, 30_000), Number.MAX_SAFE_INTEGER), { min: 1 })
  if (halfOpenFailureRatio === undefined) {
    const concurrent = integerOption(owner, 'halfOpenProbes', halfOpenProbes ?? successThreshold, { min: 1 })
    return { concurrent, successes: successThreshold, failures: 1, probeTimeoutMs, description: { successThreshold, halfOpenProbes: concurrent, probeTimeoutMs } }
  }
  const ratio = ratioOption(owner, 'halfOpenFailureRatio', halfOpenFailureRatio, true)
  const sample = integerOption(owner, 'halfOpenProbes', halfOpenProbes ?? 10, { min: 1 })
  const failures = Math.max(1, Math.ceil(ratio * sample - 1e-9))
  return {
    concurrent: sample,
    successes: sample - failures + 1,
    failures,
    probeTimeoutMs,
    description: { halfOpenProbes: sample, halfOpenFailureRatio: ratio, probeTimeoutMs },
  }
}

/** A call that decides about a half-open circuit, for as long as its lease lasts. */
export class Probe {
  readonly generation: number
  /** Monotonic ms. */
  readonly expiresAt: number
  constructor(generation: number, expiresAt: number) {
    this.generation = generation
    this.expiresAt = expiresAt
  }
}

export type Decision = 'close' | 'reopen' | undefined

/** One stay in the half-open state: who probes, and what the probes have shown. */
export class Probation {
  readonly rules: HalfOpenRules
  readonly running = new Set<Probe>()
  successes = 0
  failures = 0

  constructor(rules: HalfOpenRules) {
    this.rules = rules
  }

  /** A probe, or undefined when enough of them run to decide. */
  admit(generation: number, call: Call, now: number): Probe | undefined {
    const { concurrent, successes, failures } = this.rules
    const mostNeeded = successes + failures - 1 - this.successes - this.failures
    if (this.running.size >= Math.min(concurrent, mostNeeded)) return undefined
    const probe = new Probe(generation, call.deadlineAt === Infinity ? now + this.rules.probeTimeoutMs : call.deadlineAt)
    this.running.add(probe)
    return probe
  }

  settle(probe: Probe, verdict: Verdict): Decision {
    if (!this.running.delete(probe)) return undefined
    if (verdict === 'success') this.successes++
    else if (verdict === 'failure') this.failures++
    return this.decision()
  }

  /** When the leases that have run out by `now` were enough to reopen the circuit; undefined if they are not. */
  reopensAt(now: number): number | undefined {
    const expired = [...this.running].map((probe) => probe.expiresAt).filter((expiresAt) => expiresAt <= now)
    return expired.toSorted((a, b) => a - b)[this.rules.failures - this.failures - 1]
  }

  /** Counts the probes whose lease has run out as failures; answers how many. */
  expire(now: number): number {
    let expired = 0
    for (const probe of this.running) {
      if (probe.expiresAt > now) continue
      this.running.delete(probe)
      this.failures++
      expired++
    }
    return expired
  }

  private decision(): Decision {
    if (this.failures >= this.rules.failures) return 'reopen'
    return this.successes >= this.rules.successes ? 'close' : undefined
  }
}
