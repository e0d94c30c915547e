import type { Call } from '../../core/call.ts'
import type { Verdict } from '../../core/layer.ts'
import type { HalfOpenRules } from './half-open.ts'

/** A call that decides about a half-open circuit, for as long as its lease lasts. */
export class Probe {
  readonly generation: number
  /** Monotonic ms. */
  readonly expiresAt: number
  /** Whether it was counted as failed because its lease had run out: what it brings now comes too late. */
  expired = false

  constructor(generation: number, expiresAt: number) {
    this.generation = generation
    this.expiresAt = expiresAt
  }
}

export type Decision = 'close' | 'reopen' | undefined

/** One stay in the half-open state: who probes, and what the probes have shown. */
export class Probation {
  /** How long the circuit will be open if probes that never end reopen it; set when first asked for. */
  reopenForMs: number | undefined = undefined
  /** All probes have ended by then, and so long ago that nobody seems to call any more. Monotonic ms. */
  idleFrom: number
  private readonly rules: HalfOpenRules
  private readonly running = new Set<Probe>()
  /** No lease ends before this instant, so that most looks need not go through the probes. */
  private noneEndsBefore = Infinity
  private successes = 0
  private failures = 0

  constructor(rules: HalfOpenRules, now: number) {
    this.rules = rules
    this.idleFrom = now + rules.probeTimeoutMs
  }

  /** A probe, or undefined when enough of them run to decide. */
  admit(generation: number, call: Call, now: number): Probe | undefined {
    const { concurrent, total } = this.rules
    if (this.running.size >= Math.min(concurrent, total - this.successes - this.failures)) return undefined
    const probe = new Probe(generation, this.leaseEnd(call, now))
    this.running.add(probe)
    this.noneEndsBefore = Math.min(this.noneEndsBefore, probe.expiresAt)
    this.idleFrom = Math.max(this.idleFrom, probe.expiresAt)
    return probe
  }

  /** How long until a place is free or the circuit has decided, at the latest; known only where a time for probes was set. */
  waitMs(now: number): number | undefined {
    if (!this.rules.cutsDeadlines || this.running.size === 0) return undefined
    return [...this.running].reduce((earliest, { expiresAt }) => Math.min(earliest, expiresAt), Infinity) - now
  }

  settle(probe: Probe, verdict: Verdict): Decision {
    this.running.delete(probe)
    if (verdict === 'success') this.successes++
    else if (verdict === 'failure') this.failures++
    if (this.failures >= this.rules.failures) return 'reopen'
    return this.successes >= this.rules.successes ? 'close' : undefined
  }

  /** When the leases that have run out by `now` were enough to reopen the circuit; undefined if they are not. */
  reopensAt(now: number): number | undefined {
    const ends = this.endedBy(now).map(({ expiresAt }) => expiresAt)
    return ends.toSorted((a, b) => a - b)[this.rules.failures - this.failures - 1]
  }

  /** Probes whose lease had run out by `now`, and before the circuit reopened: they have failed, counted as yet or not. */
  overdueAt(now: number): readonly Probe[] {
    return this.endedBy(this.reopensAt(now) ?? now)
  }

  /** Counts the overdue probes as failed, and answers with them. */
  expire(now: number): readonly Probe[] {
    const overdue = this.overdueAt(now)
    for (const probe of overdue) {
      probe.expired = true
      this.running.delete(probe)
      this.failures++
    }
    return overdue
  }

  /** How far the probes are at `now`. */
  countsAt(now: number): { readonly running: number; readonly successes: number; readonly failures: number } {
    const overdue = this.overdueAt(now).length
    return { running: this.running.size - overdue, successes: this.successes, failures: this.failures + overdue }
  }

  private leaseEnd(call: Call, now: number): number {
    const { probeTimeoutMs, cutsDeadlines } = this.rules
    if (call.deadlineAt === Infinity) return now + probeTimeoutMs
    return cutsDeadlines ? Math.min(call.deadlineAt, now + probeTimeoutMs) : call.deadlineAt
  }

  private endedBy(now: number): readonly Probe[] {
    if (now < this.noneEndsBefore) return []
    const probes = [...this.running]
    const ended = probes.filter(({ expiresAt }) => expiresAt <= now)
    if (ended.length === 0) this.noneEndsBefore = probes.reduce((earliest, { expiresAt }) => Math.min(earliest, expiresAt), Infinity)
    return ended
  }
}
