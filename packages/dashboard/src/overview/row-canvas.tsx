import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { surface } from '../chart/canvas.ts'
import { palette } from '../chart/palette.ts'
import { drawLoad, drawRibbon } from '../chart/ribbon.ts'
import { wall } from '../live/wall-feed.ts'
import { axis } from '../time-axis.ts'
import { plotWidth } from './plot-width.ts'
import { rowWords } from './row-words.ts'

interface RowCanvasProps {
  readonly name: string
  /** Of the picture, in CSS pixels. */
  readonly height: number
}

/** The ribbon of one dependency, and over it what was sent and what failed. */
export function RowCanvas({ name, height }: RowCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => (canvas.current === null ? undefined : plotWidth.follow(canvas.current)), [])
  useSignalEffect(() => {
    void plotWidth.value
    draw(canvas.current, name)
  })
  useEffect(() => draw(canvas.current, name), [height])
  return <canvas class="row-canvas" ref={canvas} role="img" aria-label={rowWords(wall.value, name)} style={{ height: `${height}px` }} />
}

/** Of the picture's height; the rest is for the load. */
const ribbonShare = 0.4

function draw(canvas: HTMLCanvasElement | null, name: string): void {
  const frame = wall.value
  const span = axis.value
  const colors = palette.value
  const row = frame?.rows.get(name)
  const area = canvas === null ? null : surface(canvas)
  if (area === null || frame === null || row === undefined) return
  const { context, width, height } = area
  const ribbonHeight = Math.round(height * ribbonShare)
  const loadHeight = height - ribbonHeight - 1
  drawLoad(context, { x: 0, y: 0, width, height: loadHeight }, { ...frame, ...row }, span, colors)
  drawRibbon(context, { x: 0, y: loadHeight + 1, width, height: ribbonHeight }, row.segments, span, colors, devicePixelRatio)
}
