import { describe, expect, it } from 'vitest'
import { curveOf } from './schedule.ts'

describe('schedules', () => {
  it('hold a value from step to step, and move in a straight line on a ramp', () => {
    const curve = curveOf('test', 'rate', [
      { fromMs: 0, value: 1 },
      { fromMs: 100, value: 2, rampTo: 4 },
      { fromMs: 200, value: 7 },
    ])
    expect([0, 99, 100, 150, 200, 1_000].map((at) => curve.at(at))).toEqual([1, 1, 2, 3, 7, 7])
    expect(curve.at(50)).toBe(1) // asked backwards
    expect(curve.holdsUntil(50)).toBe(100)
    expect(curve.holdsUntil(195)).toBe(200)
    expect(curve.holdsUntil(300)).toBe(Infinity)
  })

  it('may be functions of the time', () => {
    expect(curveOf('test', 'rate', (atMs) => atMs / 2).at(30)).toBe(15)
  })

  it.each([
    ['a first step that does not begin at 0', [{ fromMs: 5, value: 1 }], /option 'rate\[0\]\.fromMs' must be 0, got 5/],
    [
      'steps out of order',
      [
        { fromMs: 0, value: 1 },
        { fromMs: 0, value: 2 },
      ],
      /rate\[1\]\.fromMs' must be more than 0/,
    ],
    ['a ramp without an end', [{ fromMs: 0, value: 1, rampTo: 2 }], /rampTo' must be followed by a step where the ramp ends/],
    ['a negative value', [{ fromMs: 0, value: -1 }], /rate\[0\]\.value' must be a number from 0 up, got -1/],
    ['no steps', [], /must be a number, a list of steps/],
    ['no number', Number.NaN, /must be a number from 0 up, got NaN/],
  ])('refuse %s', (_what, schedule, message) => {
    expect(() => curveOf('test', 'rate', schedule)).toThrow(message)
  })

  it('refuse a function’s bad answer when it comes', () => {
    const curve = curveOf('test', 'rate', () => Number.NaN)
    expect(() => curve.at(7)).toThrow(/rate\(7\)/)
  })
})
