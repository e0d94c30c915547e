import { countText, latencyText, ratioText } from '../words/figure-text.ts'
import type { LaneView } from './demo-view.ts'

/** One line of the score: the same figure for each lane. */
export interface ScoreRow {
  readonly label: string
  readonly values: readonly string[]
  /** A part of the row above. */
  readonly isPart: boolean
}

export interface ScoreGroup {
  readonly title: string
  readonly rows: readonly ScoreRow[]
}

type Reading = readonly [label: string, read: (lane: LaneView) => string, isPart?: boolean]

const recent: readonly Reading[] = [
  ['success', (lane) => ratioText(lane.recent.successRatio)],
  ['p50 of finished', (lane) => latencyText(lane.recent.p50Ms)],
  ['p99 of finished', (lane) => latencyText(lane.recent.p99Ms)],
  ['users waiting now', (lane) => countText(lane.waiting)],
  ['work nobody waits for', (lane) => countText(lane.abandoned)],
]

function sinceStart(deadlineMs: number): readonly Reading[] {
  return [
    ['tasks finished', (lane) => countText(lane.totals.finished)],
    ['without search results', (lane) => countText(lane.totals.degraded), true],
    ['tasks failed', (lane) => countText(lane.totals.failed)],
    [`user left after ${deadlineMs / 1_000} s`, (lane) => countText(lane.totals.late)],
    ['not begun, lane full', (lane) => countText(lane.totals.dropped)],
    ['success', (lane) => ratioText(lane.totals.successRatio)],
    ['p50 of finished', (lane) => latencyText(lane.totals.p50Ms)],
    ['p99 of finished', (lane) => latencyText(lane.totals.p99Ms)],
  ]
}

const loadReadings: readonly Reading[] = [
  ['requests to services', (lane) => countText(lane.load.requests)],
  ['asked again', (lane) => countText(lane.load.repeated), true],
  ['to a failing service', (lane) => countText(lane.load.whileFailing), true],
  ['refused early', (lane) => countText(lane.protection.refused)],
  ['answered by fallback', (lane) => countText(lane.protection.fallbacks)],
]

/** The running score: what is going on, what has come of all tasks, and what that cost the services. */
export function scoreGroups(lanes: readonly LaneView[], deadlineMs: number): readonly ScoreGroup[] {
  const rowsOf = (readings: readonly Reading[]): ScoreRow[] =>
    readings.map(([label, read, isPart = false]) => ({ label, values: lanes.map(read), isPart }))
  return [
    { title: 'last 10 s', rows: rowsOf(recent) },
    { title: 'since the start', rows: rowsOf(sinceStart(deadlineMs)) },
    { title: 'load on the services', rows: rowsOf(loadReadings) },
  ]
}

/** What a lane's title says: the figures that decide, since the start. */
export function laneFigures({ totals, load }: LaneView): readonly { readonly label: string; readonly value: string }[] {
  return [
    { label: 'finished', value: countText(totals.finished) },
    { label: 'failed', value: countText(totals.failed) },
    { label: 'left', value: countText(totals.late + totals.dropped) },
    { label: 'p50', value: latencyText(totals.p50Ms) },
    { label: 'p99', value: latencyText(totals.p99Ms) },
    { label: 'calls to a failing service', value: countText(load.whileFailing) },
  ]
}
