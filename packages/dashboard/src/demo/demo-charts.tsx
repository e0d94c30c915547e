import { useSignal, type Signal } from '@preact/signals'
import { clockText, lastedText } from '../words/figure-text.ts'
import { demoAxis, instantAfterKey, pointAt, type DemoAxis } from './demo-axis.ts'
import type { DemoView, LaneView } from './demo-view.ts'
import { FaultStrip } from './fault-strip.tsx'
import { LaneCanvas } from './lane-canvas.tsx'
import { laneRows, laneScale, type LaneRow, type LaneScale } from './lane-rows.ts'
import { laneFigures } from './score-rows.ts'

/** Both lanes and the fault script on one time axis with one crosshair; every scale is that of both lanes. */
export function DemoCharts({ demo }: { readonly demo: DemoView }) {
  const pointedAt = useSignal<number | null>(null)
  const axis = demoAxis(demo.at)
  const scale = laneScale(demo)

  const point = (event: PointerEvent): void => {
    const plot = (event.currentTarget as HTMLElement).querySelector('.demo-plot')
    if (plot === null) return
    const { left, width } = plot.getBoundingClientRect()
    const share = (event.clientX - left) / width
    pointedAt.value = share < 0 || share > 1 ? null : axis.instantAt(share)
  }
  const turn = (event: KeyboardEvent): void => {
    const next = instantAfterKey(event.key, pointedAt.value, axis)
    if (next === undefined) return
    event.preventDefault()
    event.stopPropagation()
    pointedAt.value = next
  }
  return (
    <div
      class="demo-charts"
      role="slider"
      tabIndex={0}
      aria-label="Instant of the figures of both lanes"
      aria-valuemin={0}
      aria-valuemax={120}
      aria-valuenow={Math.round(120 - (axis.now - (pointedAt.value ?? axis.now)) / 1_000)}
      aria-valuetext={valueText(demo, axis, pointedAt.value)}
      onPointerMove={point}
      onPointerLeave={() => {
        pointedAt.value = null
      }}
      onKeyDown={turn}
    >
      <FaultStrip demo={demo} axis={axis} pointedAt={pointedAt} />
      {demo.lanes.map((lane) => (
        <Lane key={lane.name} lane={lane} axis={axis} scale={scale} pointedAt={pointedAt} />
      ))}
      <TimeScale axis={axis} pointedAt={pointedAt} />
    </div>
  )
}

interface LaneProps {
  readonly lane: LaneView
  readonly axis: DemoAxis
  readonly scale: LaneScale
  readonly pointedAt: Signal<number | null>
}

function Lane({ lane, axis, scale, pointedAt }: LaneProps) {
  return (
    <div class="demo-lane">
      <p class="lane-title">
        <b>{lane.title}</b>
        {laneFigures(lane).map(({ label, value }) => (
          <span key={label}>
            <b>{value}</b> {label}
          </span>
        ))}
      </p>
      {laneRows.map((row) => (
        <LaneChart key={row.name} row={row} lane={lane} axis={axis} scale={scale} pointedAt={pointedAt} />
      ))}
    </div>
  )
}

function LaneChart({ row, lane, axis, scale, pointedAt }: LaneProps & { readonly row: LaneRow }) {
  const { history } = lane
  const point = pointedAt.value === null ? history.at(-1) : pointAt(history, pointedAt.value)
  return (
    <div class={`demo-row ${row.name}`}>
      <div class="demo-label">
        {row.label}
        <small>{row.range(scale)}</small>
      </div>
      <div class="demo-plot">
        <LaneCanvas row={row} axis={axis} points={history} scale={scale} />
        <AxisLines axis={axis} pointedAt={pointedAt} />
      </div>
      <div class="demo-value">
        {(point === undefined ? ['–'] : row.say(point)).map((words) => (
          <span key={words}>{words}</span>
        ))}
      </div>
    </div>
  )
}

/** Half-minute lines, now, and the crosshair; the same on every row, so that the eye can follow them down. */
export function AxisLines({ axis, pointedAt }: { readonly axis: DemoAxis; readonly pointedAt: Signal<number | null> }) {
  const at = pointedAt.value
  return (
    <>
      {axis.ticks.map((tick) => (
        <i key={tick.text} class="axis-tick" style={{ left: percent(axis.shareOf(tick.at)) }} />
      ))}
      <i class="axis-now" style={{ left: percent(axis.shareOf(axis.now)) }} />
      {at !== null && at >= axis.from && <i class="axis-crosshair" style={{ left: percent(axis.shareOf(at)) }} />}
    </>
  )
}

function TimeScale({ axis, pointedAt }: { readonly axis: DemoAxis; readonly pointedAt: Signal<number | null> }) {
  const at = pointedAt.value
  return (
    <div class="demo-row times" aria-hidden="true">
      <div class="demo-label" />
      <div class="demo-plot">
        {axis.ticks.map(({ at: tickAt, text }) => (
          <span key={text} style={{ left: percent(axis.shareOf(tickAt)) }}>
            {text}
          </span>
        ))}
        <span class="now" style={{ left: percent(axis.shareOf(axis.now)) }}>
          now
        </span>
      </div>
      <div class="demo-value">{at === null ? 'last second' : `${lastedText(axis.now - at)} ago, ${new Date(at).toLocaleTimeString()}`}</div>
    </div>
  )
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`
}

function valueText({ lanes, startedAt }: DemoView, axis: DemoAxis, pointedAt: number | null): string {
  const when =
    pointedAt === null ? 'last second' : `${lastedText(axis.now - pointedAt)} ago, ${clockText(pointedAt - startedAt)} after the start`
  const said = lanes.map(({ title, history }) => {
    const point = pointedAt === null ? history.at(-1) : pointAt(history, pointedAt)
    return `${title}: ${point === undefined ? 'nothing recorded' : laneRows.flatMap((row) => row.say(point)).join(', ')}`
  })
  return `${when}. ${said.join('. ')}`
}
