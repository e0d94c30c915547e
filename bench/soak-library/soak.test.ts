import { seededRandom } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { soak } from './soak.ts'

it('leaves no place taken, no listener and no timer behind after 100,000 calls of every fate through every pattern', async () => {
  const clock = fakeClock()
  const checkpoints: number[] = []
  const { outcomes, leftOver, attempts } = await soak({
    calls: 100_000,
    clock,
    random: seededRandom(116),
    breathe: () => clock.advance(1),
    checkpoints: 2,
    onCheckpoint: (done) => {
      checkpoints.push(done)
      expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    },
  })
  expect(leftOver).toEqual({})
  expect(checkpoints).toEqual([50_000, 100_000])
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(100_000)
  expect(attempts).toBeGreaterThan(30_000)
  // a soak in which nothing goes wrong shows nothing
  const happened = Object.keys(outcomes)
  for (const kind of [
    'success',
    'substitute',
    'given up: ERR_TIMEOUT',
    'given up: ERR_DEADLINE_EXCEEDED',
    'failed: gave up',
    'failed: down',
  ]) {
    expect(happened).toContain(kind)
  }
  for (const code of ['CIRCUIT_OPEN', 'BULKHEAD_FULL']) expect(happened).toContain(`refused: ERR_${code}`)
})
