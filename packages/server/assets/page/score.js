import { count, latency, ratio } from './format.js'

/** The score: the same figures for each lane. */
const rows = [
  { label: 'success, last 10 s', read: (lane) => ratio(lane.recent.successRatio) },
  { label: 'p99 of finished, last 10 s', read: (lane) => latency(lane.recent.p99Ms) },
  { label: 'users waiting', read: (lane) => count(lane.waiting) },
  { label: 'work nobody waits for any more', read: (lane) => count(lane.abandoned) },
  { label: 'tasks finished', read: (lane) => count(lane.totals.finished) },
  { label: 'without search results', read: (lane) => count(lane.totals.degraded), indented: true },
  { label: 'tasks failed', read: (lane) => count(lane.totals.failed) },
  { label: 'users who left before the end', read: (lane) => count(lane.totals.late) },
  { label: 'not begun, lane full', read: (lane) => count(lane.totals.dropped) },
  { label: 'success since the start', read: (lane) => ratio(lane.totals.successRatio) },
  { label: 'p99 of finished since the start', read: (lane) => latency(lane.totals.p99Ms) },
  { label: 'requests to services', read: (lane) => count(lane.load.requests) },
  { label: 'asked again', read: (lane) => count(lane.load.repeated), indented: true },
  { label: 'to a failing service', read: (lane) => count(lane.load.whileFailing), indented: true },
  { label: 'refused early', read: (lane) => count(lane.protection.refused) },
  { label: 'answered by fallback', read: (lane) => count(lane.protection.fallbacks) },
]

export function showScore(table, { lanes }) {
  if (table.tBodies[0].rows.length === 0) build(table, lanes)
  for (const [index, { read }] of rows.entries()) {
    const { cells } = table.tBodies[0].rows[index]
    for (const [place, lane] of lanes.entries()) {
      const text = read(lane)
      if (cells[place + 1].textContent !== text) cells[place + 1].textContent = text
    }
  }
}

function build(table, lanes) {
  const head = table.tHead.insertRow()
  head.append(headCell('', 'col'), ...lanes.map((lane) => headCell(lane.title, 'col', 'number')))
  for (const { label, indented } of rows) {
    const row = table.tBodies[0].insertRow()
    row.className = indented ? 'indented' : ''
    row.append(headCell(label, 'row'), ...lanes.map(() => dataCell()))
  }
}

function headCell(text, scope, className = '') {
  const cell = document.createElement('th')
  cell.scope = scope
  cell.className = className
  cell.textContent = text
  return cell
}

function dataCell(text = '') {
  const cell = document.createElement('td')
  cell.className = 'number'
  cell.textContent = text
  return cell
}

const secondColumns = [
  { name: 'finished', read: (point) => count(point.finished) },
  { name: 'failed', read: (point) => count(point.failed) },
  { name: 'left', read: (point) => count(point.late + point.dropped) },
  { name: 'p99', read: (point) => latency(point.p99Ms) },
  { name: 'to the model', read: (point) => count(point.llmRequests) },
]

/** The seconds behind the charts, newest first. */
export function showSeconds(table, { lanes, at }) {
  const head = document.createElement('tr')
  head.append(headCell('seconds ago', 'col'))
  for (const lane of lanes) head.append(...secondColumns.map(({ name }) => headCell(`${lane.title}: ${name}`, 'col', 'number')))
  const seconds = lanes[0].history.slice(-30).toReversed()
  const body = seconds.map(({ at: end }, index) => {
    const row = document.createElement('tr')
    row.append(headCell(String(Math.round((at - end) / 1_000)), 'row'))
    for (const lane of lanes) {
      const point = lane.history.at(-1 - index)
      row.append(...secondColumns.map(({ read }) => dataCell(point ? read(point) : '–')))
    }
    return row
  })
  table.replaceChildren(head, ...body)
}
