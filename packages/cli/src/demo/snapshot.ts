import type { ActiveFault } from './fault-board.ts'
import type { FaultSegment } from './fault-history.ts'
import type { FailureReason } from './failure-reason.ts'
import type { ServiceName } from './faults.ts'
import type { LaneFigures, LanePoint, PhaseCounts } from './lane-statistics.ts'
import type { ProtectionFigures } from './protected-tools.ts'
import type { ServiceStats } from './services/service-stats.ts'

export type LaneName = 'bare' | 'holdfast'

/** The whole demo at one moment, as plain JSON: what the page, the event stream and the terminal show. */
export interface DemoSnapshot {
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms. */
  readonly at: number
  readonly elapsedMs: number
  readonly seed: number
  readonly arrivalsPerSecond: number
  /** How long a task's user waits. */
  readonly deadlineMs: number
  /** Delay of this process's event loop in the last second, 99th percentile: if it is high, the figures below are this machine's fault. */
  readonly loopDelayP99Ms: number
  readonly script: ScriptSnapshot
  /** In force now. */
  readonly faults: readonly ActiveFault[]
  /** In force now or within the last two minutes. */
  readonly faultSegments: readonly FaultSegment[]
  readonly lanes: readonly LaneSnapshot[]
}

export interface ScriptSnapshot {
  readonly name: string
  readonly loops: boolean
  readonly durationMs: number
  readonly phases: readonly PhaseSnapshot[]
  /** Place of the current phase; null once the script is over. */
  readonly index: number | null
  /** Since this round of the script began. */
  readonly positionMs: number
  readonly round: number
}

export interface PhaseSnapshot {
  readonly name: string
  readonly title: string
  /** Since the script's start. */
  readonly startMs: number
  readonly durationMs: number
  readonly faults: readonly { readonly service: ServiceName; readonly kind: string; readonly text: string }[]
}

export interface LaneSnapshot {
  readonly name: LaneName
  readonly title: string
  /** Since the start. */
  readonly totals: LaneFigures
  /** Of the last ten seconds. */
  readonly recent: LaneFigures
  readonly waiting: number
  readonly abandoned: number
  readonly peakRunning: number
  readonly failures: Readonly<Record<FailureReason, number>>
  /** By the phase in which tasks arrived, in the script's order. */
  readonly phases: readonly PhaseCounts[]
  /** As each service counted them itself; null while a service has not been heard. */
  readonly services: Readonly<Record<ServiceName, ServiceStats | null>>
  readonly load: LoadFigures
  readonly protection: ProtectionFigures
  /** The last 120 seconds, oldest first. */
  readonly history: readonly LanePoint[]
}

/** What a lane sent to its services, all of them together. */
export interface LoadFigures {
  readonly requests: number
  /** Requests that asked the same thing again. */
  readonly repeated: number
  /** Requests to a service in seconds in which it had a fault. */
  readonly whileFailing: number
}
