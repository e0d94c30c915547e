import { seededRandom } from 'holdfast'
import { expect, it } from 'vitest'

function draw(seed: number, count: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}

it('the same seed gives the same numbers, in every version of the package', () => {
  expect(draw(42, 3)).toEqual([0.12848330102860928, 0.03353364090435207, 0.07509804493747652])
  expect(draw(42, 1_000)).toEqual(draw(42, 1_000))
})

it('different seeds give different numbers', () => {
  expect(new Set(Array.from({ length: 10_000 }, (_, seed) => draw(seed, 1)[0])).size).toBeGreaterThan(9_990)
})

it('the numbers are at least 0, less than 1, and uniform', () => {
  const numbers = draw(7, 100_000)
  const buckets = Array.from({ length: 100 }, () => 0)
  for (const number of numbers) buckets[Math.floor(number * 100)]!++
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...numbers)).toBeLessThan(1)
  const chiSquared = buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
  expect(chiSquared).toBeLessThan(149) // 99 degrees of freedom, p = 0.001
})

it('two sequences do not share their state', () => {
  const [one, other] = [seededRandom(1), seededRandom(1)]
  one()
  one()
  expect(other()).toBe(draw(1, 1)[0])
})
