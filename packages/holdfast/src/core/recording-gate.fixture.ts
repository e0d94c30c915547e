import { policy, verdictOf, type Acquirable, type Call, type Gate, type Policy, type Verdict } from 'holdfast'

export interface RecordingGate {
  readonly policy: Policy & Acquirable
  /** What the gate was told, in order. */
  readonly log: (Verdict | 'left')[]
  /** Permits that were given and not left. */
  held: number
}

/** A gate that lets everything in, and writes down what it is told. */
export function recordingGate(): RecordingGate {
  const gate: Gate = {
    kind: 'gate',
    admit() {
      recording.held++
      return undefined
    },
    settle(_permit, ok: boolean, value: unknown, call: Call) {
      recording.log.push(verdictOf(ok, value, call))
    },
    leave() {
      recording.held--
      recording.log.push('left')
    },
  }
  const recording: RecordingGate = { policy: policy({ name: 'recording', parts: gate }), log: [], held: 0 }
  return recording
}
