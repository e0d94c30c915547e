/** A canvas made ready for one drawing: sized for the screen's pixels, cleared, in CSS pixels from here on. */
export interface Surface {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
}

export function surface(canvas: HTMLCanvasElement): Surface | null {
  const { clientWidth: width, clientHeight: height } = canvas
  const context = canvas.getContext('2d')
  if (context === null || width === 0) return null
  const scale = window.devicePixelRatio || 1
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  context.setTransform(scale, 0, 0, scale, 0, 0)
  return { context, width, height }
}

/** Diagonal stripes, so that colour is not the only difference; on nothing, or on a ground. */
export function stripes(context: CanvasRenderingContext2D, color: string, ground?: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 5
  const pen = tile.getContext('2d')
  if (pen === null) return color
  if (ground !== undefined) {
    pen.fillStyle = ground
    pen.fillRect(0, 0, tile.width, tile.height)
  }
  pen.strokeStyle = color
  pen.lineWidth = 1.75
  pen.beginPath()
  for (const offset of [-5, 0, 5]) {
    pen.moveTo(offset, 5)
    pen.lineTo(offset + 5, 0)
  }
  pen.stroke()
  return context.createPattern(tile, 'repeat') ?? color
}

/** A line through the places that have a value; a missing value interrupts it, and a single one is a dot. */
export function traceLine(context: CanvasRenderingContext2D, places: readonly (readonly [x: number, y: number | null])[]): void {
  context.beginPath()
  let isDrawing = false
  for (const [x, y] of places) {
    if (y === null) isDrawing = false
    else if (isDrawing) context.lineTo(x, y)
    else {
      context.moveTo(x, y)
      context.lineTo(x + 0.01, y)
      isDrawing = true
    }
  }
  context.stroke()
}
