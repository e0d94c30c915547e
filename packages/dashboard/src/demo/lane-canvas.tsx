import { useEffect, useRef } from 'preact/hooks'
import { surface } from '../chart/canvas.ts'
import { onColorsChange } from '../chart/css-color.ts'
import type { DemoAxis } from './demo-axis.ts'
import type { LanePointView } from './demo-view.ts'
import type { LaneRow, LaneScale } from './lane-rows.ts'

interface LaneCanvasProps {
  readonly row: LaneRow
  readonly axis: DemoAxis
  readonly points: readonly LanePointView[]
  readonly scale: LaneScale
}

/** The picture of one row: drawn anew for new figures, another size, other colours. */
export function LaneCanvas(props: LaneCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const latest = useRef(props)
  latest.current = props

  const draw = (): void => {
    const area = canvas.current === null ? null : surface(canvas.current)
    const { row, axis, points, scale } = latest.current
    if (area !== null) row.draw(area, axis, points, scale)
  }

  useEffect(() => {
    if (canvas.current === null) return undefined
    const sizes = new ResizeObserver(draw)
    sizes.observe(canvas.current)
    const endColors = onColorsChange(draw)
    return () => {
      sizes.disconnect()
      endColors()
    }
  }, [])

  useEffect(draw, [props.points, props.axis.now])

  return <canvas ref={canvas} aria-hidden="true" />
}
