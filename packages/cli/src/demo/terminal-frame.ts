import { clockText } from './figure-text.ts'
import { describeFault } from './faults.ts'
import { scoreRows, type ScoreRow } from './score-rows.ts'
import type { DemoSnapshot, LaneSnapshot, PhaseSnapshot } from './snapshot.ts'
import { fitted, type TerminalStyle } from './terminal-style.ts'

export interface FrameView {
  /** Cells per line. */
  readonly columns: number
  readonly style: TerminalStyle
  /** Shown under the title, e.g. where the page is. */
  readonly notes: readonly string[]
}

const narrow = 64
const labelCells = 24

/** The live view of both lanes, as lines that fit. Pure: the same snapshot gives the same lines. */
export function terminalFrame(snapshot: DemoSnapshot, view: FrameView): readonly string[] {
  const { columns, style, notes } = view
  const isNarrow = columns < narrow
  const lines = [
    titleLine(snapshot, style),
    ...notes.map((note) => style.dim(note)),
    '',
    faultLine(snapshot, style),
    ...(isNarrow ? [] : [timeline(snapshot, columns, style)]),
    nextLine(snapshot, style),
    '',
    ...scoreLines(snapshot, columns, style),
    ...(isNarrow ? [] : ['', ...traceLines(snapshot, columns, style)]),
  ]
  return lines.map((line) => fitted(line, columns))
}

function titleLine(snapshot: DemoSnapshot, style: TerminalStyle): string {
  const { script, elapsedMs, arrivalsPerSecond, seed } = snapshot
  const length = script.loops ? 'loops' : clockText(script.durationMs)
  return `${style.bold('Holdfast demo')}  ${clockText(elapsedMs)} / ${length}  ${style.dim(`${arrivalsPerSecond} tasks/s in each lane, seed ${seed}`)}`
}

function faultLine({ faults }: DemoSnapshot, style: TerminalStyle): string {
  if (faults.length === 0) return `faults  ${style.ok('none')}`
  return `faults  ${faults.map(({ service, fault, source }) => style.bad(`${service} ${describeFault(fault)}${source === 'manual' ? ' (by hand)' : ''}`)).join(', ')}`
}

/** The script drawn to scale: phases with a fault are solid, the mark is now. */
function timeline({ script }: DemoSnapshot, columns: number, style: TerminalStyle): string {
  const cells = columns - 8
  const nowCell = Math.min(cells - 1, Math.floor((script.positionMs / script.durationMs) * cells))
  const phaseAt = (cell: number): PhaseSnapshot | undefined =>
    script.phases.findLast((phase) => phase.startMs <= ((cell + 0.5) / cells) * script.durationMs)
  let strip = ''
  for (let cell = 0; cell < cells; cell++) {
    if (cell === nowCell) strip += style.inverse('|')
    else strip += (phaseAt(cell)?.faults.length ?? 0) > 0 ? style.bad('▓') : style.dim('─')
  }
  return `script  ${strip}`
}

function nextLine({ script }: DemoSnapshot, style: TerminalStyle): string {
  if (script.index === null) return `phase   ${style.bold('over')}, waiting for the last users`
  const phase = script.phases[script.index] as PhaseSnapshot
  const next = script.phases[script.index + 1] ?? (script.loops ? script.phases[0] : undefined)
  const remaining = clockText(phase.startMs + phase.durationMs - script.positionMs)
  return `phase   ${style.bold(phase.title)}  ${style.dim(`${next?.title ?? 'end'} in ${remaining}`)}`
}

function scoreLines(snapshot: DemoSnapshot, columns: number, style: TerminalStyle): readonly string[] {
  const valueCells = Math.max(8, Math.min(14, Math.floor((columns - labelCells) / 2)))
  const header = ' '.repeat(labelCells) + snapshot.lanes.map((lane) => style.bold(lane.title.padStart(valueCells))).join('')
  return [header, ...tableLines(scoreRows(snapshot), labelCells, valueCells, style)]
}

/** Label left, one right-aligned value per lane. */
export function tableLines(rows: readonly ScoreRow[], labelWidth: number, valueWidth: number, style: TerminalStyle): readonly string[] {
  return rows.map(({ label, values, indented }) => {
    const text = (indented === true ? `  ${label}` : label).slice(0, labelWidth).padEnd(labelWidth)
    return (indented === true ? style.dim(text) : text) + values.map((value) => value.padStart(valueWidth)).join('')
  })
}

/** Finished tasks and model requests per second, each pair of lanes on one scale. */
function traceLines({ lanes }: DemoSnapshot, columns: number, style: TerminalStyle): readonly string[] {
  const cells = columns - labelCells - 1
  const traces: readonly (readonly [string, (lane: LaneSnapshot) => readonly number[]])[] = [
    ['finished/s', (lane) => lane.history.map((point) => point.finished)],
    ['LLM requests/s', (lane) => lane.history.map((point) => point.llmRequests)],
  ]
  return traces.flatMap(([label, read]) => {
    const highest = Math.max(1, ...lanes.flatMap((lane) => read(lane).slice(-cells)))
    return lanes.map((lane, place) => {
      const title = (place === 0 ? label : '').padEnd(15) + lane.title.padEnd(labelCells - 15)
      return `${title} ${style.ok(bars(read(lane).slice(-cells), highest))}`
    })
  })
}

const heights = ' ▁▂▃▄▅▆▇█'

function bars(values: readonly number[], highest: number): string {
  return values.map((value) => heights[Math.ceil((value / highest) * (heights.length - 1))]).join('')
}
