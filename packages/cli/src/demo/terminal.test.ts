import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { demoSnapshot, laneSnapshot } from './demo-snapshot.fixture.ts'
import { defaultScript } from './fault-script.ts'
import { scriptSnapshot } from './script-snapshot.ts'
import { terminalFrame } from './terminal-frame.ts'
import { plainLine, summaryLines } from './terminal-plain.ts'
import { fitted, terminalStyle } from './terminal-style.ts'
import { demoTerminal, type TerminalStream } from './terminal.ts'

const plain = terminalStyle(false)
const frame = (columns: number, snapshot = demoSnapshot()): readonly string[] =>
  terminalFrame(snapshot, { columns, style: plain, notes: ['page  http://127.0.0.1:8000/'] })

it('the frame shows each figure once per lane, under the lane’s name', () => {
  const lines = frame(100)
  expect(lines[0]).toContain('0:42 / 1:55')
  expect(lines.find((line) => line.startsWith('tasks finished'))).toMatch(/^tasks finished +118 +118$/)
  expect(lines.find((line) => line.startsWith('refused early'))).toMatch(/^refused early +0 +9$/)
  expect(lines.find((line) => line.startsWith('requests to services'))).toMatch(/1,234 +1,234$/)
  const header = lines.find((line) => line.trim().startsWith('bare') && line.includes('Holdfast'))
  expect(header?.endsWith('Holdfast')).toBe(true)
})

it('what nobody knows is a dash, and a share is never rounded to the whole', () => {
  const lines = frame(100)
  expect(lines.find((line) => line.includes('p99, last 10 s'))).toMatch(/– +–$/)
  expect(lines.find((line) => line.startsWith('success, last'))).toMatch(/99\.9 % +99\.9 %$/)
})

it('faults say who set them; the phase says what comes next', () => {
  const snapshot = demoSnapshot({ faults: [{ service: 'llm', fault: { kind: 'slow', factor: 5 }, source: 'manual' }] })
  expect(frame(100, snapshot).join('\n')).toContain('faults  llm slow × 5 (by hand)')
  expect(frame(100).find((line) => line.startsWith('phase'))).toBe('phase   calm  LLM rate limits in 0:03')
  expect(frame(100, demoSnapshot({ script: scriptSnapshot(defaultScript, 130_000, false) })).join('\n')).toContain(
    'waiting for the last users',
  )
})

it.each([30, 40, 60, 80, 100, 200])('no line is wider than %i columns, with or without colour', (columns) => {
  for (const color of [true, false]) {
    const lines = terminalFrame(demoSnapshot(), { columns, style: terminalStyle(color), notes: ['x'.repeat(300)] })
    for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns)
  }
})

it('a narrow terminal keeps the figures and drops the drawings', () => {
  expect(frame(50).some((line) => line.includes('▅'))).toBe(false)
  expect(frame(50).find((line) => line.startsWith('tasks finished'))).toMatch(/118 +118$/)
  expect(frame(100).some((line) => line.includes('▅'))).toBe(true)
})

it('both lanes’ traces have one scale', () => {
  const busy = demoSnapshot({
    lanes: [
      laneSnapshot('bare'),
      laneSnapshot('holdfast', { history: laneSnapshot('holdfast').history.map((point) => ({ ...point, llmRequests: 100 })) }),
    ],
  })
  const lines = frame(100, busy)
  const at = lines.findIndex((line) => line.startsWith('LLM requests/s'))
  expect(lines[at]).toMatch(/▁{40}/)
  expect(lines[at + 1]).toMatch(/█{40}/)
})

it('cutting a coloured line keeps its escape sequences whole', () => {
  expect(fitted('\u001b[1mHoldfast\u001b[22m', 4)).toBe('\u001b[1mHold\u001b[22m')
})

function recorder(given: Partial<TerminalStream>): { stream: TerminalStream; text: () => string } {
  let written = ''
  return { stream: { ...given, write: (text: string) => (written += text) }, text: () => written }
}

it('away from a terminal it writes a line every five seconds, without a single escape sequence', () => {
  const { stream, text } = recorder({ isTTY: false })
  const terminal = demoTerminal({ stream, color: false, redraws: false, notes: ['page  here'] })
  for (let second = 0; second < 11; second++) terminal.show(demoSnapshot())
  terminal.finish(demoSnapshot())
  expect(
    text()
      .split('\n')
      .filter((line) => line.startsWith('0:42 calm')).length,
  ).toBe(3)
  expect(text().startsWith('page  here\n0:42')).toBe(true)
  expect(text()).not.toContain('\u001b')
})

it('on a terminal it redraws in place, never taller than the screen, and gives the cursor back', () => {
  const { stream, text } = recorder({ isTTY: true, columns: 100, rows: 12 })
  const terminal = demoTerminal({ stream, color: false, redraws: true })
  terminal.show(demoSnapshot())
  expect(text().split('\n').length - 1).toBe(11)
  terminal.show(demoSnapshot())
  expect(text()).toContain('\u001b[11F\u001b[J')
  terminal.finish(demoSnapshot())
  expect(text().endsWith('\u001b[?25h')).toBe(true)
})

it('the plain line names phase, faults and both lanes', () => {
  const line = plainLine(demoSnapshot({ faults: [{ service: 'search', fault: { kind: 'stall', share: 1 }, source: 'script' }] }))
  expect(line).toBe(
    '0:42 calm (search never answers) | bare: 118 finished, 41 failed, 33 left; 10 s: 99.9 % success, p99 –; 10 LLM requests/s | Holdfast: 118 finished, 41 failed, 33 left; 10 s: 99.9 % success, p99 –; 10 LLM requests/s',
  )
})

it('the summary tells failures apart, as far as there were any', () => {
  const failures = { ...laneSnapshot('bare').failures, 'rate-limited': 41 }
  const lines = summaryLines(demoSnapshot({ lanes: [laneSnapshot('bare', { failures }), laneSnapshot('holdfast')] }), plain)
  expect(lines.find((line) => line.startsWith('answered 429'))).toMatch(/ 41 +0$/)
  expect(lines.some((line) => line.startsWith('timed out'))).toBe(false)
})

it('the summary has totals and success by phase, and says what the figures rest on', () => {
  const lines = summaryLines(demoSnapshot(), plain)
  expect(lines.find((line) => line.startsWith('0:00'))).toMatch(/^0:00 calm +75\.0 % +75\.0 %$/)
  expect(lines.find((line) => line.includes('LLM outage'))).toMatch(/– +–$/)
  expect(lines.at(-1)).toContain('seed 1')
})
