import { parseDuration } from 'holdfast'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatByteSize, parseByteSize, suggestByteSize } from './byte-size.ts'
import { formatDuration, suggestDuration } from './duration-text.ts'

describe('durations', () => {
  it.each([
    [70, '70s'],
    [5_000, '5000ms'],
    ['10sec', '10s'],
    ['10 s', '10s'],
    ['2 Minutes', '2m'],
    ['1m30s', '90s'],
    ['PT5S', '5s'],
    ['30', '30s'],
  ])('suggests for %j what was probably meant: %s', (value, meant) => expect(suggestDuration(value)).toBe(meant))

  it.each(['soon', '10 parsecs', '', null, -1, Number.NaN, 's'.repeat(1000)])('suggests nothing for %j', (value) =>
    expect(suggestDuration(value)).toBeUndefined(),
  )

  it('formats every whole number of milliseconds so that it reads back the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 400 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
      { seed: 71, numRuns: 300 },
    )
  })
})

describe('sizes', () => {
  it.each([
    ['1MiB', 1_048_576],
    ['512KiB', 524_288],
    ['10MB', 10_000_000],
    ['1kB', 1_000],
    ['1.5GiB', 1_610_612_736],
    ['200B', 200],
  ])('%s is %d bytes', (text, bytes) => expect(parseByteSize(text)).toBe(bytes))

  it.each(['', '1', '1mb', '1 MiB', '-1B', '1.5B', '1Mi', '9999999999GiB'])('%j is no size', (text) =>
    expect(parseByteSize(text)).toBeUndefined(),
  )

  it('suggests the proper spelling', () => {
    expect(suggestByteSize('1mb')).toBe('1MB')
    expect(suggestByteSize('4 mib')).toBe('4MiB')
    expect(suggestByteSize('much')).toBeUndefined()
  })

  it('formats every number of bytes so that it reads back the same', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseByteSize(formatByteSize(bytes))).toBe(bytes)
      }),
      { seed: 71, numRuns: 300 },
    )
  })
})
