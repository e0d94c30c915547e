import { rateLimiter, type LimitOptions, type RateLimiter, type RateLimiterOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

const algorithms: readonly NonNullable<LimitOptions['algorithm']>[] = ['sliding-window', 'gcra']

function countAllowed(limiter: RateLimiter, key?: string): number {
  let allowed = 0
  while (limiter.isAllowed(key) && allowed < 1_000) allowed++
  return allowed
}

describe.each(algorithms)('changing a limit of %s at run time', (algorithm) => {
  it('97: keeps what was used', () => {
    for (const [limit, left] of [
      [20, 14],
      [8, 2],
      [6, 0],
      [3, 0],
    ] as const) {
      const limiter = rateLimiter({ limit: 10, window: '1s', algorithm, clock: fakeClock() })
      for (let call = 0; call < 6; call++) expect(limiter.isAllowed('a')).toBe(true)
      limiter.setLimit(limit)
      expect(limiter.usage('a')).toMatchObject({ requests: { limit, used: 6, remaining: Math.max(0, limit - 6) } })
      expect(countAllowed(limiter, 'a')).toBe(left)
      expect(countAllowed(limiter, 'fresh')).toBe(limit)
    }
  })

  it('97: takes effect at once for those who wait', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '1h', algorithm, maxQueued: 5, clock })
    await limiter.execute(() => 1)
    const waiting = [limiter.execute(() => clock.now()), limiter.execute(() => clock.now())]
    await clock.advance('1s')
    limiter.setLimit(2)
    await clock.advance('1ms')
    expect(await waiting[0]).toBe(1_000)
    limiter.setLimit(2, { window: '10s' })
    await clock.advance('10s')
    expect(await waiting[1]).toBeLessThanOrEqual(11_001)
  })

  it('97: is described', () => {
    const limiter = rateLimiter({
      limits: { calls: { limit: 5, window: '1s', algorithm }, tokens: { limit: 100, window: '60s' } },
      clock: fakeClock(),
    })
    limiter.setLimit(50, { name: 'tokens', window: '30s' })
    expect(limiter.describe()).toEqual({
      kind: 'rate-limiter',
      name: 'rate-limiter',
      limits: { calls: { limit: 5, windowMs: 1_000, algorithm }, tokens: { limit: 50, windowMs: 30_000, algorithm: 'sliding-window' } },
      maxQueued: 0,
      maxKeys: 100_000,
      resumeOverMs: 1_000,
    })
    expect(limiter.status().limits).toEqual({ calls: { limit: 5, windowMs: 1_000 }, tokens: { limit: 50, windowMs: 30_000 } })
  })
})

describe('several named limits', () => {
  const llm = (more: Partial<RateLimiterOptions> = {}): { clock: ReturnType<typeof fakeClock>; quota: RateLimiter } => {
    const clock = fakeClock()
    const limits = { requests: { limit: 3, window: '60s' }, tokens: { limit: 1_000, window: '60s', defaultCost: 100 } } as const
    return { clock, quota: rateLimiter({ limits, clock, ...more }) }
  }

  it('98: are used together or not at all', () => {
    const { clock, quota } = llm()
    expect(quota.isAllowed('', { tokens: 600 })).toBe(true)
    expect(quota.isAllowed('', { tokens: 600 })).toBe(false)
    expect(quota.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 600, remaining: 400 } })
    expect(quota.isAllowed('', { requests: 2, tokens: 300 })).toBe(true)
    expect(quota.isAllowed('', { tokens: 1 })).toBe(false)
    expect(quota.usage()).toMatchObject({ requests: { used: 3, remaining: 0 }, tokens: { used: 900 } })
    clock.tick('60s')
    expect(quota.isAllowed('', { tokens: 1_000 })).toBe(true)
  })

  it('98: a refusal waits for the slowest of them', () => {
    const { clock, quota } = llm()
    quota.isAllowed('', { tokens: 800 })
    clock.tick('10s')
    for (let call = 0; call < 2; call++) quota.isAllowed('', { tokens: 10 })
    clock.tick('10s')
    expect(quota.tryAcquire({ cost: { tokens: 100 } })).toMatchObject({ retryAfterMs: 40_000 })
    expect(quota.tryAcquire({ cost: { tokens: 990 } })).toMatchObject({ retryAfterMs: 50_000 })
  })

  it('98: a number is the cost of the first; the others take their default', () => {
    const { quota } = llm()
    quota.isAllowed('', 2)
    quota.isAllowed('')
    expect(quota.usage()).toMatchObject({ requests: { used: 3 }, tokens: { used: 200 } })
  })

  it('98: what a call really used is put right afterwards, up or down', async () => {
    const { clock, quota } = llm({ maxQueued: 5 })
    await quota.execute(() => 1, { cost: { tokens: 900 } })
    const waiting = quota.execute(() => clock.now(), { cost: { tokens: 500 } })
    quota.charge({ tokens: -500 })
    await clock.advance('1ms')
    expect(await waiting).toBe(0)
    quota.charge({ tokens: 2_000 })
    expect(quota.usage()).toMatchObject({ requests: { used: 2 }, tokens: { used: 2_900, remaining: 0 } })
    expect(quota.tryAcquire({ cost: { tokens: 1 } }).refused).toBe(true)
    quota.charge(-1)
    expect(quota.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 2_900 } })
  })

  it('98: nothing is given back that was not used', () => {
    const { quota } = llm({ maxKeys: 1 })
    quota.charge({ tokens: -500 }, 'stranger')
    expect(quota.status().keys).toBe(0)
    quota.isAllowed('a', { tokens: 100 })
    quota.charge({ tokens: -500 }, 'a')
    expect(quota.usage('a')).toMatchObject({ tokens: { used: 0, remaining: 1_000 } })
    quota.isAllowed('shares', { tokens: 900 })
    quota.charge({ tokens: -900 }, 'shares too')
    expect(quota.usage('shares')).toMatchObject({ tokens: { used: 900 } })
  })

  it('a cost of 0 needs no room', () => {
    const { quota } = llm()
    quota.isAllowed('', { requests: 3, tokens: 0 })
    expect(quota.isAllowed('', { requests: 0, tokens: 1_000 })).toBe(true)
    expect(quota.isAllowed('', { requests: 0, tokens: 0 })).toBe(true)
    expect(quota.isAllowed('')).toBe(false)
  })
})
