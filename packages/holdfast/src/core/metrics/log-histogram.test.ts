import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../errors.ts'
import { seededRandom } from '../random.ts'
import { logHistogram, type LogHistogram, type LogHistogramOptions } from './log-histogram.ts'

const inRange = fc.double({ min: 1e-6, max: 1e4, noNaN: true, minExcluded: true })
const values = fc.array(inRange, { minLength: 1, maxLength: 200 })
const shares = fc.double({ min: 0, max: 1, noNaN: true })

function filled(recorded: readonly number[], options: LogHistogramOptions = {}): LogHistogram {
  const histogram = logHistogram(options)
  for (const value of recorded) histogram.record(value)
  return histogram
}

/** Nearest rank. */
function exactPercentile(recorded: readonly number[], share: number): number {
  return recorded.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * recorded.length)) - 1] as number
}

function figures(histogram: LogHistogram): unknown {
  return [histogram.count, histogram.max, ...[0, 0.1, 0.5, 0.9, 0.95, 0.99, 1].map((share) => histogram.percentile(share))]
}

describe('percentiles', () => {
  it('are within the stated relative error of the exact ones', () => {
    fc.assert(
      fc.property(values, shares, fc.constantFrom(0.25, 0.1, 0.031, 0.01, 0.001), (recorded, share, relativeError) => {
        const histogram = filled(recorded, { relativeError })
        const exact = exactPercentile(recorded, share)
        expect(histogram.relativeError).toBeLessThanOrEqual(relativeError)
        expect(Math.abs((histogram.percentile(share) as number) - exact) / exact).toBeLessThanOrEqual(histogram.relativeError + 1e-12)
      }),
    )
  })

  it('use no more cells than the stated error needs: the next coarser division breaks it', () => {
    const { relativeError } = filled([], { relativeError: 0.031 })
    expect(relativeError).toBe(1 / 33)
    expect(1 / 17).toBeGreaterThan(0.031)
  })

  it('never exceed the largest value, and grow with the share', () => {
    fc.assert(
      fc.property(values, (recorded) => {
        const histogram = filled(recorded)
        const found = [0, 0.25, 0.5, 0.75, 0.95, 1].map((share) => histogram.percentile(share) as number)
        expect(found).toEqual(found.toSorted((a, b) => a - b))
        expect(found.at(-1)).toBeLessThanOrEqual(Math.max(...recorded))
      }),
    )
  })

  it('hold for 200,000 log-normal latencies', () => {
    const random = seededRandom(7)
    const recorded = Array.from({ length: 200_000 }, () =>
      Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) - 3),
    )
    const histogram = filled(recorded)
    for (const share of [0.5, 0.95, 0.99]) {
      const exact = exactPercentile(recorded, share)
      expect(Math.abs((histogram.percentile(share) as number) - exact) / exact).toBeLessThanOrEqual(1 / 33)
    }
  })

  it('are null without values', () => {
    const histogram = logHistogram()
    expect([histogram.percentile(0.5), histogram.mean, histogram.max, histogram.count]).toEqual([null, null, null, 0])
  })

  it('refuse a share outside 0..1', () => {
    for (const share of [-0.1, 1.1, 99, NaN]) {
      expect(() => filled([1]).percentile(share)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    }
  })
})

describe('record', () => {
  it('keeps count, sum, mean and the exact largest value', () => {
    const histogram = filled([0.1, 0.2, 0.6])
    expect(histogram.count).toBe(3)
    expect(histogram.sum).toBeCloseTo(0.9)
    expect(histogram.mean).toBeCloseTo(0.3)
    expect(histogram.max).toBe(0.6)
  })

  it('counts negative values as 0 and ignores what is no finite number', () => {
    const histogram = filled([-1, NaN, Infinity, -Infinity, -0])
    expect([histogram.count, histogram.sum, histogram.percentile(1)]).toEqual([2, 0, 0])
  })

  it('keeps values outside the range in the count: below as min, above as the largest recorded', () => {
    const histogram = filled([1e-9, 1e-9, 5, 1e6], { min: 0.001, max: 10 })
    expect(histogram.count).toBe(4)
    expect(histogram.percentile(0.5)).toBeLessThanOrEqual(0.001)
    expect(histogram.percentile(1)).toBe(1e6)
  })

  it('takes every float, down to the smallest and up to the largest', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (recorded) => {
        const histogram = filled(recorded)
        expect(histogram.count).toBe(recorded.length)
        expect(histogram.percentile(0.5)).not.toBeNaN()
      }),
    )
  })
})

