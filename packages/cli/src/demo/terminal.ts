import type { DemoSnapshot } from './snapshot.ts'
import { terminalFrame } from './terminal-frame.ts'
import { plainLine, summaryLines } from './terminal-plain.ts'
import { terminalStyle } from './terminal-style.ts'

/** Where the demo shows itself. */
export interface DemoTerminal {
  show(snapshot: DemoSnapshot): void
  /** Ends the live view and leaves the result. */
  finish(snapshot: DemoSnapshot): void
}

export interface TerminalStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

export interface DemoTerminalOptions {
  readonly stream: TerminalStream
  readonly color: boolean
  /** Whether the terminal can move its cursor; otherwise lines are only added. */
  readonly redraws: boolean
  /** Lines under the title; read anew for each frame. */
  readonly notes?: readonly string[]
}

const plainEverySeconds = 5
const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'
const clearBelow = '\u001b[J'

/** Redraws in place where it can; anywhere else it writes a plain line every five seconds. */
export function demoTerminal({ stream, color, redraws, notes = [] }: DemoTerminalOptions): DemoTerminal {
  const style = terminalStyle(color)
  let drawnLines = 0
  let seconds = 0

  const erase = (): string => (drawnLines === 0 ? '' : `\u001b[${drawnLines}F${clearBelow}`)
  const draw = (snapshot: DemoSnapshot): void => {
    const frame = terminalFrame(snapshot, { columns: (stream.columns ?? 80) - 1, style, notes })
    const lines = frame.slice(0, Math.max(1, (stream.rows ?? 40) - 1)) // a frame taller than the screen could not be erased
    stream.write(`${hideCursor}${erase()}${lines.join('\n')}\n`)
    drawnLines = lines.length
  }
  const addLine = (snapshot: DemoSnapshot): void => {
    if (seconds === 0) for (const note of notes) stream.write(`${note}\n`)
    if (seconds++ % plainEverySeconds === 0) stream.write(`${plainLine(snapshot)}\n`)
  }

  return {
    show: redraws ? draw : addLine,
    finish: (snapshot) => {
      stream.write(`${erase()}${summaryLines(snapshot, style).join('\n')}\n${redraws ? showCursor : ''}`)
      drawnLines = 0
    },
  }
}
