import { clock, count, latency, ratio } from './format.js'
import { drawStrip, laneRows, stripServices } from './demo-rows.js'
import { palette, surface, verticalLine } from './paint.js'
import { pointAt, timeAxis } from './time-axis.js'

const stepMs = 1_000

/** Both lanes and the fault strip on one time axis with one crosshair. */
export class DemoCharts {
  constructor(container) {
    this.container = container
    this.rows = []
    this.headings = []
    this.demo = null
    this.pointedAt = null
    container.addEventListener('pointermove', (event) => this.point(event))
    container.addEventListener('pointerleave', () => this.pointTo(null))
    container.addEventListener('keydown', (event) => this.key(event))
    new ResizeObserver(() => this.draw()).observe(container)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw())
  }

  show(demo) {
    if (this.rows.length === 0) this.build(demo)
    this.demo = demo
    this.draw()
  }

  build(demo) {
    this.addRow({ kind: 'strip', words: stripServices })
    for (const { name, title } of demo.lanes) {
      const heading = block('div', 'lane-title')
      this.headings.push({ heading, title, lane: name })
      this.container.append(heading)
      for (const row of laneRows) this.addRow({ kind: row.name, lane: name, row, words: [row.label, ''] })
    }
  }

  addRow({ kind, lane, row, words }) {
    const element = block('div', `chart-row ${kind}`)
    const label = block('div', 'label')
    label.append(...words.map((text) => block('span', '', text)))
    const plot = block('div', 'plot')
    const canvas = document.createElement('canvas')
    canvas.setAttribute('aria-hidden', 'true')
    plot.append(canvas)
    const value = block('div', 'value')
    element.append(label, plot, value)
    this.container.append(element)
    this.rows.push({ canvas, value, range: label.lastChild, lane, row })
  }

  draw() {
    if (this.demo === null || this.container.clientWidth === 0) return
    const { demo, pointedAt } = this
    const colors = palette()
    for (const { heading, title, lane } of this.headings) heading.replaceChildren(block('b', '', title), ...scoreWords(laneOf(demo, lane)))
    for (const chart of this.rows) {
      const area = surface(chart.canvas)
      const axis = timeAxis(demo.at, area.width)
      for (const tick of axis.ticks) verticalLine(area.context, axis.x(tick), area.height, colors.line)
      if (chart.row === undefined) this.drawFaults(chart, area, axis, colors)
      else this.drawLane(chart, area, axis, colors)
      verticalLine(area.context, axis.x(demo.at), area.height, colors.text)
      if (pointedAt !== null) verticalLine(area.context, axis.x(pointedAt), area.height, colors.quiet, [2, 2])
    }
  }

  drawFaults({ value }, area, axis, colors) {
    drawStrip(area, axis, colors, this.demo)
    say(value, [this.pointedAt === null ? 'last second' : `${clock(this.demo.at - this.pointedAt)} ago`])
  }

  drawLane({ value, range, lane, row }, area, axis, colors) {
    const { demo, pointedAt } = this
    const scale = row.scaleOf(
      demo.lanes.flatMap(({ history }) => history),
      demo,
    )
    const { history } = laneOf(demo, lane)
    row.draw(area, axis, colors, history, scale)
    range.textContent = row.range(scale)
    const point = pointedAt === null ? history.at(-1) : pointAt(history, pointedAt)
    say(value, point === undefined ? ['–'] : row.say(point))
  }

  point(event) {
    const canvas = this.rows[0]?.canvas
    if (canvas === undefined || this.demo === null) return
    const box = canvas.getBoundingClientRect()
    const axis = timeAxis(this.demo.at, box.width)
    const at = axis.at(event.clientX - box.left)
    this.pointTo(at < axis.from || at > this.demo.at ? null : at)
  }

  key(event) {
    if (this.demo === null) return
    const from = this.pointedAt ?? this.demo.at
    if (event.key === 'ArrowLeft') this.pointTo(Math.max(this.demo.at - 119 * stepMs, from - stepMs))
    else if (event.key === 'ArrowRight') this.pointTo(Math.min(this.demo.at, from + stepMs))
    else if (event.key === 'Escape') this.pointTo(null)
    else return
    event.preventDefault()
  }

  pointTo(at) {
    if (this.pointedAt === at) return
    this.pointedAt = at
    this.draw()
  }
}

function laneOf(demo, name) {
  return demo.lanes.find((lane) => lane.name === name)
}

function scoreWords({ totals, load }) {
  const words = [
    [count(totals.finished), 'finished'],
    [count(totals.failed), 'failed'],
    [count(totals.late + totals.dropped), 'left'],
    [ratio(totals.successRatio), 'success'],
    [latency(totals.p99Ms), 'p99'],
    [count(load.whileFailing), 'requests to a failing service'],
  ]
  return words.map(([figure, unit]) => {
    const part = block('span', '')
    part.append(block('b', '', figure), ` ${unit}`)
    return part
  })
}

function say(place, words) {
  place.replaceChildren(...words.map((text) => block('span', '', text)))
}

function block(tag, className, text = '') {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
