import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { didYouMean, editDistance } from './did-you-mean.ts'

describe('didYouMean', () => {
  it.each([
    ['failureTreshold', 'failureThreshold'],
    ['openfor', 'openFor'],
    ['open_for', 'openFor'],
    ['max-attempts', 'maxAttempts'],
    ['mxaAttempts', 'maxAttempts'],
  ])('finds the nearest word for %s', (word, meant) => {
    expect(didYouMean(word, ['openFor', 'failureThreshold', 'failureRatio', 'maxAttempts'])).toBe(meant)
  })

  it('keeps silent when no word is near', () => {
    expect(didYouMean('colour', ['openFor', 'maxAttempts'])).toBeUndefined()
    expect(didYouMean('', ['a'])).toBeUndefined()
  })

  it('prefers the first of words equally near', () => {
    expect(didYouMean('lmx', ['lma', 'lmb'])).toBe('lma')
  })
})

describe('editDistance', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })

  it('counts a swap of neighbours as one change', () => {
    expect(editDistance('lmm', 'llm')).toBe(1)
    expect(editDistance('abcd', 'abdc')).toBe(1)
    expect(editDistance('abcd', 'badc')).toBe(2)
  })

  it('is 0 exactly for equal words, symmetric, and never more than the longer word', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance === 0).toBe(a === b)
        expect(editDistance(b, a)).toBe(distance)
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
      { seed: 71, numRuns: 300 },
    )
  })
})
