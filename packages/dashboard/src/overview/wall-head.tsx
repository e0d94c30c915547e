import type { RefObject } from 'preact'
import { xOf } from '../chart/ribbon.ts'
import { wall } from '../live/wall-feed.ts'
import { axis, axisTicks, crosshair, range } from '../time-axis.ts'
import { clockTimeText, instantText, shortTimeText, zoneName } from '../words/time-text.ts'
import { now } from '../live/store.ts'
import { MarkerLane, markersNear } from './marker-lane.tsx'

/** Heads of the columns; over the ribbons the axis with its times, and the lane of what concerns all. */
export function WallHead({ plot }: { readonly plot: RefObject<HTMLDivElement | null> }) {
  const isInstant = crosshair.value !== null
  return (
    <div role="rowgroup" class="wall-head">
      <div role="row" class="wall-columns" aria-rowindex={1}>
        <div role="columnheader" class="head-name">
          Dependency
        </div>
        <div role="columnheader" class="head-plot" ref={plot}>
          <span class="unseen">State and load over time</span>
          <Ticks />
          <MarkerLane />
          <CrosshairTime />
        </div>
        <div
          role="columnheader"
          class="number head-figure"
          title={isInstant ? 'Of what was sent to it at that time' : 'Of calls that ended in the last minute'}
        >
          {isInstant ? 'sent ok' : 'success'}
        </div>
        <div role="columnheader" class="number head-figure" title="95 of 100 calls of the last minute were faster">
          {isInstant ? '' : 'p95'}
        </div>
        <div
          role="columnheader"
          class="number head-figure"
          title={isInstant ? 'Sent to it at that time, retries included' : 'Calls that ended in the last minute'}
        >
          {isInstant ? 'sent/s' : 'calls/s'}
        </div>
      </div>
    </div>
  )
}

function Ticks() {
  const span = axis.value
  return (
    <div class="ticks" aria-hidden="true" title={`Times in ${zoneName}`}>
      {axisTicks(span, range.value).map((at) => {
        const x = xOf(at, span, 100)
        return x < 2.5 || x > 96 ? null : (
          <span key={at} class="tick" style={{ left: `${x.toFixed(3)}%` }}>
            {shortTimeText(at)}
          </span>
        )
      })}
      <span class="tick tick-now">now</span>
    </div>
  )
}

function CrosshairTime() {
  const at = crosshair.value
  if (at === null) return null
  const x = xOf(at, axis.value, 100)
  const near = markersNear(wall.value?.markers ?? [], at, axis.value)
  const time = range.value === '24h' ? instantText(at, now.value) : clockTimeText(at)
  return (
    <span class="crosshair-time" data-side={x > 60 ? 'left' : 'right'} style={{ left: `${x.toFixed(3)}%` }}>
      {time}
      {near.map(({ text }) => ` · ${text}`)}
    </span>
  )
}
