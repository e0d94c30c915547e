import type { Marker } from '@holdfast/server/wire'
import { xOf } from '../chart/ribbon.ts'
import { wall } from '../live/wall-feed.ts'
import { axis, type TimeSpan } from '../time-axis.ts'
import { clockTimeText } from '../words/time-text.ts'

const kindTexts: Readonly<Record<Marker['kind'], string>> = {
  start: 'started',
  stop: 'stopped',
  reload: 'configuration reloaded',
  'reload-failed': 'configuration refused',
  fault: 'fault',
  note: 'note',
}

const shapes: Readonly<Record<Marker['kind'], string>> = {
  start: 'M2 1l7 4-7 4z',
  stop: 'M1.5 1.5h7v7h-7z',
  reload: 'M5 1l4 4-4 4-4-4z',
  'reload-failed': 'M1.5 1.5l7 7M8.5 1.5l-7 7',
  fault: 'M5 1l4.5 8h-9z',
  note: 'M2 1h6v5L5 9.5 2 6z',
}

/** Share of the axis within which markers stand for the same spot. */
const spot = 0.008

/** What concerns every row, as shapes on the axis. */
export function MarkerLane() {
  const span = axis.value
  const groups = groupMarkers(wall.value?.markers ?? [], span)
  return (
    <ul class="marker-lane">
      {groups.map((markers) => {
        const first = markers[0] as Marker
        const words = markers.map(markerWords).join('\n')
        return (
          <li
            key={`${first.at} ${first.kind}`}
            class="marker"
            data-kind={first.kind}
            title={words}
            style={{ left: `${xOf(first.at, span, 100).toFixed(3)}%` }}
          >
            <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <path
                d={shapes[first.kind]}
                fill={first.kind === 'reload-failed' ? 'none' : 'currentColor'}
                stroke="currentColor"
                stroke-width={first.kind === 'reload-failed' ? 2 : 0}
              />
            </svg>
            {markers.length > 1 && <span aria-hidden="true">{markers.length}</span>}
            <span class="unseen">{words}</span>
          </li>
        )
      })}
    </ul>
  )
}

/** `14:02:10 fault: llm outage` */
export function markerWords({ at, kind, text }: Marker): string {
  return `${clockTimeText(at)} ${kind === 'start' || kind === 'stop' ? '' : `${kindTexts[kind]}: `}${text}`
}

/** Markers on the axis, those of one spot together, in the order of time. */
export function groupMarkers(markers: readonly Marker[], { from, until }: TimeSpan): readonly (readonly Marker[])[] {
  const near = spot * (until - from)
  const groups: Marker[][] = []
  for (const marker of markers) {
    if (marker.at < from || marker.at > until) continue
    const group = groups.at(-1)
    const start = group?.[0]?.at
    if (group !== undefined && start !== undefined && marker.at - start <= near) group.push(marker)
    else groups.push([marker])
  }
  return groups
}

export function markersNear(markers: readonly Marker[], at: number, { from, until }: TimeSpan): readonly Marker[] {
  return markers.filter((marker) => Math.abs(marker.at - at) <= spot * (until - from))
}
