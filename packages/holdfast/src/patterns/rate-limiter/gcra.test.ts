import fc from 'fast-check'
import { rateLimiter } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { arrivals, type Use } from './rate-limiter.fixture.ts'

const seeds = fc.nat(1_000_000)

describe('gcra', () => {
  it('93: admits at most burst + rate · P in any interval of any length P, for random arrivals, costs, bursts and limits', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 5, max: 5_000 }),
        fc.integer({ min: 1, max: 30 }),
        (seed, limit, windowMs, burst) => {
          const clock = fakeClock({ startMs: 123_456.7 })
          const limiter = rateLimiter({ limit, window: windowMs, algorithm: 'gcra', burst, clock })
          const uses: Use[] = []
          for (const { gapMs, cost } of arrivals(seed, 100, windowMs, [0.25, 0.5, 1, 1.5, 2, 7])) {
            clock.tick(gapMs)
            if (limiter.isAllowed('a', cost)) uses.push({ at: clock.now(), cost })
          }
          expect(mostBeyondRate(uses, limit / windowMs)).toBeLessThanOrEqual(burst + 1e-6)
        },
      ),
      { numRuns: 500, seed: 93 },
    )
  })

  it('93: a debt and a long idle time do not add up to more than one burst', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 5, window: '1s', algorithm: 'gcra', clock })
    for (let call = 0; call < 5; call++) expect(limiter.isAllowed()).toBe(true)
    limiter.charge(1)
    clock.tick('20s')
    expect(countAllowed(() => limiter.isAllowed(), 100)).toBe(5)
  })

  it('94: admits the burst exactly, then one call per interval', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (limit, windowMs, startMs) => {
          const clock = fakeClock({ startMs })
          const limiter = rateLimiter({ limit, window: windowMs, algorithm: 'gcra', clock })
          expect(countAllowed(() => limiter.isAllowed(), limit + 5)).toBe(limit)
          for (let interval = 0; interval < 5; interval++) {
            clock.tick(windowMs / limit)
            expect(countAllowed(() => limiter.isAllowed(), 2)).toBe(1)
          }
        },
      ),
      { numRuns: 300, seed: 94 },
    )
  })

  it('94: a refused call of any cost fits after exactly retryAfterMs, and not a millisecond earlier', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 7, max: 60 }),
        fc.integer({ min: 200, max: 50_000 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (seed, limit, windowMs, startMs) => {
          const clock = fakeClock({ startMs })
          const limiter = rateLimiter({ limit, window: windowMs, algorithm: 'gcra', clock })
          for (const { gapMs, cost } of arrivals(seed, 40, windowMs / 10, [1, 2.5, 7])) {
            clock.tick(gapMs)
            const answer = limiter.tryAcquire({ cost })
            if (!answer.refused) continue
            const wait = answer.retryAfterMs as number
            if (wait > 1) {
              clock.tick(wait - 1)
              expect(limiter.tryAcquire({ cost }).refused).toBe(true)
              clock.tick(1)
            } else clock.tick(wait)
            expect(limiter.tryAcquire({ cost }).refused).toBe(false)
          }
        },
      ),
      { numRuns: 300, seed: 94 },
    )
  })

  it('94: a cost is taken as a whole or not at all', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '1s', algorithm: 'gcra', clock })
    expect(limiter.isAllowed('a', 8)).toBe(true)
    expect(limiter.isAllowed('a', 5)).toBe(false)
    expect(limiter.isAllowed('a', 2)).toBe(true)
    expect(limiter.tryAcquire({ key: 'a', cost: 10 })).toMatchObject({ retryAfterMs: 1_000 })
    const never = limiter.tryAcquire({ key: 'a', cost: 11 })
    expect(never.refused && never.retryAfterMs === undefined).toBe(true)
  })

  it('97: what was regained before the limit changed, was regained at the old rate', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '1s', algorithm: 'gcra', clock })
    for (let call = 0; call < 6; call++) limiter.isAllowed('a')
    clock.tick('500ms')
    limiter.setLimit(2, { window: '10s' })
    expect(limiter.usage('a')).toMatchObject({ requests: { used: 1, remaining: 1 } })
    clock.tick('2500ms')
    expect(limiter.usage('a')).toMatchObject({ requests: { used: 0.5 } })
  })

  it('gives back no more than was used', () => {
    const limiter = rateLimiter({ limit: 10, window: '1s', algorithm: 'gcra', clock: fakeClock() })
    limiter.isAllowed('a')
    limiter.charge(-100, 'a')
    expect(countAllowed(() => limiter.isAllowed('a'), 50)).toBe(10)
  })

  it('takes a burst that differs from the limit, also below one call per window', () => {
    const clock = fakeClock()
    const slow = rateLimiter({ limit: 0.5, window: '1s', algorithm: 'gcra', burst: 1, clock })
    expect(slow.isAllowed()).toBe(true)
    expect(slow.tryAcquire()).toMatchObject({ retryAfterMs: 2_000 })
    const bursty = rateLimiter({ limit: 1, window: '1s', algorithm: 'gcra', burst: 20, clock })
    expect(countAllowed(() => bursty.isAllowed(), 50)).toBe(20)
    expect(bursty.usage()).toMatchObject({ requests: { limit: 1, used: 20, remaining: 0 } })
    clock.tick('5s')
    expect(bursty.usage()).toMatchObject({ requests: { limit: 1, used: 15, remaining: 5 } })
  })
})

/** The most that any interval admitted beyond what the rate makes of its length. */
function mostBeyondRate(uses: readonly Use[], unitsPerMs: number): number {
  let most = 0
  for (const [index, first] of uses.entries()) {
    let sum = 0
    for (const { at, cost } of uses.slice(index)) {
      sum += cost
      most = Math.max(most, sum - (at - first.at) * unitsPerMs)
    }
  }
  return most
}

function countAllowed(ask: () => boolean, times: number): number {
  let allowed = 0
  for (let time = 0; time < times; time++) if (ask()) allowed++
  return allowed
}
