import { countText, latencyText, ratioText } from './figure-text.ts'
import type { DemoSnapshot, LaneSnapshot } from './snapshot.ts'

/** One line of the score: the same figure for each lane. */
export interface ScoreRow {
  readonly label: string
  readonly values: readonly string[]
  /** Belongs to the row above. */
  readonly indented?: boolean
}

/** What is going on now, and the totals. */
export function scoreRows(snapshot: DemoSnapshot): readonly ScoreRow[] {
  return [...recentRows(snapshot), ...totalRows(snapshot)]
}

function recentRows({ lanes }: DemoSnapshot): readonly ScoreRow[] {
  const row = rowsFor(lanes)
  return [
    row('success, last 10 s', (lane) => ratioText(lane.recent.successRatio)),
    row('p50, last 10 s', (lane) => latencyText(lane.recent.p50Ms), true),
    row('p99, last 10 s', (lane) => latencyText(lane.recent.p99Ms), true),
    row('users waiting', (lane) => countText(lane.waiting)),
    row('work nobody waits for', (lane) => countText(lane.abandoned)),
  ]
}

/** Since the start. */
export function totalRows({ lanes, deadlineMs }: DemoSnapshot): readonly ScoreRow[] {
  const row = rowsFor(lanes)
  const rows = [
    row('tasks finished', (lane) => countText(lane.totals.finished)),
    row('without search results', (lane) => countText(lane.totals.degraded), true),
    row('tasks failed', (lane) => countText(lane.totals.failed)),
    row(`user left after ${deadlineMs / 1_000} s`, (lane) => countText(lane.totals.late)),
    ...(lanes.some((lane) => lane.totals.dropped > 0) ? [row('not begun, lane full', (lane) => countText(lane.totals.dropped))] : []),
    row('success', (lane) => ratioText(lane.totals.successRatio)),
    row('p50 of finished', (lane) => latencyText(lane.totals.p50Ms), true),
    row('p99 of finished', (lane) => latencyText(lane.totals.p99Ms), true),
    row('requests to services', (lane) => countText(lane.load.requests)),
    row('asked again', (lane) => countText(lane.load.repeated), true),
    row('to a failing service', (lane) => countText(lane.load.whileFailing), true),
    row('refused early', (lane) => countText(lane.protection.refused)),
    row('answered by fallback', (lane) => countText(lane.protection.fallbacks)),
  ]
  return rows
}

function rowsFor(lanes: readonly LaneSnapshot[]): (label: string, read: (lane: LaneSnapshot) => string, indented?: boolean) => ScoreRow {
  return (label, read, indented = false) => ({ label, values: lanes.map(read), indented })
}
