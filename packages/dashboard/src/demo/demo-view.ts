/** What this page reads of the live section `demo`; the server's demonstration makes it. Instants are epoch ms. */
export interface DemoView {
  readonly startedAt: number
  readonly at: number
  readonly elapsedMs: number
  readonly seed: number
  readonly arrivalsPerSecond: number
  /** How long a task's user waits. */
  readonly deadlineMs: number
  readonly loopDelayP99Ms: number
  readonly script: ScriptView
  readonly faults: readonly ActiveFaultView[]
  readonly faultSegments: readonly FaultSegmentView[]
  readonly lanes: readonly LaneView[]
}

export interface ScriptView {
  readonly loops: boolean
  readonly durationMs: number
  readonly phases: readonly {
    readonly title: string
    readonly startMs: number
    readonly durationMs: number
    readonly faults: readonly { readonly service: string; readonly kind: string; readonly text: string }[]
  }[]
  /** Null once the script is over. */
  readonly index: number | null
  readonly positionMs: number
}

export interface ActiveFaultView {
  readonly service: string
  readonly fault: { readonly kind: string; readonly mode?: string }
  readonly source: 'script' | 'manual'
  readonly until?: number
}

export interface FaultSegmentView {
  readonly service: string
  readonly kind: string
  readonly text: string
  readonly source: 'script' | 'manual'
  readonly from: number
  /** Null while it lasts. */
  readonly until: number | null
}

export interface LaneFiguresView {
  readonly finished: number
  readonly degraded: number
  readonly failed: number
  readonly late: number
  readonly dropped: number
  readonly successRatio: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

/** One second of a lane; `at` is its end. */
export interface LanePointView {
  readonly at: number
  readonly finished: number
  readonly failed: number
  readonly late: number
  readonly dropped: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly llmRequests: number
}

export interface LaneView {
  readonly name: string
  readonly title: string
  readonly totals: LaneFiguresView
  readonly recent: LaneFiguresView
  readonly waiting: number
  readonly abandoned: number
  readonly load: { readonly requests: number; readonly repeated: number; readonly whileFailing: number }
  readonly protection: { readonly refused: number; readonly fallbacks: number }
  readonly history: readonly LanePointView[]
}

/** The services of the demonstration, in the order of the strip. */
export const demoServices = ['llm', 'search', 'orders'] as const

/** The section as this page knows it; null for none, and for one of a version that it does not know. */
export function demoView(section: unknown): DemoView | null {
  const demo = section as Partial<DemoView> | null | undefined
  const isKnown =
    typeof demo === 'object' &&
    demo !== null &&
    typeof demo.at === 'number' &&
    Array.isArray(demo.lanes) &&
    Array.isArray(demo.faultSegments) &&
    Array.isArray(demo.faults) &&
    typeof demo.script === 'object'
  return isKnown ? (demo as DemoView) : null
}
