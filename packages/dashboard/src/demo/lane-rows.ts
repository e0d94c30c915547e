import { cssColor } from '../chart/css-color.ts'
import { stripes, traceLine, type Surface } from '../chart/canvas.ts'
import { countText, latencyText } from '../words/figure-text.ts'
import type { DemoAxis } from './demo-axis.ts'
import type { DemoView, LanePointView } from './demo-view.ts'

/** A chart of one lane. Its scale comes from both lanes, so that the same height means the same. */
export interface LaneRow {
  readonly name: string
  readonly label: string
  /** Words for the scale. */
  readonly range: (scale: LaneScale) => string
  /** What one second says. */
  readonly say: (point: LanePointView) => readonly string[]
  readonly draw: (area: Surface, axis: DemoAxis, points: readonly LanePointView[], scale: LaneScale) => void
}

export interface LaneScale {
  /** Most tasks finished, and not finished, in a second. */
  readonly up: number
  readonly down: number
  readonly slowestMs: number
  readonly requests: number
}

const fastestMs = 100
const secondMs = 1_000

/** One scale for all lanes. */
export function laneScale(demo: DemoView): LaneScale {
  const points = demo.lanes.flatMap(({ history }) => history)
  return {
    up: Math.max(1, ...points.map(({ finished }) => finished)),
    down: Math.max(1, ...points.map(lost)),
    slowestMs: demo.deadlineMs,
    requests: Math.max(1, ...points.map(({ llmRequests }) => llmRequests)),
  }
}

export const laneRows: readonly LaneRow[] = [
  {
    name: 'tasks',
    label: 'tasks per second',
    range: ({ up, down }) => `${countText(up)} finished, ${countText(down)} not`,
    say: (point) => [`${point.finished} finished`, `${point.failed} failed`, `${point.late + point.dropped} left`],
    draw: drawTasks,
  },
  {
    name: 'latency',
    label: 'latency of finished',
    range: ({ slowestMs }) => `up to ${slowestMs / 1_000} s, log scale`,
    say: (point) => [`p50 ${latencyText(point.p50Ms)}`, `p99 ${latencyText(point.p99Ms)}`],
    draw: drawLatency,
  },
  {
    name: 'load',
    label: 'requests to the model',
    range: ({ requests }) => `up to ${countText(requests)} per second`,
    say: (point) => [`${countText(point.llmRequests)} requests`],
    draw: drawLoad,
  },
]

function lost(point: LanePointView): number {
  return point.failed + point.late + point.dropped
}

function drawTasks({ context, width, height }: Surface, axis: DemoAxis, points: readonly LanePointView[], { up, down }: LaneScale): void {
  const unit = (height - 2) / (up + down)
  const zero = Math.round(up * unit) + 0.5
  const [ok, bad, left] = [cssColor('var(--ok)'), cssColor('var(--bad)'), stripes(context, cssColor('var(--warning)'))]
  for (const point of points) {
    const [x, barWidth] = bar(axis, point, width)
    context.fillStyle = ok
    context.fillRect(x, zero - point.finished * unit, barWidth, point.finished * unit)
    context.fillStyle = bad
    context.fillRect(x, zero, barWidth, point.failed * unit)
    context.fillStyle = left
    context.fillRect(x, zero + point.failed * unit, barWidth, (point.late + point.dropped) * unit)
  }
  context.strokeStyle = cssColor('var(--quiet)')
  context.lineWidth = 1
  traceLine(context, [
    [0, zero],
    [width, zero],
  ])
}

function drawLatency(
  { context, width, height }: Surface,
  axis: DemoAxis,
  points: readonly LanePointView[],
  { slowestMs }: LaneScale,
): void {
  const span = Math.log(slowestMs / fastestMs)
  const y = (ms: number | null): number | null =>
    ms === null ? null : height - 2 - (Math.log(Math.max(fastestMs, Math.min(slowestMs, ms)) / fastestMs) / span) * (height - 4)
  const x = (point: LanePointView): number => axis.shareOf(point.at - secondMs / 2) * width
  context.font = '10px system-ui, sans-serif'
  context.textBaseline = 'top'
  context.lineWidth = 1
  for (const ms of [1_000, 10_000]) {
    const line = Math.round(y(ms) ?? 0) + 0.5
    context.strokeStyle = cssColor('var(--line)')
    traceLine(context, [
      [0, line],
      [axis.shareOf(axis.now) * width, line],
    ])
    context.fillStyle = cssColor('var(--quiet)')
    context.fillText(`${ms / 1_000} s`, 2, line + 1)
  }
  context.strokeStyle = cssColor('var(--quiet)')
  context.lineWidth = 1
  traceLine(
    context,
    points.map((point) => [x(point), y(point.p50Ms)]),
  )
  context.strokeStyle = cssColor('var(--text)')
  context.lineWidth = 1.5
  traceLine(
    context,
    points.map((point) => [x(point), y(point.p99Ms)]),
  )
}

function drawLoad({ context, width, height }: Surface, axis: DemoAxis, points: readonly LanePointView[], { requests }: LaneScale): void {
  context.fillStyle = cssColor('var(--quiet)')
  for (const point of points) {
    const [x, barWidth] = bar(axis, point, width)
    const tall = (point.llmRequests / requests) * (height - 2)
    context.fillRect(x, height - tall, barWidth, tall)
  }
}

/** Left edge and width of a second's bar, with a gap that stays even when bars are narrow. */
function bar(axis: DemoAxis, point: LanePointView, width: number): readonly [number, number] {
  const left = axis.shareOf(point.at - secondMs) * width
  return [left, Math.max(1, axis.shareOf(point.at) * width - left - 1)]
}
