import { count, latency } from './format.js'
import { plannedFaults } from './time-axis.js'
import { stripes, traceLine } from './paint.js'

/** The strip's lines, from the top. */
export const stripServices = ['llm', 'search', 'orders']
const faultColor = { slow: 'warning', 'rate-limit': 'paused' }
const stripRowHeight = 14
const fastestMs = 100

/** The strip: what was wrong with each service, and what the script will do to it. */
export function drawStrip({ context, width }, axis, colors, demo) {
  context.font = '11px system-ui, sans-serif'
  context.textBaseline = 'middle'
  for (const segment of demo.faultSegments) drawSegment(context, axis, colors, segment, Math.min(segment.until ?? axis.now, axis.now))
  for (const plan of plannedFaults(demo)) if (plan.until > axis.now) drawPlan(context, axis, colors, plan)
  context.fillStyle = colors.quiet
  context.textBaseline = 'alphabetic'
  for (const tick of axis.ticks) {
    const words = tick === axis.now ? 'now' : `−${(axis.now - tick) / 1_000} s`
    const x = axis.x(tick)
    context.textAlign = x < 10 ? 'left' : 'center'
    context.fillText(words, Math.min(x, width - 12), stripServices.length * stripRowHeight + 11)
  }
  context.textAlign = 'left'
}

function drawSegment(context, axis, colors, { service, kind, text, source, from }, until) {
  const x = Math.max(0, axis.x(from))
  const right = axis.x(until)
  const y = stripServices.indexOf(service) * stripRowHeight
  if (right <= 0) return
  context.fillStyle = colors[faultColor[kind] ?? 'bad']
  context.globalAlpha = 0.28
  context.fillRect(x, y, right - x, stripRowHeight - 2)
  context.globalAlpha = 1
  context.fillRect(x, y, 2, stripRowHeight - 2)
  drawText(context, colors.text, [`${service} ${text}${source === 'manual' ? ' (by hand)' : ''}`, text, kind, service], x, y, right - x)
}

/** What is only planned is an outline. */
function drawPlan(context, axis, colors, { service, kind, text, from, until }) {
  const x = Math.max(axis.now, from)
  const y = stripServices.indexOf(service) * stripRowHeight
  const left = axis.x(x)
  const width = axis.x(until) - left
  context.save()
  context.strokeStyle = colors[faultColor[kind] ?? 'bad']
  context.setLineDash([3, 2])
  context.strokeRect(left + 0.5, y + 0.5, width - 1, stripRowHeight - 3)
  context.restore()
  if (from > axis.now) drawText(context, colors.quiet, [`${service} ${text}`, text, kind, service], left, y, width)
}

/** The longest wording that fits, or none. */
function drawText(context, color, wordings, x, y, width) {
  const text = wordings.find((words) => context.measureText(words).width <= width - 8)
  if (text === undefined) return
  context.fillStyle = color
  context.fillText(text, x + 5, y + stripRowHeight / 2 - 0.5)
}

const bad = (point) => point.failed + point.late + point.dropped

/** The rows of a lane: how each is drawn, and what it says about one second. `scale` comes from both lanes. */
export const laneRows = [
  {
    name: 'tasks',
    label: 'tasks per second',
    scaleOf: (points) => ({ up: Math.max(1, ...points.map((point) => point.finished)), down: Math.max(1, ...points.map(bad)) }),
    range: ({ up, down }) => `${count(up)} up, ${count(down)} down`,
    say: (point) => [`${point.finished} finished`, `${point.failed} failed`, `${point.late + point.dropped} left`],
    draw: drawTasks,
  },
  {
    name: 'latency',
    label: 'latency of finished',
    scaleOf: (_points, demo) => ({ slowestMs: demo.deadlineMs }),
    range: ({ slowestMs }) => `${fastestMs / 1_000} to ${slowestMs / 1_000} s, log`,
    say: (point) => [`p50 ${latency(point.p50Ms)}`, `p99 ${latency(point.p99Ms)}`],
    draw: drawLatency,
  },
  {
    name: 'load',
    label: 'requests to the model',
    scaleOf: (points) => ({ most: Math.max(1, ...points.map((point) => point.llmRequests)) }),
    range: ({ most }) => `up to ${count(most)} per second`,
    say: (point) => [`${point.llmRequests} requests`],
    draw: drawLoad,
  },
]

function drawTasks({ context, width, height }, axis, colors, points, { up, down }) {
  const unit = (height - 2) / (up + down)
  const zero = Math.round(up * unit) + 0.5
  const striped = stripes(context, colors.warning)
  const barWidth = Math.max(1, axis.x(axis.from + 1_000) - 1)
  for (const point of points) {
    const x = axis.x(point.at - 1_000)
    context.fillStyle = colors.ok
    context.fillRect(x, zero - point.finished * unit, barWidth, point.finished * unit)
    context.fillStyle = colors.bad
    context.fillRect(x, zero, barWidth, point.failed * unit)
    context.fillStyle = striped
    context.fillRect(x, zero + point.failed * unit, barWidth, (point.late + point.dropped) * unit)
  }
  context.strokeStyle = colors.line
  context.beginPath()
  context.moveTo(0, zero)
  context.lineTo(width, zero)
  context.stroke()
}

function drawLatency({ context, height }, axis, colors, points, { slowestMs }) {
  const span = Math.log(slowestMs / fastestMs)
  const y = (ms) =>
    ms === null ? null : height - 2 - (Math.log(Math.max(fastestMs, Math.min(slowestMs, ms)) / fastestMs) / span) * (height - 4)
  const x = (point) => axis.x(point.at - 500)
  traceLine(context, points, x, (point) => y(point.p50Ms), colors.quiet, 1)
  traceLine(context, points, x, (point) => y(point.p99Ms), colors.text, 1.5)
}

function drawLoad({ context, height }, axis, colors, points, { most }) {
  context.fillStyle = colors.quiet
  const barWidth = Math.max(1, axis.x(axis.from + 1_000) - 1)
  for (const point of points) {
    const tall = (point.llmRequests / most) * (height - 2)
    context.fillRect(axis.x(point.at - 1_000), height - tall, barWidth, tall)
  }
}
