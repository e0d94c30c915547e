import type { DependencyHistory, Marker, Segment } from '@holdfast/server/wire'
import { effect } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { surface } from '../chart/canvas.ts'
import { palette } from '../chart/palette.ts'
import { drawRibbon, xOf } from '../chart/ribbon.ts'
import { dependencies } from '../live/store.ts'
import { axis, crosshair } from '../time-axis.ts'
import { StateBadge } from '../ui/state-badge.tsx'
import { TimeText } from '../ui/time-text.tsx'
import { lastedText } from '../words/figure-text.ts'
import { stateWords } from '../words/state-words.ts'
import { upToPresent } from './present-state.ts'

interface StateRibbonProps {
  readonly name: string
  readonly history: DependencyHistory
}

/** The states of a dependency over time, large, with what happened to all of them above; the stretches are a table on demand. */
export function StateRibbon({ name, history }: StateRibbonProps) {
  const present = dependencies.value[name]
  const segments = useMemo(
    () => (present === undefined ? history.segments : upToPresent(history.segments, present)),
    [history.segments, present?.state, present?.since, present?.forced],
  )
  return (
    <section class="detail-ribbon" aria-label={`States of ${name}`}>
      <div class="chart-head">
        <h3>State</h3>
        <PointedState segments={segments} />
      </div>
      <Markers markers={history.markers} />
      <RibbonCanvas segments={segments} />
      <SegmentTable segments={segments} />
    </section>
  )
}

function PointedState({ segments }: { readonly segments: readonly Segment[] }) {
  const at = crosshair.value
  const shown = at === null ? segments.at(-1) : segments.find(({ from, to }) => from <= at && (to === null || at < to))
  if (shown === undefined) return null
  return (
    <span class="quiet">
      <StateBadge state={shown.state} isForced={shown.forced} /> since <TimeText at={shown.from} />
      {shown.to !== null && ` for ${lastedText(shown.to - shown.from)}`}
    </span>
  )
}

function RibbonCanvas({ segments }: { readonly segments: readonly Segment[] }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const mark = useRef<HTMLElement>(null)
  const latest = useRef(segments)
  latest.current = segments
  const draw = (): void => {
    const area = canvas.current === null ? null : surface(canvas.current)
    if (area === null) return
    const { context, width, height } = area
    drawRibbon(context, { x: 0, y: 0, width, height }, latest.current, axis.peek(), palette.peek(), devicePixelRatio)
  }
  useEffect(() => {
    if (canvas.current === null) return undefined
    const sizes = new ResizeObserver(draw)
    sizes.observe(canvas.current)
    const endDrawing = effect(() => {
      void axis.value
      void palette.value
      draw()
    })
    const endPointing = effect(() => placeMark(mark.current, crosshair.value))
    return () => {
      sizes.disconnect()
      endDrawing()
      endPointing()
    }
  }, [])
  useEffect(draw, [segments])
  const point = ({ clientX }: PointerEvent): void => {
    if (canvas.current === null) return
    const { left, width } = canvas.current.getBoundingClientRect()
    const { from, until } = axis.peek()
    crosshair.value = from + ((clientX - left) / width) * (until - from)
  }
  return (
    <div
      class="ribbon-area"
      onPointerMove={point}
      onPointerLeave={() => {
        crosshair.value = null
      }}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <i class="ribbon-crosshair" ref={mark} hidden />
    </div>
  )
}

function placeMark(mark: HTMLElement | null, at: number | null): void {
  if (mark === null) return
  const span = axis.peek()
  const isInside = at !== null && at >= span.from && at <= span.until
  mark.hidden = !isInside
  if (isInside) mark.style.left = `${xOf(at, span, 100).toFixed(3)}%`
}

/** In per cent of the axis. */
const leastForWords = 4

/** Starts, reloads, faults, notes: what may explain the stretches below. */
function Markers({ markers }: { readonly markers: readonly Marker[] }) {
  const span = axis.value
  const shown = markers.filter(({ at }) => at >= span.from && at <= span.until)
  if (shown.length === 0) return null
  return (
    <ul class="detail-markers">
      {shown.map(({ at, kind, text }, index) => {
        const left = xOf(at, span, 100)
        const room = xOf(shown[index + 1]?.at ?? span.until, span, 100) - left
        const style = { left: `${left.toFixed(3)}%`, width: `${room.toFixed(3)}%` }
        return (
          <li key={`${at} ${text}`} data-kind={kind} style={style} title={`${new Date(at).toLocaleTimeString()} ${text}`}>
            {room > leastForWords ? text : <span class="unseen">{text}</span>}
          </li>
        )
      })}
    </ul>
  )
}

function SegmentTable({ segments }: { readonly segments: readonly Segment[] }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span class="unseen"> of states</span>
      </summary>
      {isOpen && (
        <div class="wide chart-rows" tabIndex={0} role="region" aria-label="States, as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">from</th>
                <th scope="col">state</th>
                <th scope="col">lasted</th>
                <th scope="col">set by</th>
              </tr>
            </thead>
            <tbody>
              {segments.toReversed().map(({ from, to, state, forced }) => (
                <tr key={from}>
                  <th scope="row">{new Date(from).toLocaleString()}</th>
                  <td>{stateWords[state].name}</td>
                  <td>{to === null ? 'lasts' : lastedText(to - from)}</td>
                  <td>{forced ? 'a person' : 'itself'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
