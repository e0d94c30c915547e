import { failureReasons, failureWords } from './failure-reason.ts'
import { describeFault } from './faults.ts'
import { clockText, countText, latencyText, ratioText } from './figure-text.ts'
import { totalRows } from './score-rows.ts'
import type { DemoSnapshot, LaneSnapshot } from './snapshot.ts'
import { tableLines } from './terminal-frame.ts'
import type { TerminalStyle } from './terminal-style.ts'

/** One line for logs: where the script is, and each lane in a few figures. */
export function plainLine(snapshot: DemoSnapshot): string {
  const { script, faults, lanes, elapsedMs } = snapshot
  const phase = script.index === null ? 'over' : script.phases[script.index]?.title
  const wrong = faults.map(({ service, fault }) => `${service} ${describeFault(fault)}`).join(', ')
  const parts = lanes.map((lane) => {
    const { finished, failed, late } = lane.totals
    const { successRatio, p99Ms } = lane.recent
    const load = lane.history.at(-1)?.llmRequests ?? 0
    return `${lane.title}: ${countText(finished)} finished, ${countText(failed)} failed, ${countText(late)} left; 10 s: ${ratioText(successRatio)} success, p99 ${latencyText(p99Ms)}; ${load} LLM requests/s`
  })
  return `${clockText(elapsedMs)} ${phase}${wrong === '' ? '' : ` (${wrong})`} | ${parts.join(' | ')}`
}

/** Of the tasks that arrived in a phase and have ended; null when there are none. */
function successIn(lane: LaneSnapshot, phase: string): number | null {
  const counts = lane.phases.find((other) => other.phase === phase)
  if (counts === undefined) return null
  const ended = counts.finished + counts.failed + counts.late + counts.dropped
  return ended === 0 ? null : counts.finished / ended
}

const labelCells = 28
const valueCells = 14

/** What it came to: totals, success by phase, and what the figures rest on. */
export function summaryLines(snapshot: DemoSnapshot, style: TerminalStyle): readonly string[] {
  const { lanes, seed, elapsedMs, script } = snapshot
  const header = (title: string): string =>
    style.bold(title.padEnd(labelCells) + lanes.map((lane) => lane.title.padStart(valueCells)).join(''))
  const phaseRows = script.phases.map((phase) => ({
    label: `${clockText(phase.startMs)} ${phase.title}`,
    values: lanes.map((lane) => ratioText(successIn(lane, phase.name))),
  }))
  const reasonRows = failureReasons
    .filter((reason) => lanes.some((lane) => lane.failures[reason] > 0))
    .map((reason) => ({ label: failureWords[reason], values: lanes.map((lane) => countText(lane.failures[reason])) }))
  return [
    header(`after ${clockText(elapsedMs)}`),
    ...tableLines(totalRows(snapshot), labelCells, valueCells, style),
    ...tableLines(
      [{ label: 'orders written', values: lanes.map((lane) => countText(lane.services.orders?.extra['rows'] ?? 0)) }],
      labelCells,
      valueCells,
      style,
    ),
    ...(reasonRows.length === 0 ? [] : ['', header('failed, by reason'), ...tableLines(reasonRows, labelCells, valueCells, style)]),
    '',
    header('finished, by time of arrival'),
    ...tableLines(phaseRows, labelCells, valueCells, style),
    '',
    style.dim(`Both lanes: the same tasks at the same instants (seed ${seed}), services of their own with the same seed and faults.`),
  ]
}
