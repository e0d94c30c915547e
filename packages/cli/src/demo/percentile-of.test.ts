import { expect, it } from 'vitest'
import { percentileOf } from './percentile-of.ts'

it('the nearest rank is one of the values', () => {
  expect(percentileOf([30, 10, 20], 0.5)).toBe(20)
  expect(percentileOf([30, 10, 20], 0.99)).toBe(30)
  expect(percentileOf([30, 10, 20], 0)).toBe(10)
})

it('without values there is none', () => {
  expect(percentileOf([], 0.5)).toBeNull()
})
