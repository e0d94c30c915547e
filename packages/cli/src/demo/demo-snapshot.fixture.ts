import { defaultScript } from './fault-script.ts'
import { failureReasons } from './failure-reason.ts'
import type { LaneFigures, LanePoint } from './lane-statistics.ts'
import { scriptSnapshot } from './script-snapshot.ts'
import type { DemoSnapshot, LaneName, LaneSnapshot } from './snapshot.ts'

const startedAt = 1_700_000_000_000

const totals: LaneFigures = {
  arrived: 200,
  finished: 118,
  degraded: 3,
  failed: 41,
  late: 33,
  dropped: 0,
  successRatio: 0.6145,
  p50Ms: 1_131,
  p99Ms: 13_430,
}

/** A point for each of `count` seconds. */
function points(count: number): LanePoint[] {
  return Array.from({ length: count }, (_, second) => ({
    at: startedAt + (second + 1) * 1_000,
    arrived: 5,
    finished: second % 6,
    degraded: 0,
    failed: 0,
    late: 0,
    dropped: 0,
    p50Ms: 1_000,
    p99Ms: 1_200,
    waiting: 8,
    abandoned: 0,
    llmRequests: 10,
  }))
}

export function laneSnapshot(name: LaneName, change: Partial<LaneSnapshot> = {}): LaneSnapshot {
  return {
    name,
    title: name === 'bare' ? 'bare' : 'Holdfast',
    totals,
    recent: { ...totals, successRatio: 0.9995, p50Ms: 850, p99Ms: null },
    waiting: 8,
    abandoned: 0,
    peakRunning: 12,
    failures: Object.fromEntries(failureReasons.map((reason) => [reason, 0])) as LaneSnapshot['failures'],
    phases: [{ phase: 'calm', arrived: 80, finished: 60, degraded: 0, failed: 20, late: 0, dropped: 0 }],
    services: { llm: null, search: null, orders: null },
    load: { requests: 1_234, repeated: 56, whileFailing: 78 },
    protection: { refused: 0, fallbacks: 0 },
    history: points(42),
    ...change,
  }
}

/** A demo 42 seconds into the default script. */
export function demoSnapshot(change: Partial<DemoSnapshot> = {}): DemoSnapshot {
  return {
    startedAt,
    at: startedAt + 42_000,
    elapsedMs: 42_000,
    seed: 1,
    arrivalsPerSecond: 5,
    deadlineMs: 15_000,
    loopDelayP99Ms: 2,
    script: scriptSnapshot(defaultScript, 42_000, false),
    faults: [],
    faultSegments: [],
    lanes: [laneSnapshot('bare'), laneSnapshot('holdfast', { protection: { refused: 9, fallbacks: 4 } })],
    ...change,
  }
}
