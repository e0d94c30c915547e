import fc from 'fast-check'
import { rateLimiter, type LimitOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { arrivals, mostInAnyInterval, type Use } from './rate-limiter.fixture.ts'

const algorithms: readonly NonNullable<LimitOptions['algorithm']>[] = ['sliding-window', 'gcra']

describe.each(algorithms)('many keys, with %s', (algorithm) => {
  it('have limits of their own, and no timer', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 2, window: '1s', algorithm, clock })
    for (let key = 0; key < 1_000; key++) {
      expect([limiter.isAllowed(`k${key}`), limiter.isAllowed(`k${key}`), limiter.isAllowed(`k${key}`)]).toEqual([true, true, false])
    }
    expect(limiter.status()).toMatchObject({ keys: 1_000, admitted: 2_000, refused: 1_000, overflowed: 0 })
    expect(clock.timers).toEqual([])
  })

  it('are forgotten once idle, without a timer: of a million keys only those of the last window are kept', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 5, window: '1s', algorithm, clock })
    let most = 0
    for (let key = 0; key < 1_000_000; key++) {
      if (key % 10 === 0) clock.tick(1)
      limiter.isAllowed(`k${key}`)
      if (key % 1_000 === 0) most = Math.max(most, limiter.status().keys)
    }
    expect(limiter.status()).toMatchObject({ admitted: 1_000_000, overflowed: 0 })
    expect(most).toBeLessThan(3 * 10_000) // ten keys each ms, remembered for a second and until the sweeper comes by
    expect(clock.timers).toEqual([])
  })

  it('beyond maxKeys share one limit: no new key can exceed it, and the known ones notice nothing', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 3, window: '1h', algorithm, maxKeys: 1_000, clock })
    for (let key = 0; key < 1_000; key++) limiter.isAllowed(`known${key}`)
    let admitted = 0
    for (let key = 0; key < 100_000; key++) if (limiter.isAllowed(`new${key}`)) admitted++
    expect(admitted).toBe(3)
    expect(limiter.status()).toMatchObject({ keys: 1_000, overflowed: 3 })
    expect(limiter.usage('new99999')).toMatchObject({ requests: { used: 3, remaining: 0 } })
    expect(limiter.tryAcquire({ key: 'new5' })).toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: expect.any(Number) })
    for (let key = 0; key < 1_000; key++) expect(limiter.isAllowed(`known${key}`)).toBe(true)
    clock.tick('2h')
    expect(limiter.isAllowed('new1')).toBe(true)
    expect(limiter.status().keys).toBeLessThanOrEqual(1_000)
  })

  it('find room where a known key has become idle, before they have to share', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 3, window: '1h', algorithm, maxKeys: 1_000, clock })
    const known = Array.from({ length: 1_000 }, (_, key) => `known${key}`)
    for (const key of known) limiter.isAllowed(key)
    clock.tick('50m')
    for (const [index, key] of known.entries()) if (index % 10 !== 0) limiter.isAllowed(key)
    clock.tick('11m')
    for (let key = 0; key < 50; key++) expect(limiter.isAllowed(`new${key}`)).toBe(true)
    expect(limiter.status()).toMatchObject({ overflowed: 0 })
  })

  it('93: none exceeds the limit, also while it moves between the shared limit and one of its own', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), (seed, maxKeys, limit) => {
        const clock = fakeClock()
        const windowMs = 100
        const limiter = rateLimiter({ limit, window: windowMs, algorithm, maxKeys, clock })
        const uses = new Map<string, Use[]>()
        for (const { gapMs, cost } of arrivals(seed, 150, 60, [1, 2, 3, 4, 5])) {
          clock.tick(gapMs)
          const key = `k${cost}` // the cost as a random name
          if (!limiter.isAllowed(key)) continue
          uses.set(key, [...(uses.get(key) ?? []), { at: clock.now(), cost: 1 }])
        }
        for (const ofKey of uses.values())
          expect(mostInAnyInterval(ofKey, windowMs)).toBeLessThanOrEqual(algorithm === 'gcra' ? 2 * limit : limit)
        expect(limiter.status().keys).toBeLessThanOrEqual(maxKeys)
      }),
      { numRuns: 400, seed: 93 },
    )
  })

  it('are told apart exactly, whatever they look like', () => {
    const limiter = rateLimiter({ limit: 1, window: '1h', algorithm, clock: fakeClock() })
    for (const key of ['', ' ', '0', '__proto__', 'constructor', '\u0000', '\u0000overflow', 'ä', 'a\u0308']) {
      expect(limiter.isAllowed(key)).toBe(true)
      expect(limiter.isAllowed(key)).toBe(false)
    }
    expect(limiter.isAllowed()).toBe(false) // no key is the empty one
  })
})

describe('whose limit a call uses', () => {
  it('is said by its key, or by keyOf', async () => {
    const clock = fakeClock()
    const byKey = rateLimiter({ limit: 1, window: '1h', clock })
    await byKey.execute(() => 1, { key: 'a' })
    expect(await byKey.tryExecute(() => 1, { key: 'a' })).toMatchObject({ refusal: { code: 'ERR_RATE_LIMITED' } })
    expect(await byKey.tryExecute(() => 1, { key: 'b' })).toMatchObject({ value: 1 })
    expect(await byKey.tryExecute(() => 1)).toMatchObject({ value: 1 })

    const byTenant = rateLimiter({ limit: 1, window: '1h', keyOf: ({ context }) => (context as { tenant: string }).tenant, clock })
    await byTenant.execute(() => 1, { context: { tenant: 'a' } })
    expect(byTenant.usage('a')).toMatchObject({ requests: { used: 1 } })
    expect(byTenant.usage('b')).toMatchObject({ requests: { used: 0 } })
  })

  it('is the common one when keyOf throws or answers nothing', async () => {
    const limiter = rateLimiter({
      limit: 2,
      window: '1h',
      keyOf: ({ context }) => (context as { tenant: string }).tenant,
      clock: fakeClock(),
    })
    await limiter.execute(() => 1)
    await limiter.execute(() => 1, { context: {} })
    expect(limiter.usage()).toMatchObject({ requests: { used: 2 } })
    expect((await limiter.tryExecute(() => 1)).refusal).toBeDefined()
  })

  it('is the same for a number and its text', async () => {
    const limiter = rateLimiter({ limit: 1, window: '1h', keyOf: ({ context }) => context as string, clock: fakeClock() })
    await limiter.execute(() => 1, { context: 7 })
    expect(limiter.isAllowed('7')).toBe(false)
  })
})
