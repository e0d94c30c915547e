import { rateLimiter, type LimitOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

const algorithms: readonly NonNullable<LimitOptions['algorithm']>[] = ['sliding-window', 'gcra']

describe.each(algorithms)('a clock that misbehaves, with %s', (algorithm) => {
  const limited = (clock: ReturnType<typeof fakeClock>) => {
    const limiter = rateLimiter({ limit: 10, window: '1s', algorithm, clock })
    return {
      limiter,
      /** How many of 100 calls are let in now. */
      burst: () => Array.from({ length: 100 }, () => limiter.isAllowed()).filter(Boolean).length,
    }
  }

  it('96: gives no burst for a step back, and blocks nobody for it', () => {
    for (const stepMs of [-1, -500, -5_000, -3_600_000]) {
      const clock = fakeClock({ startMs: 1e7 })
      const { burst } = limited(clock)
      expect(burst()).toBe(10)
      clock.step(stepMs)
      expect(burst()).toBe(0)
      clock.tick(1_000)
      expect(burst()).toBe(10)
      clock.tick(999)
      expect(burst()).toBe(algorithm === 'gcra' ? 9 : 0)
    }
  })

  it('96: gives at most one burst for a step forward, however long', () => {
    for (const stepMs of [5_000, 3_600_000, 1e12]) {
      const clock = fakeClock()
      const { burst } = limited(clock)
      expect(burst()).toBe(10)
      clock.step(stepMs)
      expect(burst()).toBe(10)
      expect(burst()).toBe(0)
    }
  })

  it('96: a clock that swings to and fro frees no more than the time that really passed', () => {
    const clock = fakeClock({ startMs: 1e6 })
    const { burst } = limited(clock)
    let admitted = burst()
    for (let swing = 0; swing < 1_000; swing++) {
      clock.step(-1)
      admitted += burst()
      clock.step(1)
      admitted += burst()
    }
    expect(admitted).toBeLessThanOrEqual(10 + 10) // a step forward may be real: 1,000 of 1 ms are one window
  })

  it('7: takes no notice of the wall clock', () => {
    const clock = fakeClock()
    const { limiter, burst } = limited(clock)
    expect(burst()).toBe(10)
    clock.stepWall(3_600_000)
    expect(burst()).toBe(0)
    clock.stepWall(-7_200_000)
    clock.tick('1s')
    expect(burst()).toBe(10)
    limiter.pause('10s')
    expect(limiter.status().pausedUntil).toBe(clock.wallNow() + 10_000)
  })
})

it('keeps limits over windows longer than a timer can be set for', async () => {
  const clock = fakeClock()
  const limiter = rateLimiter({ limit: 1, window: '90d', maxQueued: 1, clock })
  expect(limiter.isAllowed()).toBe(true)
  const turn = limiter.acquire()
  await clock.advance('89d')
  expect(limiter.status().queued).toBe(1)
  await clock.advance('1d')
  expect(await turn).toMatchObject({ refused: false })
})
