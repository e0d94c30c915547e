import type { Fault, FaultState, ServiceName } from './faults.ts'

/** A stretch of time with the same faults. */
export interface FaultPhase {
  /** Short and unique in the script. */
  readonly name: string
  readonly title: string
  readonly durationMs: number
  readonly faults: Readonly<Partial<Record<ServiceName, Fault>>>
}

export interface FaultScript {
  readonly name: string
  readonly phases: readonly FaultPhase[]
}

/** Two minutes: each kind of trouble once, with time to recover in between. */
export const defaultScript: FaultScript = {
  name: 'two-minutes',
  phases: [
    { name: 'calm', title: 'calm', durationMs: 15_000, faults: {} },
    { name: 'slow-llm', title: 'LLM slow', durationMs: 20_000, faults: { llm: { kind: 'slow', factor: 5 } } },
    { name: 'after-slow', title: 'calm', durationMs: 10_000, faults: {} },
    { name: 'rate-limits', title: 'LLM rate limits', durationMs: 15_000, faults: { llm: { kind: 'rate-limit', perSecond: 6 } } },
    { name: 'after-limits', title: 'calm', durationMs: 8_000, faults: {} },
    { name: 'search-hangs', title: 'search hangs', durationMs: 12_000, faults: { search: { kind: 'stall', share: 1 } } },
    { name: 'llm-outage', title: 'LLM outage', durationMs: 12_000, faults: { llm: { kind: 'outage', mode: 'error', share: 1 } } },
    { name: 'recovery', title: 'recovery', durationMs: 23_000, faults: {} },
  ],
}

export interface ScriptPosition {
  readonly phase: FaultPhase
  /** Place of the phase in the script. */
  readonly index: number
  /** Time since the script (this round of it) began. */
  readonly positionMs: number
  /** Time until the phase ends. */
  readonly remainingMs: number
  /** 0 for the first time through. */
  readonly round: number
}

export function scriptDurationMs(script: FaultScript): number {
  return script.phases.reduce((sum, phase) => sum + phase.durationMs, 0)
}

/** Where the script is after `elapsedMs`; undefined once a script that does not loop is over. */
export function positionAt(script: FaultScript, elapsedMs: number, loops: boolean): ScriptPosition | undefined {
  const totalMs = scriptDurationMs(script)
  const round = Math.floor(elapsedMs / totalMs)
  if (round > 0 && !loops) return undefined
  const positionMs = elapsedMs - round * totalMs
  let startsAt = 0
  for (const [index, phase] of script.phases.entries()) {
    const endsAt = startsAt + phase.durationMs
    if (positionMs < endsAt) return { phase, index, positionMs, remainingMs: endsAt - positionMs, round }
    startsAt = endsAt
  }
  return undefined
}

/** The fault that a phase gives a service. */
export function faultIn(phase: FaultPhase | undefined, service: ServiceName): FaultState {
  return phase?.faults[service]
}
