import { useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { wall } from '../live/wall-feed.ts'
import { axis, crosshair } from '../time-axis.ts'
import { xOf } from '../chart/ribbon.ts'

/** The one line that goes through all rows at the instant one points at. */
export function CrosshairLine() {
  const line = useRef<HTMLDivElement>(null)
  useSignalEffect(() => {
    const at = crosshair.value
    if (line.current === null) return
    line.current.hidden = at === null
    if (at !== null) line.current.style.left = `${xOf(at, axis.value, 100).toFixed(3)}%`
  })
  return <div class="crosshair-line" ref={line} hidden />
}

/** What concerns every row goes through every row. */
export function MarkerLines() {
  const { from, until } = axis.value
  const markers = (wall.value?.markers ?? []).filter(({ at }) => at >= from && at <= until)
  return (
    <>
      {markers.map(({ at, kind, text }) => (
        <div
          key={`${at} ${kind} ${text}`}
          class="marker-line"
          data-kind={kind}
          style={{ left: `${xOf(at, { from, until }, 100).toFixed(3)}%` }}
        />
      ))}
    </>
  )
}
