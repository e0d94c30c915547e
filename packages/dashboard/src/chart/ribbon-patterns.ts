import type { ShownState } from '../words/state-words.ts'
import type { Palette } from './palette.ts'

type Pen = CanvasRenderingContext2D

interface Pattern {
  readonly shade: (palette: Palette) => string
  readonly ink: (palette: Palette) => string
  /** Draws one tile of 6 by 6. */
  readonly draw: (pen: Pen) => void
}

const tileSize = 6

/** What a state looks like beside its shade. No two are alike without colour. */
const patterns: Readonly<Partial<Record<ShownState, Pattern>>> = {
  'half-open': { shade: (p) => p['ribbon-half-open'], ink: (p) => p['ribbon-half-open-ink'], draw: dots },
  open: { shade: (p) => p['ribbon-open'], ink: (p) => p['ribbon-open-ink'], draw: diagonals },
  isolated: { shade: (p) => p['ribbon-isolated'], ink: (p) => p['ribbon-isolated-ink'], draw: crosses },
  paused: { shade: (p) => p['ribbon-paused'], ink: (p) => p['ribbon-paused-ink'], draw: uprights },
  disabled: { shade: (p) => p['ribbon-disabled'], ink: (p) => p['ribbon-disabled-ink'], draw: levels },
}

function dots(pen: Pen): void {
  for (const [x, y] of [
    [1.5, 1.5],
    [4.5, 4.5],
  ] as const) {
    pen.beginPath()
    pen.arc(x, y, 1, 0, 7)
    pen.fill()
  }
}

function diagonals(pen: Pen): void {
  pen.beginPath()
  for (const offset of [-tileSize, 0, tileSize]) {
    pen.moveTo(offset - 1, tileSize + 1)
    pen.lineTo(offset + tileSize + 1, -1)
  }
  pen.stroke()
}

function crosses(pen: Pen): void {
  diagonals(pen)
  pen.beginPath()
  for (const offset of [-tileSize, 0, tileSize]) {
    pen.moveTo(offset - 1, -1)
    pen.lineTo(offset + tileSize + 1, tileSize + 1)
  }
  pen.stroke()
}

function uprights(pen: Pen): void {
  pen.fillRect(1, 0, 2, tileSize)
}

function levels(pen: Pen): void {
  pen.fillRect(0, 1, tileSize, 1)
  pen.fillRect(0, 4, tileSize, 1)
}

let cache = new Map<string, CanvasPattern | string>()
let cachedFor: Palette | undefined

/** What fills a state's segment; null: nothing does, a line says that it was passed through. */
export function ribbonFill(
  context: CanvasRenderingContext2D,
  state: ShownState,
  palette: Palette,
  scale: number,
): CanvasPattern | string | null {
  if (state === 'closed') return palette['ribbon-closed']
  const pattern = patterns[state]
  if (pattern === undefined) return null
  if (cachedFor !== palette) cache = new Map()
  cachedFor = palette
  const key = `${state} ${scale}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = tile(context, pattern, palette, scale)
  cache.set(key, made)
  return made
}

function tile(context: CanvasRenderingContext2D, { shade, ink, draw }: Pattern, palette: Palette, scale: number): CanvasPattern | string {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.round(tileSize * scale)
  const pen = canvas.getContext('2d')
  if (pen === null) return shade(palette)
  pen.scale(canvas.width / tileSize, canvas.height / tileSize)
  pen.fillStyle = shade(palette)
  pen.fillRect(0, 0, tileSize, tileSize)
  pen.fillStyle = pen.strokeStyle = ink(palette)
  pen.lineWidth = 1.3
  draw(pen)
  const pattern = context.createPattern(canvas, 'repeat')
  pattern?.setTransform(new DOMMatrix().scale(tileSize / canvas.width))
  return pattern ?? shade(palette)
}