describe('countUpTo', () => {
  it('is exact at the edges, which belong to what lies below them', () => {
    const edges = [1e-7, 0.005, 0.01, 0.25, 0.3, 0.31, 1, 2.5, 60, 1e5]
    const nearEdges = fc.constantFrom(...edges.flatMap((edge) => [edge, edge * (1 - 2 ** -52), edge * (1 + 2 ** -51)]))
    fc.assert(
      fc.property(fc.array(fc.oneof(nearEdges, inRange, fc.constant(0))), (recorded) => {
        const histogram = filled(recorded, { edges })
        for (const edge of edges) expect(histogram.countUpTo(edge)).toBe(recorded.filter((value) => value <= edge).length)
      }),
    )
  })

  it('refuses what is no edge', () => {
    expect(() => filled([1], { edges: [1] }).countUpTo(1.001)).toThrow(/1.001 is none of the histogram's edges/)
  })
})

describe('merge, copy, since and reset', () => {
  it('merging gives what recording everything in one gives', () => {
    fc.assert(
      fc.property(values, values, (ours, theirs) => {
        const merged = filled(ours)
        merged.merge(filled(theirs))
        expect(figures(merged)).toEqual(figures(filled([...ours, ...theirs])))
      }),
    )
  })

  it('since gives what was recorded after the copy', () => {
    fc.assert(
      fc.property(values, values, shares, (before, after, share) => {
        const histogram = filled(before)
        const earlier = histogram.copy()
        for (const value of after) histogram.record(value)
        const window = histogram.since(earlier)
        const exact = exactPercentile(after, share)
        expect(window.count).toBe(after.length)
        expect(Math.abs((window.percentile(share) as number) - exact) / exact).toBeLessThanOrEqual(window.relativeError + 1e-12)
        expect(Math.abs((window.max as number) - Math.max(...after)) / Math.max(...after)).toBeLessThanOrEqual(window.relativeError + 1e-12)
      }),
    )
  })

  it('a copy does not change with the original', () => {
    const histogram = filled([1, 2])
    const copy = histogram.copy()
    histogram.record(9)
    expect(figures(copy)).toEqual(figures(filled([1, 2])))
  })

  it('a reset histogram is as new', () => {
    const histogram = filled([1, 2])
    histogram.reset()
    expect(figures(histogram)).toEqual(figures(logHistogram()))
    expect(histogram.sum).toBe(0)
  })

  it('what a histogram holds can be stored and restored, with the same percentiles', () => {
    fc.assert(
      fc.property(values, (recorded) => {
        const histogram = filled(recorded)
        const restored = logHistogram()
        restored.restore(JSON.parse(JSON.stringify(histogram.filled())) as [number, number][])
        expect(figures(restored)).toEqual(figures(histogram))
        restored.merge(histogram)
        expect(restored.count).toBe(2 * recorded.length)
      }),
    )
  })

  it('refuse a histogram that divides otherwise', () => {
    expect(() => filled([1]).merge(filled([1], { relativeError: 0.01 }))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    expect(() => filled([1]).since(filled([1], { edges: [1] }))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})

it('names the option, the value and what is allowed when an option is wrong', () => {
  const wrong: readonly [LogHistogramOptions, RegExp][] = [
    [{ min: 0 }, /'min' .*got 0/],
    [{ min: 2, max: 2 }, /'max' must be above 'min', which is 2, got 2/],
    [{ relativeError: 0.9 }, /'relativeError' .*0\.25.*got 0\.9/],
    [{ edges: [1, 1] }, /'edges\[1\]' must be a finite number above 1, got 1/],
    [{ maximum: 2 } as LogHistogramOptions, /no option 'maximum'/],
  ]
  for (const [options, message] of wrong) {
    expect(() => logHistogram(options)).toThrow(message)
    expect(() => logHistogram(options)).toThrow(expect.toSatisfy((error) => isHoldfastError(error, 'ERR_INVALID_OPTION')))
  }
})
