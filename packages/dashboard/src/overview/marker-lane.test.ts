import { expect, it } from 'vitest'
import { loadPeak } from '../chart/ribbon.ts'
import { groupMarkers, markersNear } from './marker-lane.tsx'

const note = (at: number) => ({ at, kind: 'note', text: `note ${at}` }) as const
const axis = { from: 0, until: 10_000 }

it('markers of one spot stand together, those outside the axis not at all', () => {
  const groups = groupMarkers([note(-5), note(1_000), note(1_050), note(5_000), note(20_000)], axis)
  expect(groups.map((group) => group.map(({ at }) => at))).toEqual([[1_000, 1_050], [5_000]])
})

it('a crosshair close to markers names them', () => {
  expect(markersNear([note(1_000), note(5_000)], 1_040, axis)).toEqual([note(1_000)])
})

it('the usual load leaves room above it; a storm fills the height', () => {
  expect(loadPeak([100, 100, 100, null, 0])).toBe(190)
  expect(loadPeak([100, 100, 400])).toBe(400)
  expect(loadPeak([1, 0, 2])).toBe(10)
  expect(loadPeak([])).toBe(10)
})
