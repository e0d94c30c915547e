import { expect, it } from 'vitest'
import { defaultScript, faultIn, positionAt, scriptDurationMs, type FaultScript } from './fault-script.ts'
import { isFault } from './faults.ts'
import { scriptSnapshot } from './script-snapshot.ts'

const short: FaultScript = {
  name: 'short',
  phases: [
    { name: 'calm', title: 'calm', durationMs: 1_000, faults: {} },
    { name: 'down', title: 'down', durationMs: 500, faults: { llm: { kind: 'outage', mode: 'error', share: 1 } } },
  ],
}

it('the default script begins and ends calm, has every phase under its own name, and lasts about two minutes', () => {
  const { phases } = defaultScript
  expect(Object.keys(phases[0]!.faults)).toEqual([])
  expect(Object.keys(phases.at(-1)!.faults)).toEqual([])
  expect(new Set(phases.map((phase) => phase.name)).size).toBe(phases.length)
  expect(scriptDurationMs(defaultScript)).toBeGreaterThanOrEqual(90_000)
  expect(scriptDurationMs(defaultScript)).toBeLessThanOrEqual(125_000)
  for (const phase of phases) for (const fault of Object.values(phase.faults)) expect(isFault(fault)).toBe(true)
})

it('a phase begins at its first millisecond and ends before the next one’s', () => {
  expect(positionAt(short, 0, false)).toMatchObject({ index: 0, remainingMs: 1_000, round: 0 })
  expect(positionAt(short, 999.9, false)).toMatchObject({ index: 0 })
  expect(positionAt(short, 1_000, false)).toMatchObject({ index: 1, remainingMs: 500, positionMs: 1_000 })
  expect(faultIn(positionAt(short, 1_000, false)?.phase, 'llm')).toMatchObject({ kind: 'outage' })
})

it('a script that does not loop is over after its last phase; one that loops begins again', () => {
  expect(positionAt(short, 1_500, false)).toBeUndefined()
  expect(positionAt(short, 1_500, true)).toMatchObject({ index: 0, positionMs: 0, round: 1 })
  expect(positionAt(short, 4_100, true)).toMatchObject({ index: 1, positionMs: 1_100, round: 2 })
})

it('as plain data it has phases with their starts, and says when it is over', () => {
  const over = scriptSnapshot(short, 2_000, false)
  expect(over).toMatchObject({ index: null, durationMs: 1_500, positionMs: 1_500 })
  expect(over.phases.map(({ name, startMs }) => [name, startMs])).toEqual([
    ['calm', 0],
    ['down', 1_000],
  ])
  expect(over.phases[1]?.faults).toEqual([{ service: 'llm', kind: 'outage', text: 'answers 503' }])
})
