import type { PolicyEvent } from '../../core/events.ts'

export type CircuitState = 'closed' | 'open' | 'half-open' | 'isolated' | 'disabled'

/** Which rule opened a circuit. */
export interface OpenReason {
  readonly rule:
    | 'failure-threshold'
    | 'consecutive-failures'
    | 'failure-ratio'
    | 'slow-call-ratio'
    | 'probe-failed'
    | 'probe-expired'
    /** `openOn` said so. */
    | 'asked'
    | 'manual'
    /** A saved circuit was open. */
    | 'restored'
}

/** What the window held. `calls` and `slowCalls` are null when no rule looks at ratios. */
export interface CircuitCounts {
  /** Calls that have ended. */
  readonly calls: number | null
  readonly failures: number
  /** Slow calls, those still running included. */
  readonly slowCalls: number | null
}

export interface CircuitOpened extends PolicyEvent, CircuitCounts {
  readonly type: 'circuit.opened'
  readonly reason: OpenReason
  /** Null when only a hand ends it. */
  readonly openForMs: number | null
  /** Epoch ms; null when only a hand ends it. */
  readonly nextAttemptAt: number | null
}

/** The open time is over and the first probe is under way. */
export interface CircuitHalfOpened extends PolicyEvent {
  readonly type: 'circuit.half-opened'
}

export interface CircuitClosed extends PolicyEvent {
  readonly type: 'circuit.closed'
  readonly from: CircuitState
  readonly manual: boolean
}

export interface CircuitIsolated extends PolicyEvent {
  readonly type: 'circuit.isolated'
}

export interface CircuitDisabled extends PolicyEvent {
  readonly type: 'circuit.disabled'
}

/** A rule says open, but the mode is `metrics-only`. Once per crossing. */
export interface CircuitWouldHaveOpened extends PolicyEvent, CircuitCounts {
  readonly type: 'circuit.would-have-opened'
  readonly reason: OpenReason
}

/** A rule says open, but as many breakers of the group or registry are open as may be. Once per crossing. */
export interface CircuitEjectionCapped extends PolicyEvent, CircuitCounts {
  readonly type: 'circuit.ejection-capped'
  readonly reason: OpenReason
}

/** A saved state was put into force. */
export interface CircuitRestored extends PolicyEvent {
  readonly type: 'circuit.restored'
  readonly state: CircuitState
}

/** A probe did not end within its lease and counts as failed. */
export interface CircuitProbeExpired extends PolicyEvent {
  readonly type: 'circuit.probe-expired'
}

/** A function of the user's (`isFailure`, `ignore`, `isFailureResult`, `openOn`, `openFor`) threw; the call was not touched by it. */
export interface CircuitCallbackFailed extends PolicyEvent {
  readonly type: 'circuit.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type CircuitEvent =
  | CircuitOpened
  | CircuitHalfOpened
  | CircuitClosed
  | CircuitIsolated
  | CircuitDisabled
  | CircuitWouldHaveOpened
  | CircuitEjectionCapped
  | CircuitRestored
  | CircuitProbeExpired
  | CircuitCallbackFailed
