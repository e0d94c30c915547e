import type { Segment } from '@holdfast/server/wire'
import type { TimeSpan } from '../time-axis.ts'
import type { Palette } from './palette.ts'
import { ribbonFill } from './ribbon-patterns.ts'

/** A place on a canvas, in CSS pixels. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Where an instant stands within a stretch of time drawn over a width. */
export function xOf(at: number, { from, until }: TimeSpan, width: number): number {
  return ((at - from) / (until - from)) * width
}

/** Draws states as segments: shade and pattern for each, an outline around those that a person set. */
export function drawRibbon(
  context: CanvasRenderingContext2D,
  box: Box,
  segments: readonly Segment[],
  axis: TimeSpan,
  palette: Palette,
  scale: number,
): void {
  for (const { from, to, state, forced } of segments) {
    const end = Math.min(to ?? axis.until, axis.until)
    if (end <= axis.from || from >= axis.until) continue
    const left = box.x + Math.max(0, xOf(from, axis, box.width))
    // a state of a second is seen too
    const width = Math.max(1, box.x + xOf(end, axis, box.width) - left)
    const fill = ribbonFill(context, state, palette, scale)
    if (fill === null) drawPassedThrough(context, { ...box, x: left, width }, state === 'unknown', palette)
    else {
      context.fillStyle = fill
      context.fillRect(left, box.y, width, box.height)
    }
    // without colours the shade of an undisturbed state may be that of the page
    if (state === 'closed' && palette['ribbon-closed'] === palette.ground) outline(context, { ...box, x: left, width }, palette.trace, 1)
    if (forced) outline(context, { ...box, x: left, width }, palette.forced, 1.5)
  }
}

function drawPassedThrough(context: CanvasRenderingContext2D, { x, y, width, height }: Box, isUnknown: boolean, palette: Palette): void {
  context.strokeStyle = palette['ribbon-nothing']
  context.lineWidth = isUnknown ? 1 : 2
  context.setLineDash(isUnknown ? [1, 3] : [])
  context.beginPath()
  const middle = Math.round(y + height / 2)
  context.moveTo(x, middle)
  context.lineTo(x + width, middle)
  context.stroke()
  context.setLineDash([])
}

function outline(context: CanvasRenderingContext2D, { x, y, width, height }: Box, color: string, lineWidth: number): void {
  context.strokeStyle = color
  context.lineWidth = lineWidth
  context.strokeRect(x + lineWidth / 2, y + lineWidth / 2, Math.max(1, width - lineWidth), height - lineWidth)
}

export interface Load {
  readonly from: number
  readonly stepMs: number
  readonly attempts: readonly (number | null)[]
  readonly failures: readonly (number | null)[]
}

/** Calls in a bucket that fill the height even if there were never so many: a call now and then is no mountain. */
const leastPeak = 10
/** The usual load stays this far below the top, so that a storm stands out. */
const headroom = 1.9

/** What fills the height: the row's own peak, or its usual load with some room above it. */
export function loadPeak(attempts: Load['attempts']): number {
  const sent = attempts.filter((value): value is number => value !== null && value > 0).toSorted((a, b) => a - b)
  const usual = sent[Math.floor(sent.length / 2)] ?? 0
  return Math.max(leastPeak, usual * headroom, sent.at(-1) ?? 0)
}

/** Draws what was sent as an area under a line, and the failures among it as its filled part. */
export function drawLoad(
  context: CanvasRenderingContext2D,
  box: Box,
  { from, stepMs, attempts, failures }: Load,
  axis: TimeSpan,
  palette: Palette,
): void {
  const peak = loadPeak(attempts)
  const step = (stepMs / (axis.until - axis.from)) * box.width
  const bottom = box.y + box.height
  const left = (index: number): number => box.x + xOf(from + index * stepMs, axis, box.width)
  const top = (value: number): number => bottom - (value === 0 ? 0 : Math.max(1, (value / peak) * box.height))

  context.fillStyle = palette['trace-fill']
  attempts.forEach((value, index) => {
    if (value !== null && value > 0) context.fillRect(left(index), top(value), step + 0.5, bottom - top(value))
  })
  context.fillStyle = palette['trace-failed']
  failures.forEach((value, index) => {
    if (value !== null && value > 0) context.fillRect(left(index), top(value), step + 0.5, bottom - top(value))
  })
  context.strokeStyle = palette.trace
  context.lineWidth = 1
  context.beginPath()
  let isDrawing = false
  attempts.forEach((value, index) => {
    if (value === null) {
      isDrawing = false
      return
    }
    const y = value === 0 ? bottom - 0.5 : top(value) + 0.5
    if (isDrawing) context.lineTo(left(index), y)
    else context.moveTo(left(index), y)
    context.lineTo(left(index) + step, y)
    isDrawing = true
  })
  context.stroke()
}
