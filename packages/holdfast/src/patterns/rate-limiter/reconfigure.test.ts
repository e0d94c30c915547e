import { rateLimiter, type RateLimiterOptions, type RateLimiterSettings } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

function newLimiter(options: RateLimiterOptions): {
  readonly limiter: ReturnType<typeof rateLimiter>
  readonly clock: ReturnType<typeof fakeClock>
} {
  const clock = fakeClock()
  return { clock, limiter: rateLimiter({ ...options, clock, random: () => 0 }) }
}

/** How many calls fit right now. */
function fitting(limiter: ReturnType<typeof rateLimiter>, key = ''): number {
  let count = 0
  while (count < 1_000 && limiter.isAllowed(key)) count++
  return count
}

const algorithms = ['sliding-window', 'gcra'] as const

describe('reconfigure', () => {
  it.each(algorithms)('gives no second burst and forgets nothing that was used: %s', (algorithm) => {
    const { limiter } = newLimiter({ limit: 10, window: '60s', algorithm })
    expect(fitting(limiter)).toBe(10)
    limiter.reconfigure({ limit: 10, window: '60s', algorithm, maxQueued: 5 })
    expect(fitting(limiter)).toBe(0)
    limiter.reconfigure({ limit: 15, window: '60s', algorithm })
    expect(fitting(limiter)).toBe(5)
    limiter.reconfigure({ limit: 3, window: '60s', algorithm })
    expect(limiter.usage()).toMatchObject({ requests: { limit: 3, used: 15, remaining: 0 } })
    expect(fitting(limiter)).toBe(0)
  })

  it.each([
    ['sliding-window', 'gcra'],
    ['gcra', 'sliding-window'],
  ] as const)('takes what each key has used over from %s to %s', (from, to) => {
    const { limiter, clock } = newLimiter({ limit: 10, window: '10s', algorithm: from })
    for (let call = 0; call < 4; call++) limiter.isAllowed('a')
    expect(fitting(limiter, 'b')).toBe(10)
    limiter.reconfigure({ limit: 10, window: '10s', algorithm: to })
    expect([fitting(limiter, 'a'), fitting(limiter, 'b'), fitting(limiter, 'c')]).toEqual([6, 0, 10])
    clock.tick('10s')
    expect(fitting(limiter, 'b')).toBe(10)
  })

  it('changes the burst', () => {
    const { limiter } = newLimiter({ limit: 60, window: '60s', algorithm: 'gcra', burst: 5 })
    expect(fitting(limiter)).toBe(5)
    limiter.reconfigure({ limit: 60, window: '60s', algorithm: 'gcra', burst: 8 })
    expect(fitting(limiter)).toBe(3)
    limiter.reconfigure({ limit: 60, window: '60s', algorithm: 'gcra' })
    expect(fitting(limiter)).toBe(52)
  })

  it('keeps limits by name, and begins those that are new with nothing used', () => {
    const { limiter } = newLimiter({ limits: { requests: { limit: 5, window: '60s' }, tokens: { limit: 100, window: '60s' } } })
    limiter.isAllowed('', { requests: 1, tokens: 60 })
    limiter.reconfigure({ limits: { tokens: { limit: 100, window: '60s' }, calls: { limit: 2, window: '60s' } } })
    expect(limiter.usage()).toMatchObject({ tokens: { used: 60 }, calls: { used: 0 } })
    expect(limiter.isAllowed('', { tokens: 50, calls: 1 })).toBe(false)
    expect(limiter.isAllowed('', { tokens: 40, calls: 1 })).toBe(true)
    expect(() => limiter.isAllowed('', { requests: 1 })).toThrow('requests')
  })

  it('limits what was unlimited, and the other way round', () => {
    const { limiter } = newLimiter({ limit: Infinity })
    expect(fitting(limiter)).toBe(1_000)
    limiter.reconfigure({ limit: 2, window: '60s' })
    expect(fitting(limiter)).toBe(2)
    limiter.reconfigure({ limit: Infinity })
    expect(fitting(limiter)).toBe(1_000)
  })

  it('lets those who wait go by the new limit, in order', async () => {
    const { limiter, clock } = newLimiter({ limit: 1, window: '60s', maxQueued: 10 })
    const order: number[] = []
    await limiter.execute(() => 0)
    const waiting = [1, 2, 3].map((call) => limiter.execute(() => order.push(call)))
    limiter.reconfigure({ limit: 3, window: '60s', maxQueued: 10 })
    await clock.advance(1)
    expect(order).toEqual([1, 2])
    await clock.advance('60s')
    expect(order).toEqual([1, 2, 3])
    await Promise.all(waiting)
  })

  it('keeps a pause, and those who wait for its end', async () => {
    const { limiter, clock } = newLimiter({ limit: 10, window: '1s', maxQueued: 10, resumeOver: 0 })
    limiter.pause('30s')
    const waiting = limiter.execute(() => 'in')
    limiter.reconfigure({ limit: 20, window: '1s', maxQueued: 1, maxWait: '5s', resumeOver: 0 })
    expect(limiter.status()).toMatchObject({ queued: 1, pausedUntil: clock.wallNow() + 30_000 })
    await expect(limiter.execute(() => 'no room')).rejects.toMatchObject({ code: 'ERR_QUOTA_PAUSED' })
    await clock.advance('30s')
    expect(await waiting).toBe('in')
  })

  it('lets a waiter leave that came before the longest wait was changed', async () => {
    const { limiter, clock } = newLimiter({ limit: 1, window: '60s', maxQueued: 10, maxWait: '120s' })
    await limiter.execute(() => 0)
    const controller = new AbortController()
    const waiting = limiter.tryExecute(() => 1, { signal: controller.signal })
    limiter.reconfigure({ limit: 1, window: '60s', maxQueued: 10 })
    controller.abort()
    await waiting
    expect(limiter.status().queued).toBe(0)
    await clock.advance('200s')
    expect(limiter.status().refused).toBe(0)
  })

  it.each<[object, string]>([
    [{ limit: 0 }, 'limit'],
    [{ limit: 5, burst: 3 }, 'burst'],
    [{ limit: 5, maxQueued: 1.5 }, 'maxQueued'],
    [{ limit: 5, clock: fakeClock() }, "no option 'clock'"],
    [{ limits: {} }, 'limits'],
  ])('changes nothing when the settings %j are wrong', (settings, message) => {
    const { limiter } = newLimiter({ limit: 7, window: '60s' })
    limiter.isAllowed()
    const described = limiter.describe()
    expect(() => limiter.reconfigure(settings as RateLimiterSettings)).toThrow(message)
    expect(limiter.describe()).toEqual(described)
    expect(fitting(limiter)).toBe(6)
  })
})
