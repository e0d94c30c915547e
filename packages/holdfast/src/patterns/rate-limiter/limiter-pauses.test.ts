import { rateLimiter, type RateLimiterEvent } from 'holdfast'
import { fakeClock, seededRandom, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

/** How many of these instants lie in each tenth of the second after `from`, and how many later. */
function tenths(instants: readonly number[], from: number): number[] {
  const counts = Array.from({ length: 11 }, () => 0)
  for (const at of instants) counts[Math.min(10, Math.floor((at - from) / 100))]!++
  return counts
}

/** Moves on in steps of a millisecond, as timers do. */
async function creep(clock: FakeClock, ms: number): Promise<void> {
  for (let step = 0; step < ms; step++) await clock.advance(1)
}

describe('a pause', () => {
  it('99: stops all callers of the quota at once, whichever of them heard the 429', async () => {
    const clock = fakeClock({ wallMs: 1_000_000 })
    const quota = rateLimiter({ name: 'llm', limit: 100, window: '60s', clock, random: () => 0 })
    expect(quota.isAllowed('a')).toBe(true)
    quota.pause('30s')
    for (const key of ['a', 'b', undefined]) {
      expect(quota.isAllowed(key)).toBe(false)
      expect(await quota.tryExecute(() => 1, { key })).toMatchObject({
        refusal: { code: 'ERR_QUOTA_PAUSED', policy: 'llm', retryAfterMs: 30_000 },
      })
    }
    expect(quota.status()).toMatchObject({ pausedUntil: 1_030_000 })
    expect(quota.health()).toEqual({ status: 'warn', reason: "quota 'llm' is paused for another 30 s" })
    await clock.advance('29999ms')
    expect(quota.isAllowed('a')).toBe(false)
    await clock.advance('1ms')
    expect(quota.isAllowed('a')).toBe(true)
    expect(quota.health()).toEqual({ status: 'pass' })
    expect(quota.status().pausedUntil).toBeNull()
  })

  it('99: those who wait come back one after another, evenly over resumeOver, in order', async () => {
    for (const waiting of [10, 100, 3_000]) {
      const clock = fakeClock()
      const quota = rateLimiter({ limit: Infinity, maxQueued: 5_000, resumeOver: '1s', clock })
      quota.pause('10s')
      const turns: { readonly index: number; readonly at: number }[] = []
      const answers = Array.from({ length: waiting }, (_, index) => quota.execute(() => turns.push({ index, at: clock.now() })))
      await clock.advance('9999ms')
      expect(turns).toEqual([])
      await creep(clock, 1_100)
      await Promise.all(answers)
      expect(turns.map(({ index }) => index)).toEqual(Array.from({ length: waiting }, (_, index) => index))
      const counts = tenths(
        turns.map(({ at }) => at),
        10_000,
      )
      for (const count of counts.slice(0, 10)) {
        expect(count).toBeGreaterThanOrEqual(waiting * 0.08)
        expect(count).toBeLessThanOrEqual(waiting * 0.12 + 1)
      }
      expect(counts[10]).toBeLessThanOrEqual(waiting * 0.02)
    }
  })

  it('99: the waiting calls of many keys come back spread as well, and do not all wake for each turn', async () => {
    const clock = fakeClock()
    let reads = 0
    const counting = { now: () => (reads++, clock.now()), wallNow: () => clock.wallNow(), setTimer: clock.setTimer.bind(clock) }
    const quota = rateLimiter({ limit: Infinity, maxQueued: 2_000, resumeOver: '1s', clock: counting, random: seededRandom(99) })
    quota.pause('10s')
    const turns: number[] = []
    const answers = Array.from({ length: 1_000 }, (_, key) => quota.execute(() => turns.push(clock.now()), { key: `k${key}` }))
    await clock.advance('9999ms')
    expect(turns).toEqual([])
    reads = 0
    await creep(clock, 1_200)
    await Promise.all(answers)
    const counts = tenths(turns, 10_000)
    for (const count of counts) expect(count).toBeLessThanOrEqual(200)
    expect(reads).toBeLessThan(60_000) // were all to wake for each turn, it would be a million
  })

  it('99: those who were refused are told to come back spread over the resumption', () => {
    const quota = rateLimiter({ limit: Infinity, resumeOver: '1s', clock: fakeClock(), random: seededRandom(99) })
    quota.pause('10s')
    const instants = Array.from({ length: 1_000 }, () => {
      const answer = quota.tryAcquire()
      return answer.refused ? (answer.retryAfterMs as number) : Number.NaN
    })
    for (const count of tenths(instants, 10_000).slice(0, 10)) expect(count).toBeGreaterThan(60)
    expect(Math.min(...instants)).toBeGreaterThanOrEqual(10_000)
    expect(Math.max(...instants)).toBeLessThan(11_000)
  })

  it('99: new callers do not rush in at the first moment, when there is a limit to pace them by', async () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 100, window: '10s', resumeOver: '1s', clock })
    quota.pause('5s')
    await clock.advance('5s')
    let admitted = 0
    for (let ms = 0; ms < 1_000; ms++) {
      if (quota.isAllowed()) admitted++
      if (quota.isAllowed()) admitted++
      clock.tick(1)
    }
    expect(admitted).toBe(10) // the limit's own rate for a second, not a burst of 100
    for (let call = 0; call < 200; call++) if (quota.isAllowed()) admitted++
    expect(admitted).toBe(100)
  })

  it('99: many keys are paced by the limits of all of them together', async () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 10, window: '10s', resumeOver: '1s', clock })
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`)
    for (const key of keys) quota.isAllowed(key)
    quota.pause('5s')
    await clock.advance('5s')
    let admitted = 0
    for (let ms = 0; ms < 1_000; ms++) {
      for (const key of keys) if (quota.isAllowed(key)) admitted++
      clock.tick(1)
    }
    expect(admitted).toBe(50) // one each, as fifty limits of one a second allow
  })

  it('the longest wins, and a shorter one is no event', async () => {
    const clock = fakeClock({ wallMs: 0 })
    const quota = rateLimiter({ name: 'llm', limit: 10, window: '1s', clock, random: () => 0 })
    const events: RateLimiterEvent[] = []
    quota.on((event) => events.push(event))
    quota.pause('10s')
    quota.pause('5s')
    quota.pause('0s')
    quota.pause('20s')
    quota.pause('15s', 'a')
    await clock.settle()
    expect(events).toEqual([
      { type: 'limiter.paused', policy: 'llm', at: 0, key: null, forMs: 10_000 },
      { type: 'limiter.paused', policy: 'llm', at: 0, key: null, forMs: 20_000 },
    ])
    expect(quota.tryAcquire()).toMatchObject({ retryAfterMs: 20_000 })
  })

  it('can be of one key alone, and does not hide one of all keys', async () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 10, window: '1s', clock, random: () => 0 })
    quota.pause('60s', '')
    quota.pause('60s', 'a')
    expect([quota.isAllowed(''), quota.isAllowed('a'), quota.isAllowed('b')]).toEqual([false, false, true])
    quota.pause('30s')
    expect(quota.isAllowed('b')).toBe(false)
    await clock.advance('30s')
    expect([quota.isAllowed(''), quota.isAllowed('a'), quota.isAllowed('b')]).toEqual([false, false, true])
    await clock.advance('30s')
    expect([quota.isAllowed(''), quota.isAllowed('a')]).toEqual([true, true])
  })

  it('ends early with resume, for all or for one, and those who wait go on', async () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 10, window: '1s', maxQueued: 10, clock })
    quota.pause('1h')
    quota.pause('1h', 'a')
    const waiting = quota.execute(() => 'b', { key: 'b' })
    quota.resume('a')
    expect(quota.isAllowed('a')).toBe(false)
    quota.resume()
    await clock.advance('1ms')
    expect(await waiting).toBe('b')
    expect(quota.isAllowed('a')).toBe(true)
    quota.pause('1h', 'a')
    quota.resume('a')
    expect(quota.isAllowed('a')).toBe(true)
  })

  it('counts waits that reach beyond maxWait or the deadline as refusals, since nobody can be let in before its end', async () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 10, window: '1s', maxQueued: 10, maxWait: '5s', clock, random: () => 0 })
    quota.pause('10s')
    expect(await quota.tryExecute(() => 1)).toMatchObject({ refusal: { code: 'ERR_QUOTA_PAUSED', retryAfterMs: 10_000 } })
    await clock.advance('6s')
    expect(await quota.tryExecute(() => 1, { deadline: '3s' })).toMatchObject({ refusal: { code: 'ERR_QUOTA_PAUSED' } })
    const waiting = quota.execute(() => 'in')
    await clock.advance('4s')
    expect(await waiting).toBe('in')
  })

  it('of more keys than can be told apart pauses all', () => {
    const clock = fakeClock()
    const quota = rateLimiter({ limit: 10, window: '1s', maxKeys: 2, clock })
    for (const key of ['a', 'b', 'c']) quota.pause('10s', key)
    expect(quota.isAllowed('d')).toBe(false)
    clock.tick('12s')
    quota.pause('10s', 'c')
    expect([quota.isAllowed('c'), quota.isAllowed('d')]).toEqual([false, true])
  })
})
