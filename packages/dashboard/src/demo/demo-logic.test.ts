import { describe, expect, it } from 'vitest'
import { demoAxis, instantAfterKey, pointAt, stripPieces } from './demo-axis.ts'
import { demoSentence } from './demo-sentence.ts'
import { demoView } from './demo-view.ts'
import { demoFixture, laneView } from './demo.fixture.ts'
import { scoreGroups } from './score-rows.ts'

describe('the score', () => {
  it('says the same figures of each lane, in the same order', () => {
    const [recent, total, load] = scoreGroups(demoFixture().lanes, 15_000)
    expect(recent?.rows.map(({ label, values }) => [label, ...values])).toEqual([
      ['success', '99.9 %', '99.9 %'],
      ['p50 of finished', '850 ms', '850 ms'],
      ['p99 of finished', '–', '–'],
      ['users waiting now', '8', '8'],
      ['work nobody waits for', '2', '2'],
    ])
    expect(total?.rows.map(({ label, values }) => [label, values[0]])).toContainEqual(['user left after 15 s', '33'])
    expect(total?.rows.map(({ label, values }) => [label, values[0]])).toContainEqual(['p99 of finished', '13.4 s'])
    expect(load?.rows.at(-1)).toEqual({ label: 'answered by fallback', values: ['0', '4'], isPart: false })
  })
})

describe('the sentence', () => {
  it('names the next fault while none is in force', () => {
    expect(demoSentence(demoFixture())).toBe(
      'No fault is in force; next: llm answers 503, in 8 s. Of the tasks of the last 10 s succeeded: 99.9 % in the bare lane, 99.9 % in the Holdfast lane.',
    )
  })

  it('names the faults in force and since when', () => {
    const demo = demoFixture()
    const faultSegments = [
      { service: 'search', kind: 'stall', text: 'never answers', source: 'manual' as const, from: demo.at - 12_400, until: null },
    ]
    expect(demoSentence({ ...demo, faultSegments, lanes: [] })).toBe('search never answers for 12 s.')
  })

  it('looks into the next round of a script that loops', () => {
    const { script } = demoFixture()
    const demo = demoFixture({ lanes: [], script: { ...script, loops: true, index: 3, positionMs: 55_000 } })
    expect(demoSentence(demo)).toBe('No fault is in force; next: llm slow × 5, in 25 s.')
  })
})

describe('the axis', () => {
  it('shows what happened as done and what the script will do as planned, cut to two minutes back and 20 s ahead', () => {
    const demo = demoFixture()
    const pieces = stripPieces(demo, demoAxis(demo.at))
    expect(pieces.map(({ text, isPlanned, left, width }) => [text, isPlanned, Math.round(left * 140), Math.round(width * 140)])).toEqual([
      ['slow × 5', false, 98, 20],
      ['answers 503', true, 128, 10],
    ])
  })

  it('ends what lasts at now, and plans nothing once the script is over', () => {
    const demo = demoFixture()
    const lasting = {
      service: 'llm',
      kind: 'stall',
      text: 'never answers',
      source: 'manual' as const,
      from: demo.at - 200_000,
      until: null,
    }
    const pieces = stripPieces({ ...demo, faultSegments: [lasting], script: { ...demo.script, index: null } }, demoAxis(demo.at))
    expect(pieces.map(({ left, width, isManual }) => [left, Math.round(width * 140), isManual])).toEqual([[0, 120, true]])
  })

  it('finds the second under the crosshair', () => {
    const { history } = laneView('bare')
    const at = history[10]?.at ?? 0
    expect(pointAt(history, at - 500)?.at).toBe(at)
    expect(pointAt(history, (history[0]?.at ?? 0) - 60_000)).toBeUndefined()
  })

  it('moves the crosshair by seconds with the arrow keys, within the past', () => {
    const axis = demoAxis(500_000)
    expect(instantAfterKey('ArrowLeft', null, axis)).toBe(499_000)
    expect(instantAfterKey('ArrowRight', 500_000, axis)).toBe(500_000)
    expect(instantAfterKey('PageUp', axis.from + 2_000, axis)).toBe(axis.from + 1_000)
    expect(instantAfterKey('Escape', 499_000, axis)).toBeNull()
    expect(instantAfterKey('Escape', null, axis)).toBeUndefined()
    expect(instantAfterKey('a', null, axis)).toBeUndefined()
  })
})

describe('the section of the live state', () => {
  it('is none when the server runs no demonstration, or one this page does not know', () => {
    expect(demoView(undefined)).toBeNull()
    expect(demoView({ lanes: 'two' })).toBeNull()
    expect(demoView(demoFixture())?.lanes).toHaveLength(2)
  })
})
