import { describe, expect, it } from 'vitest'
import { bucketAt, bucketTimes, latestBucket, linearScale, logScale, logTicks, stacked, type ChartSeries } from './chart-data.ts'

function series(form: ChartSeries['form'], values: (number | null)[]): ChartSeries {
  return { label: '', color: '', form, values }
}

describe('data of a chart', () => {
  it('places a value in the middle of its bucket', () => {
    expect(bucketTimes(10_000, 5_000, 3)).toEqual([12.5, 17.5, 22.5])
  })

  it('finds the bucket of an instant, the start included and the end not', () => {
    expect([9_999, 10_000, 14_999, 15_000, 25_000].map((at) => bucketAt(at, 10_000, 5_000, 3))).toEqual([null, 0, 0, 1, null])
  })

  it('lays areas on one another, leaves lines alone, and keeps gaps', () => {
    expect(
      stacked([series('area', [1, null, 3]), series('line', [7, 8, null]), series('area', [1, 2, null]), series('area', [1, 1, 1])]),
    ).toEqual([
      [1, null, 3],
      [7, 8, null],
      [2, 2, null],
      [3, 3, 4],
    ])
  })

  it('reads the newest bucket that holds anything', () => {
    expect(latestBucket([series('line', [1, 2, null, null]), series('line', [1, null, 0, null])], 4)).toBe(2)
    expect(latestBucket([series('line', [null, null])], 2)).toBe(1)
  })

  it('takes near limits into a linear scale, and leaves out those that would flatten the data', () => {
    expect(linearScale([[1, 9, null]], [{ label: 'maxConcurrent', value: 10 }], 1).max).toBeCloseTo(10.8)
    expect(linearScale([[1, 2]], [{ label: 'maxQueued', value: 1_000 }], 1).max).toBeCloseTo(2.16)
    expect(linearScale([[null, 0]], [], 1)).toEqual({ min: 0, max: 1.08 })
  })

  it('takes all limits into a logarithmic scale, whose ends hold the data', () => {
    const { min, max } = logScale([[40, 900, null]], [{ label: 'timeout', value: 8_000 }])
    expect(min).toBeLessThan(40)
    expect(min).toBeGreaterThan(9)
    expect(max).toBeGreaterThan(8_000)
    expect(max).toBeLessThan(32_000)
    const empty = logScale([[null]], [])
    expect(Number.isFinite(empty.min) && Number.isFinite(empty.max) && empty.min < empty.max).toBe(true)
  })

  it('labels decades, and their thirds when there are few', () => {
    expect(logTicks(1, 100_000)).toEqual([1, 10, 100, 1_000, 10_000, 100_000])
    expect(logTicks(10, 1_000)).toEqual([10, 30, 100, 300, 1_000])
  })
})
