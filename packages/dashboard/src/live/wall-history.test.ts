import type { Bucket, DependencyView, WallHistory } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { figuresAt, frameOf, troubleSince, withBucket, withStates } from './wall-history.ts'

const segment = { from: 0, to: null, state: 'closed', forced: false } as const
const history: WallHistory = {
  at: 15_000,
  range: '15m',
  from: 0,
  stepMs: 5_000,
  markers: [],
  rows: { llm: { segments: [segment], attempts: [5, 10, null], failures: [0, 4, null] } },
}
const bucket = (attempts: number, attemptFailures = 0): Bucket => ({ attempts, attemptFailures }) as Bucket
const ended = (from: number, rows: Record<string, Bucket>, stepMs = 5_000) => ({ from, stepMs, rows })
const llm = (over: Partial<DependencyView>): { llm: DependencyView } => ({
  llm: { name: 'llm', state: 'closed', since: 0, forced: null, ...over } as DependencyView,
})

describe('a bucket that has ended', () => {
  it('moves the frame on by one', () => {
    const frame = withBucket(frameOf(history), ended(15_000, { llm: bucket(7, 2) }))
    expect(frame.from).toBe(5_000)
    expect(frame.rows.get('llm')).toMatchObject({ attempts: [10, null, 7], failures: [4, null, 2] })
  })

  it('is taken once: one the history holds already changes nothing', () => {
    const frame = frameOf(history)
    expect(withBucket(frame, ended(10_000, { llm: bucket(7) }))).toBe(frame)
  })

  it('leaves what was missed in between empty', () => {
    const frame = withBucket(frameOf(history), ended(20_000, { llm: bucket(7) }))
    expect(frame.from).toBe(10_000)
    expect(frame.rows.get('llm')?.attempts).toEqual([null, null, 7])
  })

  it('after more than the whole range is all there is', () => {
    const frame = withBucket(frameOf(history), ended(900_000, { llm: bucket(7) }))
    expect(frame.rows.get('llm')?.attempts).toEqual([null, null, 7])
    expect(frame.from).toBe(890_000)
  })

  it('brings a row for a dependency that is new', () => {
    const frame = withBucket(frameOf(history), ended(15_000, { search: bucket(3) }))
    expect(frame.rows.get('search')?.attempts).toEqual([null, null, 3])
    expect(frame.rows.get('llm')?.attempts).toEqual([10, null, null])
  })

  it('of another resolution is not taken', () => {
    const frame = frameOf(history)
    expect(withBucket(frame, ended(20_000, { llm: bucket(7) }, 20_000))).toBe(frame)
  })
})

describe('states', () => {
  it('a change ends the segment before and begins one', () => {
    const frame = withStates(frameOf(history), llm({ state: 'open', since: 12_000 }))
    expect(frame.rows.get('llm')?.segments).toEqual([
      { ...segment, to: 12_000 },
      { from: 12_000, to: null, state: 'open', forced: false },
    ])
  })

  it('no change leaves the frame as it is', () => {
    const frame = frameOf(history)
    expect(withStates(frame, llm({}))).toBe(frame)
  })

  it('trouble began with the first of the states that follow one another up to now', () => {
    const opened = withStates(frameOf(history), llm({ state: 'open', since: 5_000 }))
    const probed = withStates(opened, llm({ state: 'half-open', since: 9_000 }))
    const again = withStates(probed, llm({ state: 'open', since: 10_000 }))
    expect(troubleSince(again, { name: 'llm', since: 10_000 })).toBe(5_000)
    expect(troubleSince(null, { name: 'llm', since: 10_000 })).toBe(10_000)
  })
})

it('an instant shows the state, the rate and the failures of its bucket', () => {
  const frame = withStates(frameOf(history), llm({ state: 'open', since: 8_000 }))
  expect(figuresAt(frame, 'llm', 7_000)).toEqual({ state: 'closed', forced: false, attemptsPerSecond: 2, failureRatio: 0.4 })
  expect(figuresAt(frame, 'llm', 12_000)).toEqual({ state: 'open', forced: false, attemptsPerSecond: null, failureRatio: null })
  expect(figuresAt(frame, 'nobody', 7_000).state).toBe('unknown')
})
