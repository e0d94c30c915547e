import type { CircuitGate } from './circuit-gate.ts'
import type { CircuitState } from './events.ts'

/** A circuit as plain data. Instants in epoch ms; rates are null without data. */
export interface CircuitStatus {
  readonly kind: 'circuit-breaker'
  readonly name: string
  readonly state: CircuitState
  readonly mode: 'enforce' | 'metrics-only'
  /** When the state began. */
  readonly since: number
  /** Calls that ended within the window; null when no rule looks at ratios. An open circuit still shows what opened it. */
  readonly calls: number | null
  /** Within the window; the failures in a row when no rule looks at a window. */
  readonly failures: number
  readonly failureRate: number | null
  /** Slow calls, those in flight included, as a share of the calls that ended or are slow; null when no rule looks at it. */
  readonly slowCallRate: number | null
  /** Of the calls counted while closed. */
  readonly consecutiveFailures: number
  /** Probes of this half-open state; null in the others. */
  readonly probes: { readonly running: number; readonly successes: number; readonly failures: number } | null
  readonly successTotal: number
  readonly failureTotal: number
  readonly ignoredTotal: number
  readonly refusedTotal: number
  readonly openedTotal: number
  /** Times a rule said open, but the mode kept the circuit closed. */
  readonly wouldHaveOpenedTotal: number
  /** Times a rule said open, but as many circuits of the group or registry were open as may be. */
  readonly ejectionsCappedTotal: number
  readonly lastFailureAt: number | null
  readonly timeSinceLastFailureMs: number | null
  /** When the first probe is let in; null unless the circuit is open, and when only a hand ends that. */
  readonly nextAttemptAt: number | null
  readonly [figure: string]: unknown
}

/** Looks at a circuit without changing it. */
export function circuitStatus(gate: CircuitGate): CircuitStatus {
  const { name, totals, settings } = gate
  const { clock, mode, rules } = settings
  const now = clock.now()
  const toWall = (instant: number): number => Math.round(clock.wallNow() + instant - now)
  const { state, beganAt, endsAt = Infinity } = gate.at(now)
  const { calls, failures, slowCalls } = gate.counts(now)
  const slowOf = (calls ?? 0) + gate.slowInFlight
  const { failureTotal, openedTotal, lastFailureAt } = totalsAt(gate, now)
  return {
    kind: 'circuit-breaker',
    name,
    state,
    mode: mode === 'metrics-only' ? 'metrics-only' : 'enforce',
    since: beganAt === undefined ? gate.since : toWall(beganAt),
    calls,
    failures,
    failureRate: failureRate(gate),
    slowCallRate: rules.slowCallRatio === Infinity || slowCalls === null || slowOf === 0 ? null : slowCalls / slowOf,
    consecutiveFailures: gate.record === undefined ? 0 : gate.record.consecutiveFailures,
    probes: state === 'half-open' ? probesOf(gate, now) : null,
    successTotal: gate.succeeded,
    failureTotal,
    ignoredTotal: totals.ignored,
    refusedTotal: totals.refused,
    openedTotal,
    wouldHaveOpenedTotal: totals.wouldHaveOpened,
    ejectionsCappedTotal: totals.ejectionsCapped,
    lastFailureAt: lastFailureAt === undefined ? null : toWall(lastFailureAt),
    timeSinceLastFailureMs: lastFailureAt === undefined ? null : Math.max(0, now - lastFailureAt),
    nextAttemptAt: endsAt === Infinity ? null : toWall(endsAt),
  }
}

/** Failures / calls: within the window where a rule looks at ratios, else ever; null without calls. */
export function failureRate(gate: CircuitGate): number | null {
  const now = gate.settings.clock.now()
  const { calls, failures } = gate.counts(now)
  if (calls !== null) return calls === 0 ? null : failures / calls
  const { failureTotal } = totalsAt(gate, now)
  const ever = gate.succeeded + failureTotal
  return ever === 0 ? null : failureTotal / ever
}

/** The figures with what the leases of hanging probes have brought since the last call. */
function totalsAt(
  gate: CircuitGate,
  now: number,
): { readonly failureTotal: number; readonly openedTotal: number; readonly lastFailureAt: number | undefined } {
  const { probation, failed, lastFailureAt } = gate
  const { opened } = gate.totals
  const overdue = probation === undefined ? [] : probation.overdueAt(now)
  if (overdue.length === 0) return { failureTotal: failed, openedTotal: opened, lastFailureAt }
  return {
    failureTotal: failed + overdue.length,
    openedTotal: probation?.reopensAt(now) === undefined ? opened : opened + 1,
    lastFailureAt: Math.max(lastFailureAt ?? -Infinity, ...overdue.map(({ expiresAt }) => expiresAt)),
  }
}

function probesOf(gate: CircuitGate, now: number): CircuitStatus['probes'] {
  const { probation } = gate
  const isOver = probation === undefined || probation.reopensAt(now) !== undefined
  return isOver ? { running: 0, successes: 0, failures: 0 } : probation.countsAt(now)
}
