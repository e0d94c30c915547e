/** A canvas made ready for one drawing: sized for the screen's pixels, cleared, in CSS pixels from here on. */
export function surface(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas
  const scale = window.devicePixelRatio || 1
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const context = canvas.getContext('2d')
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  return { context, width, height }
}

/** The page's colours as the canvas needs them, read anew for each drawing since light and dark may change. */
export function palette() {
  return {
    text: colorOf('body'),
    quiet: colorOf('.swatch.quiet-mark'),
    ok: colorOf('.swatch.ok'),
    bad: colorOf('.swatch.bad'),
    warning: colorOf('.swatch.warning'),
    paused: colorOf('.swatch.outline'),
    line: getComputedStyle(document.querySelector('header')).borderBottomColor,
  }
}

function colorOf(selector) {
  return getComputedStyle(document.querySelector(selector)).color
}

/** Diagonal stripes, so that colour is not the only difference. */
export function stripes(context, color) {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 6
  const pen = tile.getContext('2d')
  pen.strokeStyle = color
  pen.lineWidth = 2
  pen.beginPath()
  for (const offset of [-6, 0, 6]) {
    pen.moveTo(offset, 6)
    pen.lineTo(offset + 6, 0)
  }
  pen.stroke()
  return context.createPattern(tile, 'repeat')
}

/** A line through the points that have a value; a missing value interrupts it. */
export function traceLine(context, points, xOf, yOf, color, width) {
  context.strokeStyle = color
  context.lineWidth = width
  context.beginPath()
  let drawing = false
  for (const point of points) {
    const y = yOf(point)
    if (y === null) drawing = false
    else if (drawing) context.lineTo(xOf(point), y)
    else {
      context.moveTo(xOf(point), y)
      context.lineTo(xOf(point) + 0.01, y) // a single value is a dot
      drawing = true
    }
  }
  context.stroke()
}

export function verticalLine(context, x, height, color, dash = []) {
  context.save()
  context.strokeStyle = color
  context.lineWidth = 1
  context.setLineDash(dash)
  context.beginPath()
  context.moveTo(Math.round(x) + 0.5, 0)
  context.lineTo(Math.round(x) + 0.5, height)
  context.stroke()
  context.restore()
}
