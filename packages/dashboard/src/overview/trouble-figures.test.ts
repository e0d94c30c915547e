import type { DependencyHistory } from '@holdfast/server/wire'
import { expect, it } from 'vitest'
import { answersSince, rangeFor, troubleFigures } from './trouble-figures.ts'

function history(
  attempts: readonly (number | null)[],
  attemptFailures: readonly (number | null)[],
  refused: readonly number[] = [],
): DependencyHistory {
  return { from: 0, stepMs: 5_000, columns: { attempts, attemptFailures, refused, fallback: [] } } as unknown as DependencyHistory
}

it('failing began after the last bucket that was answered well', () => {
  expect(troubleFigures(history([10, 10, 10, 10], [0, 0, 5, 3]), 20_000, 20_000)).toEqual({ failingSince: 10_000, errorRatio: 0.4 })
})

it('the time in which an open circuit let nothing through does not end the failing that opened it', () => {
  expect(troubleFigures(history([10, 10, 0, null, 1], [0, 6, 0, null, 1]), 10_000, 25_000)).toEqual({
    failingSince: 5_000,
    errorRatio: 7 / 11,
  })
})

it('without a failure near it there is nothing to tell', () => {
  expect(troubleFigures(history([10, 10, 10], [0, 0, 0]), 15_000, 15_000)).toBe(null)
})

it('an old failure that was over is not taken for the present one', () => {
  expect(troubleFigures(history([10, 10, 10, 10, 10], [9, 0, 0, 0, 0]), 25_000, 25_000)).toBe(null)
})

it('adds up the answers since an instant, the bucket it falls into included', () => {
  expect(answersSince(history([], [], [1, 2, 4, 8]), 12_000)).toEqual({ refused: 12, fallback: 0 })
})

it('chooses the finest range that reaches back to what led to a state', () => {
  expect([30_000, 800_000, 4_000_000, 80_000_000].map(rangeFor)).toEqual(['15m', '1h', '6h', '24h'])
})
