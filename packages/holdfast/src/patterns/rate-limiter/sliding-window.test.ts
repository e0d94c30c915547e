import fc from 'fast-check'
import { rateLimiter } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { arrivals, mostInAnyInterval, sumOf, type Use } from './rate-limiter.fixture.ts'

const seeds = fc.nat(1_000_000)
const wholeCosts = [1, 1, 1, 2, 3]
const anyCosts = [0.1, 0.25, 0.5, 1, 1.5, 2, 7]

describe('a sliding window', () => {
  it('93: admits at most the limit in any interval of its length, for random arrivals, costs, limits and windows', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 5, max: 5_000 }), (seed, limit, windowMs) => {
        const clock = fakeClock({ startMs: 123_456.7 })
        const limiter = rateLimiter({ limit, window: windowMs, clock })
        const uses: Use[] = []
        for (const { gapMs, cost } of arrivals(seed, 120, windowMs, anyCosts)) {
          clock.tick(gapMs)
          if (limiter.isAllowed('a', cost)) uses.push({ at: clock.now(), cost })
        }
        expect(mostInAnyInterval(uses, windowMs - 1e-6)).toBeLessThanOrEqual(limit + 1e-6)
      }),
      { numRuns: 500, seed: 93 },
    )
  })

  it('93: of whole costs and limits up to 20 it refuses nothing that fits', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 5, max: 2_000 }), (seed, limit, windowMs) => {
        const clock = fakeClock()
        const limiter = rateLimiter({ limit, window: windowMs, clock })
        const uses: Use[] = []
        for (const { gapMs, cost } of arrivals(seed, 120, windowMs, wholeCosts)) {
          clock.tick(gapMs)
          const used = sumOf(uses.filter(({ at }) => at + windowMs > clock.now()))
          expect(limiter.usage('a')).toMatchObject({ requests: { used, remaining: limit - used } })
          const allowed = limiter.isAllowed('a', cost)
          expect(allowed).toBe(used + cost <= limit)
          if (allowed) uses.push({ at: clock.now(), cost })
        }
      }),
      { numRuns: 150, seed: 93 },
    )
  })

  it('93: of larger limits it refuses nothing that would fit into a window a twentieth longer', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 21, max: 500 }), fc.integer({ min: 20, max: 2_000 }), (seed, limit, windowMs) => {
        const clock = fakeClock()
        const limiter = rateLimiter({ limit, window: windowMs, clock })
        const uses: Use[] = []
        for (const { gapMs, cost } of arrivals(seed, 300, windowMs / 4, [1, 5, 20])) {
          clock.tick(gapMs)
          const used = sumOf(uses.filter(({ at }) => at + windowMs * 1.05 > clock.now()))
          const allowed = limiter.isAllowed('a', cost)
          if (used + cost <= limit) expect(allowed).toBe(true)
          if (allowed) uses.push({ at: clock.now(), cost })
        }
      }),
      { numRuns: 200, seed: 93 },
    )
  })

  it('94: a refused call fits after exactly retryAfterMs, and not a millisecond earlier', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 3, max: 60 }),
        fc.integer({ min: 10, max: 5_000 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (seed, limit, windowMs, startMs) => {
          const clock = fakeClock({ startMs })
          const limiter = rateLimiter({ limit, window: windowMs, clock })
          for (const { gapMs, cost } of arrivals(seed, 40, windowMs / 4, wholeCosts)) {
            clock.tick(gapMs)
            const answer = limiter.tryAcquire({ cost })
            if (!answer.refused) continue
            const wait = answer.retryAfterMs as number
            expect(wait).toBeGreaterThan(0)
            expect(wait).toBeLessThanOrEqual(windowMs + 1e-6)
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

  it('94: what costs more than the limit never fits, and says so by giving no time', () => {
    const limiter = rateLimiter({ limit: 5, window: '1s', clock: fakeClock() })
    const never = limiter.tryAcquire({ cost: 6 })
    expect(never.refused && never.retryAfterMs === undefined).toBe(true)
    expect(limiter.tryAcquire({ cost: 5 }).refused).toBe(false)
  })

  it('98: any window holds what was really used, when calls cost less than they reserved', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 5, max: 40 }), (seed, limit) => {
        const clock = fakeClock()
        const windowMs = 1_000
        const limiter = rateLimiter({ limit, window: windowMs, clock })
        const uses: { at: number; cost: number }[] = []
        const corrections: { readonly at: number; readonly use: { cost: number }; readonly surplus: number }[] = []
        for (const { gapMs, cost } of arrivals(seed, 150, 200, [1, 2, 3, 5])) {
          clock.tick(gapMs)
          for (const due of corrections.filter(({ at }) => at <= clock.now())) {
            limiter.charge(-due.surplus)
            due.use.cost -= due.surplus
            corrections.splice(corrections.indexOf(due), 1)
          }
          if (!limiter.isAllowed('', cost)) continue
          const use = { at: clock.now(), cost }
          uses.push(use)
          corrections.push({ at: clock.now() + (seed % 7) * 40, use, surplus: cost / 2 })
          expect(mostInAnyInterval(uses, windowMs)).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 200, seed: 98 },
    )
  })

  it('keeps a bounded memory of a key, however small and many its costs are', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '60s', clock })
    let admitted = 0
    for (let call = 0; call < 20_000; call++) {
      clock.tick(1)
      if (limiter.isAllowed('a', 0.001)) admitted++
    }
    expect(admitted).toBe(10_000)
    expect(limiter.usage('a')).toMatchObject({ requests: { remaining: expect.closeTo(0, 6) } })
    clock.tick(60_000 - 20_000 + 2_999) // what was used within 3 s, a twentieth of the window, is one thing to remember
    expect(limiter.usage('a')).toMatchObject({ requests: { used: expect.closeTo(10, 6) } })
    clock.tick(3)
    expect(limiter.usage('a')).toMatchObject({ requests: { used: expect.closeTo(7, 2) } })
  })
})
