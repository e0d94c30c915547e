import type { DemoView, LaneFiguresView, LaneView } from './demo-view.ts'

const startedAt = 1_700_000_000_000

const figures: LaneFiguresView = {
  finished: 1_180,
  degraded: 3,
  failed: 41,
  late: 33,
  dropped: 0,
  successRatio: 0.9411,
  p50Ms: 1_131,
  p99Ms: 13_430,
}

export function laneView(name: 'bare' | 'holdfast', change: Partial<LaneView> = {}): LaneView {
  return {
    name,
    title: name === 'bare' ? 'bare' : 'Holdfast',
    totals: figures,
    recent: { ...figures, successRatio: 0.9995, p50Ms: 850, p99Ms: null },
    waiting: 8,
    abandoned: 2,
    load: { requests: 1_234, repeated: 56, whileFailing: 78 },
    protection: { refused: 0, fallbacks: 0 },
    history: Array.from({ length: 42 }, (_, second) => ({
      at: startedAt + (second + 1) * 1_000,
      finished: second % 6,
      failed: 0,
      late: 0,
      dropped: 0,
      p50Ms: 1_000,
      p99Ms: 1_200,
      llmRequests: 10,
    })),
    ...change,
  }
}

/** 42 seconds into a script of 60 s: a slow model from 20 s to 40 s, then an outage at 50 s. */
export function demoFixture(change: Partial<DemoView> = {}): DemoView {
  return {
    startedAt,
    at: startedAt + 42_000,
    elapsedMs: 42_000,
    seed: 1,
    arrivalsPerSecond: 5,
    deadlineMs: 15_000,
    loopDelayP99Ms: 2,
    script: {
      loops: false,
      durationMs: 60_000,
      index: 2,
      positionMs: 42_000,
      phases: [
        { title: 'calm', startMs: 0, durationMs: 20_000, faults: [] },
        { title: 'LLM slow', startMs: 20_000, durationMs: 20_000, faults: [{ service: 'llm', kind: 'slow', text: 'slow × 5' }] },
        { title: 'calm', startMs: 40_000, durationMs: 10_000, faults: [] },
        { title: 'LLM outage', startMs: 50_000, durationMs: 10_000, faults: [{ service: 'llm', kind: 'outage', text: 'answers 503' }] },
      ],
    },
    faults: [],
    faultSegments: [
      { service: 'llm', kind: 'slow', text: 'slow × 5', source: 'script', from: startedAt + 20_000, until: startedAt + 40_000 },
    ],
    lanes: [laneView('bare'), laneView('holdfast', { protection: { refused: 9, fallbacks: 4 } })],
    ...change,
  }
}
