import type { Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { wall } from '../live/wall-feed.ts'
import { axis, crosshair } from '../time-axis.ts'
import { renderedRows, useRowWalk } from '../ui/use-row-walk.ts'
import { useVirtualRows } from '../ui/use-virtual-rows.ts'
import { useRowLayout } from './row-height.ts'
import { WallHead } from './wall-head.tsx'
import { CrosshairLine, MarkerLines } from './wall-lines.tsx'
import { WallRow } from './wall-row.tsx'

interface WallProps {
  readonly names: readonly string[]
  /** Whether the order must stay, because somebody points at a row. */
  readonly isHeld: Signal<boolean>
}

/** One row per dependency, worst first, all on one axis of time with one crosshair. */
export function Wall({ names, isHeld }: WallProps) {
  const plot = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const { density, rowHeight } = useRowLayout(names.length)
  const near = useVirtualRows(list, names.length, rowHeight)
  const walk = useRowWalk({ list, names, rowHeight, isHeld })
  const rows = renderedRows(near, walk.focused === null ? -1 : names.indexOf(walk.focused))
  useEffect(() => () => void (crosshair.value = null), [])

  const point = (event: PointerEvent): void => {
    walk.hold(true)
    const { left, width } = plot.current?.getBoundingClientRect() ?? { left: 0, width: 0 }
    const share = (event.clientX - left) / width
    const { from, until } = axis.value
    crosshair.value = share >= 0 && share <= 1 ? from + share * (until - from) : null
  }
  const leave = (): void => {
    walk.hold(false)
    crosshair.value = null
  }
  return (
    <div class={`wall ${density}`} onPointerMove={point} onPointerLeave={leave} onKeyDown={turn}>
      <div role="table" aria-label="Dependencies, worst first" aria-rowcount={names.length + 1}>
        <WallHead plot={plot} />
        <div
          role="rowgroup"
          class="wall-rows"
          ref={list}
          style={{ height: `${names.length * rowHeight}px` }}
          onFocusIn={walk.onFocusIn}
          onFocusOut={walk.onFocusOut}
        >
          {rows.map((index) => {
            const name = names[index] ?? ''
            return <WallRow key={name} name={name} index={index} rowHeight={rowHeight} density={density} />
          })}
        </div>
      </div>
      <div class="wall-overlay" aria-hidden="true">
        <MarkerLines />
        <CrosshairLine />
      </div>
    </div>
  )
}

const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 }

/** Left and right arrow move the crosshair by one bucket. */
function turn(event: KeyboardEvent): void {
  const move = moves[event.key]
  const frame = wall.value
  if (move === undefined || frame === null) return
  event.preventDefault()
  const { from, until } = axis.value
  const at = (crosshair.value ?? until) + move * frame.stepMs
  crosshair.value = Math.max(from, Math.min(until, at))
}
