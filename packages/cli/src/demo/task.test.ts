import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { driveArrivals } from './drive-arrivals.ts'
import { arrivals, type Arrival, type Task } from './task.ts'

function first(count: number, seed: number, perSecond: number): Arrival[] {
  const schedule = arrivals(seed, perSecond)
  return Array.from({ length: count }, () => schedule.next().value)
}

it('the same seed gives the same tasks at the same instants, another seed others', () => {
  expect(first(50, 7, 5)).toEqual(first(50, 7, 5))
  expect(first(50, 7, 5)).not.toEqual(first(50, 8, 5))
})

it('tasks arrive at the asked rate, by chance and each under its own name', () => {
  const schedule = first(5_000, 1, 5)
  expect(schedule.at(-1)!.atMs / 5_000).toBeGreaterThan(190)
  expect(schedule.at(-1)!.atMs / 5_000).toBeLessThan(210)
  const gaps = schedule.slice(1).map(({ atMs }, index) => atMs - schedule[index]!.atMs)
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
  expect(deviation / mean).toBeGreaterThan(0.9) // exponential gaps: as wide as their mean
  expect(new Set(schedule.map(({ task }) => task.id)).size).toBe(5_000)
})

it('arrivals wait for nobody, and end when told', () => {
  const clock = fakeClock()
  const submitted: Task[] = []
  const stop = driveArrivals({ seed: 1, perSecond: 10, clock, submit: (task) => submitted.push(task) })
  clock.tick(10_000)
  expect(submitted).toEqual(
    first(200, 1, 10)
      .filter(({ atMs }) => atMs <= 10_000)
      .map(({ task }) => task),
  )
  stop()
  const before = submitted.length
  clock.tick(5_000)
  expect(submitted.length).toBe(before)
})

it('after the machine slept, the tasks of that time do not come all at once', () => {
  const clock = fakeClock()
  let count = 0
  const stop = driveArrivals({ seed: 1, perSecond: 10, clock, submit: () => count++ })
  clock.step(60_000)
  clock.tick(100)
  expect(count).toBeLessThan(10)
  clock.tick(10_000)
  expect(count).toBeGreaterThan(70)
  expect(count).toBeLessThan(130)
  stop()
})
