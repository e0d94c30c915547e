import * as fc from 'fast-check'
import { parseDuration, type Duration } from 'holdfast'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { durationMs } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['0ms', 0],
  ])('reads %s as %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    '5',
    's',
    '-5s',
    '+5s',
    '5 s',
    ' 5s',
    '5s ',
    '5S',
    '5sec',
    '1e3ms',
    '.5s',
    '5.s',
    '1.2.3s',
    '٣s',
    '5s\n',
    '1h30m',
    'Infinityms',
    'NaNs',
  ])('reads nothing from %j', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

describe('durationMs', () => {
  it('takes numbers as milliseconds, and texts with their unit', () => {
    expect(durationMs('x', 'after', 12.5)).toBe(12.5)
    expect(durationMs('x', 'after', '2s')).toBe(2_000)
  })

  it('includes both ends of the range', () => {
    expect(durationMs('x', 'after', 10, { min: 10, max: 20 })).toBe(10)
    expect(durationMs('x', 'after', '20ms', { min: 10, max: 20 })).toBe(20)
  })

  it('lets Infinity pass only where it is allowed', () => {
    expect(durationMs('x', 'after', Infinity, { allowInfinity: true })).toBe(Infinity)
    expect(() => durationMs('x', 'after', Infinity)).toThrow(/got Infinity$/)
    expect(() => durationMs('x', 'after', -Infinity, { allowInfinity: true })).toThrow(/got -Infinity$/)
  })

  it('refuses everything else, naming the owner, the option, what is allowed and the value', () => {
    for (const value of [undefined, null, true, {}, [], NaN, -1, '5', '10 parsecs', 10n]) {
      expect(() => durationMs('payments', 'after', value)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_OPTION',
          policy: 'payments',
          message: expect.stringMatching(/^payments: option 'after' must be a duration such as .*'30s'.*, got /),
        }),
      )
    }
  })

  it('names the limits of the range', () => {
    expect(() => durationMs('x', 'ttl', 5, { min: 10, max: 20, allowInfinity: true })).toThrow(
      / of at least 10 ms, at most 20 ms, or Infinity, got 5$/,
    )
  })

  it('reads back every whole number of every unit', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    fc.assert(
      fc.property(fc.nat(100_000), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (count, unit) => {
        expect(durationMs('x', 'after', `${count}${unit}`)).toBe(count * units[unit])
      }),
      { seed: 1 },
    )
  })
})

it('a wrong unit is no Duration', () => {
  expectTypeOf<'5m'>().toExtend<Duration>()
  expectTypeOf<'5 parsecs'>().not.toExtend<Duration>()
  expectTypeOf<string>().not.toExtend<Duration>()
})
