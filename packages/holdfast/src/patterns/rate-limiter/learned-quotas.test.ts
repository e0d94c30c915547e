import fc from 'fast-check'
import { rateLimiter, type RateLimiter, type RateLimiterEvent, type RateLimiterOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

const github = (remaining: number, resetSeconds: number, limit = 100): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(resetSeconds),
})
const openai = (remaining: number, reset: string, limit = 60): Record<string, string> => ({
  'x-ratelimit-limit-requests': String(limit),
  'x-ratelimit-remaining-requests': String(remaining),
  'x-ratelimit-reset-requests': reset,
})

function limited(more: Partial<RateLimiterOptions> = {}): { clock: FakeClock; limiter: RateLimiter } {
  const clock = fakeClock({ wallMs: 1_000_000 })
  return { clock, limiter: rateLimiter({ limit: 1_000, window: '60s', clock, random: () => 0, ...more }) }
}

function allowed(limiter: RateLimiter, most = 2_000): number {
  let count = 0
  while (count < most && limiter.isAllowed()) count++
  return count
}

describe('a limiter that learns', () => {
  it('65: admits no more than the server has left, until its reset, and forgets it then', () => {
    const { clock, limiter } = limited({ limit: Infinity })
    limiter.learnFrom(github(90, 30))
    expect(limiter.usage()).toMatchObject({ requests: { remaining: 90, learned: { limit: 100, remaining: 90, resetAt: 1_030_000 } } })
    expect(limiter.status().learned).toEqual({ requests: { limit: 100, remaining: 90, resetAt: 1_030_000 } })
    const atOnce = allowed(limiter)
    expect(atOnce).toBe(71) // the last fifth is spread over the time that is left
    let later = 0
    for (let ms = 0; ms < 30_000; ms += 100) {
      clock.tick(100)
      if (limiter.isAllowed()) later++
    }
    expect(atOnce + later).toBeLessThanOrEqual(91)
    expect(atOnce + later).toBeGreaterThanOrEqual(88)
    clock.tick('2s')
    expect(limiter.usage()).toMatchObject({ requests: { learned: null } })
    expect(limiter.status().learned).toEqual({})
    expect(allowed(limiter, 500)).toBe(500)
  })

  it('65: never more than its own limits allow', () => {
    const { limiter } = limited({ limit: 5 })
    limiter.learnFrom(github(1_000_000, 30, 1_000_000))
    expect(allowed(limiter)).toBe(5)
  })

  it('65: goes by the refilling of a quota that refills', () => {
    const { clock, limiter } = limited()
    limiter.learnFrom(openai(10, '50s'))
    expect(allowed(limiter)).toBe(10)
    expect(limiter.tryAcquire()).toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: 1_000 })
    clock.tick('5s')
    expect(allowed(limiter)).toBe(5)
  })

  it('65: what was sent since the request is not in its answer, and answers that overtake one another bring nothing back', () => {
    const { limiter } = limited()
    const sent = Array.from({ length: 50 }, () => {
      limiter.isAllowed()
      return limiter.markSent()
    })
    for (const [index, mark] of sent.entries()) {
      limiter.learnFrom(github(99 - index, 60), { sent: mark })
      expect(limiter.usage().requests?.remaining).toBe(50)
    }
    limiter.learnFrom(github(99, 60), { sent: sent[0]! })
    expect(limiter.usage().requests?.remaining).toBe(50)
    limiter.learnFrom(github(80, 60))
    expect(limiter.usage().requests?.remaining).toBe(50)
    limiter.learnFrom(github(20, 60)) // others use the quota too
    expect(limiter.usage().requests?.remaining).toBe(20)
  })

  it('98: each limit by its own name, and a call has to fit all', () => {
    const limits = { requests: { limit: 100, window: '60s' }, tokens: { limit: 10_000, window: '60s' } } as const
    const limiter = rateLimiter({ limits, clock: fakeClock() })
    limiter.learnFrom({
      ...openai(50, '10s'),
      'x-ratelimit-limit-tokens': '5000',
      'x-ratelimit-remaining-tokens': '300',
      'x-ratelimit-reset-tokens': '47s',
    })
    expect(limiter.isAllowed('', { tokens: 301 })).toBe(false)
    expect(limiter.usage()).toMatchObject({ requests: { remaining: 50, used: 0 }, tokens: { remaining: 300, used: 0 } })
    expect(limiter.isAllowed('', { tokens: 300 })).toBe(true)
    expect(limiter.usage()).toMatchObject({ requests: { remaining: 49 }, tokens: { remaining: 0 } })
  })

  it('99: a window that is used up pauses its key, and callers come back one after another', async () => {
    const { clock, limiter } = limited({ limit: Infinity, maxQueued: 10, resumeOver: '1s' })
    const events: RateLimiterEvent[] = []
    limiter.on((event) => events.push(event))
    limiter.learnFrom(github(0, 30))
    expect(limiter.tryAcquire()).toMatchObject({ code: 'ERR_QUOTA_PAUSED' })
    expect(limiter.isAllowed('another key')).toBe(true)
    const times: number[] = []
    const calls = Array.from({ length: 5 }, () => limiter.execute(() => void times.push(clock.now())))
    await clock.advance('40s')
    await Promise.all(calls)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(30_000)
    expect(new Set(times).size).toBe(5)
    expect(events[0]).toMatchObject({ type: 'limiter.paused', forMs: 30_000 })
  })

  it('99: 429 with Retry-After pauses all callers of the key', () => {
    const { clock, limiter } = limited()
    limiter.learnFrom(new Response(null, { status: 429, headers: { 'retry-after': '2' } }), { key: 'a' })
    expect(limiter.isAllowed('a')).toBe(false)
    expect(limiter.isAllowed('b')).toBe(true)
    clock.tick('3s')
    expect(limiter.isAllowed('a')).toBe(true)
  })

  it('believes nothing for longer than maxPause, and nothing that has passed', () => {
    const { clock, limiter } = limited({ maxPause: '10s' })
    limiter.learnFrom({ ...github(0, 86_400_000), 'retry-after': '86400000' })
    clock.tick('12s')
    expect(limiter.isAllowed()).toBe(true)
    limiter.learnFrom(github(0, 0))
    expect(limiter.isAllowed()).toBe(true)
  })

  it('contradictions count for the lower figure', () => {
    const { limiter } = limited()
    limiter.learnFrom(github(500, 30, 100))
    expect(limiter.usage().requests).toMatchObject({ remaining: 100 })
    limiter.learnFrom(github(-7, 30, 100))
    expect(limiter.usage().requests).toMatchObject({ remaining: 0 })
  })

  it('wakes those who wait when the news is good', async () => {
    const { clock, limiter } = limited({ maxQueued: 1 })
    limiter.learnFrom(openai(0, '60s', 1))
    const waiting = limiter.execute(() => clock.now())
    await clock.advance('5s')
    limiter.learnFrom(openai(1, '0s', 1))
    await clock.advance('1ms')
    expect(await waiting).toBe(5_000)
  })

  it('remembers no more keys than it may, and forgets those that are over', () => {
    const { clock, limiter } = limited({ maxKeys: 10 })
    for (let key = 0; key < 1_000; key++) limiter.learnFrom(github(5, 1), { key: `k${key}` })
    expect(limiter.usage('k999').requests?.learned).toBe(null)
    clock.tick('2s')
    for (let key = 0; key < 20; key++) limiter.learnFrom(github(5, 1), { key: `late${key}` })
    expect(limiter.usage('late5').requests?.learned).toMatchObject({ remaining: 5 })
  })

  it('65: whatever servers say, nobody is stuck, and nothing goes below zero', async () => {
    const headers = fc.oneof(
      fc.tuple(fc.integer({ min: -5, max: 200 }), fc.integer({ min: 0, max: 100 })).map(([left, reset]) => github(left, reset)),
      fc.tuple(fc.integer({ min: -5, max: 200 }), fc.integer({ min: 0, max: 100 })).map(([left, reset]) => openai(left, `${reset}s`)),
      fc.constant({ 'retry-after': '5' }),
    )
    const step = fc.oneof(
      headers.map((learn) => ({ learn, tick: 0, ask: 0 })),
      fc.integer({ min: 1, max: 20_000 }).map((tick) => ({ learn: undefined, tick, ask: 0 })),
      fc.integer({ min: 1, max: 20 }).map((ask) => ({ learn: undefined, tick: 0, ask })),
    )
    const check = async (steps: readonly { learn: Record<string, string> | undefined; tick: number; ask: number }[]): Promise<void> => {
      const { clock, limiter } = limited({ maxQueued: 1_000, resumeOver: 100 })
      const calls: Promise<{ readonly error?: unknown }>[] = []
      for (const { learn, tick, ask } of steps) {
        if (learn !== undefined) limiter.learnFrom(learn)
        if (tick > 0) await clock.advance(tick)
        for (let call = 0; call < ask; call++) calls.push(limiter.tryExecute(() => 1))
        expect(limiter.usage().requests?.remaining).toBeGreaterThanOrEqual(0)
      }
      await clock.advance('10m')
      for (const outcome of await Promise.all(calls)) expect(outcome.error).toBeUndefined()
      expect(limiter.status().queued).toBe(0)
      expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    }
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20, size: 'max' }), check), { numRuns: 300, seed: 65 })
  })
})
