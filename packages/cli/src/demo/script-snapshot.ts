import { positionAt, scriptDurationMs, type FaultScript } from './fault-script.ts'
import { describeFault, serviceNames } from './faults.ts'
import type { PhaseSnapshot, ScriptSnapshot } from './snapshot.ts'

/** The script and where it is, as plain data. */
export function scriptSnapshot(script: FaultScript, elapsedMs: number, loops: boolean): ScriptSnapshot {
  const position = positionAt(script, elapsedMs, loops)
  const durationMs = scriptDurationMs(script)
  return {
    name: script.name,
    loops,
    durationMs,
    phases: phasesOf(script),
    index: position?.index ?? null,
    positionMs: position?.positionMs ?? durationMs,
    round: position?.round ?? 0,
  }
}

function phasesOf(script: FaultScript): readonly PhaseSnapshot[] {
  let startMs = 0
  return script.phases.map(({ name, title, durationMs, faults }) => {
    const phase: PhaseSnapshot = {
      name,
      title,
      startMs,
      durationMs,
      faults: serviceNames.flatMap((service) => {
        const fault = faults[service]
        return fault === undefined ? [] : [{ service, kind: fault.kind, text: describeFault(fault) }]
      }),
    }
    startMs += durationMs
    return phase
  })
}
