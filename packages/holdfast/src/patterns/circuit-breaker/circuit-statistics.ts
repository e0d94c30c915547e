import type { CircuitGate } from './circuit-gate.ts'
import { circuitStatus } from './circuit-status.ts'
import type { CircuitState } from './events.ts'

/** What a circuit has seen since it was made or reset. Rates are null without calls. */
export interface CircuitStatistics {
  readonly name: string
  readonly state: CircuitState
  /** Calls that were judged: neither refused nor ignored. */
  readonly totalCalls: number
  readonly successCount: number
  readonly failureCount: number
  /** successCount / totalCalls */
  readonly successRate: number | null
  /** failureCount / totalCalls: ever, not within the window. */
  readonly failureRate: number | null
  readonly refusedCount: number
  readonly timeSinceLastFailureMs: number | null
  /** Time the circuit is open at first; null when only a hand ends it. */
  readonly recoveryTimeoutMs: number | null
  /** Failures within the window that open it; null when no rule counts them. */
  readonly failureThreshold: number | null
}

export function circuitStatistics(gate: CircuitGate): CircuitStatistics {
  const { name, state, successTotal, failureTotal, refusedTotal, timeSinceLastFailureMs } = circuitStatus(gate)
  const { openTime, rules } = gate.settings
  const totalCalls = successTotal + failureTotal
  return {
    name,
    state,
    totalCalls,
    successCount: successTotal,
    failureCount: failureTotal,
    successRate: totalCalls === 0 ? null : successTotal / totalCalls,
    failureRate: totalCalls === 0 ? null : failureTotal / totalCalls,
    refusedCount: refusedTotal,
    timeSinceLastFailureMs,
    recoveryTimeoutMs: openTime.firstMs === Infinity ? null : openTime.firstMs,
    failureThreshold: rules.failureThreshold === Infinity ? null : rules.failureThreshold,
  }
}
