import { pipeline, rateLimiter, timeout } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'

describe('waiting for a turn', () => {
  it('lets calls in when they fit, in the order in which they came', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '1s', maxQueued: 10, clock })
    const turns: string[] = []
    const answers = ['a', 'b', 'c'].map((name) => limiter.execute(() => turns.push(`${name} ${clock.now()}`)))
    await clock.advance('5s')
    await Promise.all(answers)
    expect(turns).toEqual(['a 0', 'b 1000', 'c 2000'])
    expect(limiter.status()).toMatchObject({ queued: 0, admitted: 3, refused: 0 })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('lets nobody overtake who costs more, and no key wait for another', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 4, window: '1s', maxQueued: 10, clock })
    const turns: string[] = []
    const ask = (name: string, key: string, cost: number): Promise<unknown> =>
      limiter.execute(() => turns.push(`${name} ${clock.now()}`), { key, cost })
    const answers = [ask('a1', 'a', 3), ask('a2', 'a', 4), ask('a3', 'a', 1), ask('b1', 'b', 1)]
    expect(limiter.isAllowed('a')).toBe(false) // it would fit, but a2 was first
    expect(limiter.tryAcquire({ key: 'a' })).toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: 1_000 })
    await clock.advance('10s')
    await Promise.all(answers)
    expect(turns).toEqual(['a1 0', 'b1 0', 'a2 1000', 'a3 2000'])
  })

  it('refuses at once beyond maxQueued, which all keys share, and without a queue', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ name: 'api', limit: 1, window: '1s', maxQueued: 2, clock })
    const waiting = ['a', 'b', 'c'].flatMap((key) => (limiter.isAllowed(key) ? [limiter.tryExecute(() => key, { key })] : []))
    expect(await waiting[2]).toMatchObject({ refusal: { code: 'ERR_RATE_LIMITED', policy: 'api', retryAfterMs: 1_000 } })
    await clock.advance('1s')
    expect(await Promise.all(waiting.slice(0, 2))).toMatchObject([{ value: 'a' }, { value: 'b' }])
    const without = rateLimiter({ limit: 1, window: '1s', clock })
    await without.execute(() => 1)
    await expect(without.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: 1_000 })
  })

  it('refuses at once who could not be let in within maxWait or the deadline', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '10s', maxQueued: 10, maxWait: '5s', clock })
    await limiter.execute(() => 1)
    expect(await limiter.tryExecute(() => 1)).toMatchObject({ refusal: { code: 'ERR_RATE_LIMIT_WAIT', retryAfterMs: 10_000 } })
    await clock.advance('6s')
    expect(await limiter.tryExecute(() => 1, { deadline: '3s' })).toMatchObject({
      refusal: { code: 'ERR_RATE_LIMIT_WAIT', retryAfterMs: 4_000 },
    })
    const inTime = limiter.tryExecute(() => 'in', { deadline: '4500ms' })
    await clock.advance('4s')
    expect(await inTime).toMatchObject({ value: 'in' })
  })

  it('turns away after maxWait who waits behind others', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '3s', maxQueued: 10, maxWait: '5s', clock })
    const outcomes = [0, 1, 2].map((index) => limiter.tryExecute(() => index))
    await clock.advance('4999ms')
    expect(limiter.status().queued).toBe(1)
    await clock.advance('1ms')
    expect(await Promise.all(outcomes)).toMatchObject([
      { value: 0 },
      { value: 1 },
      { refusal: { code: 'ERR_RATE_LIMIT_WAIT', retryAfterMs: 1_000 } },
    ])
    expect(limiter.status()).toMatchObject({ queued: 0, admitted: 2, refused: 1 })
  })

  it("leaves the queue with the caller's abort, deadline or timeout, and uses nothing", async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '10s', maxQueued: 10, clock })
    await limiter.execute(() => 1)
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const aborted = limiter.tryExecute(() => 1, { signal: controller.signal })
    const next = limiter.execute(() => clock.now())
    const outOfTime = [
      pipeline(timeout({ after: '15s', clock }), limiter).tryExecute(() => 1),
      limiter.tryExecute(() => 1, { deadline: '15s' }),
      limiter.acquire({ deadline: '15s' }).catch((error: unknown) => ({ error })),
    ]
    const last = limiter.execute(() => clock.now())
    controller.abort(new Error('gone'))
    expect(await aborted).toMatchObject({ error: { message: 'gone' } })
    expect(listeners.removed).toBe(listeners.added)
    await clock.advance('15s')
    expect(await next).toBe(10_000)
    expect((await Promise.all(outOfTime)).map((outcome) => Reflect.get(Reflect.get(outcome, 'error') as object, 'code'))).toEqual([
      'ERR_TIMEOUT',
      'ERR_DEADLINE_EXCEEDED',
      'ERR_DEADLINE_EXCEEDED',
    ])
    expect(limiter.status()).toMatchObject({ queued: 1, admitted: 2 })
    await clock.advance('5s')
    expect(await last).toBe(20_000)
  })

  it('refuses a waiting call once the limit has become smaller than its cost, and lets those behind it move up', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 10, window: '1s', maxQueued: 10, clock })
    await limiter.execute(() => 1, { cost: 10 })
    const large = limiter.tryExecute(() => 1, { cost: 8 })
    const small = limiter.tryExecute(() => 'small', { cost: 2 })
    limiter.setLimit(5)
    const { refusal } = await large
    expect([refusal?.code, refusal?.retryAfterMs]).toEqual(['ERR_RATE_LIMITED', undefined])
    await clock.advance('1s')
    expect(await small).toMatchObject({ value: 'small' })
  })

  it('95: a wait that was given up has used nothing; an admitted call has, whatever becomes of it', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 2, window: '1s', maxQueued: 5, clock })
    const permit = await limiter.acquire()
    permit.ignore()
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 } })
    await limiter.execute(() => 1)
    const controller = new AbortController()
    const waiting = limiter.tryExecute(() => 1, { signal: controller.signal })
    controller.abort()
    await waiting
    await clock.advance('1s')
    expect(limiter.usage()).toMatchObject({ requests: { used: 0 } })
  })

  it('114: disposing turns waiters and later calls away and leaves no timer that keeps the process', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '1h', maxQueued: 10, maxWait: '2h', clock })
    await limiter.execute(() => 1)
    const outcomes = ['', '', 'x'].map((key) => limiter.tryExecute(() => 1, { key }))
    const aside = limiter.tryExecute(() => 1, { key: 'x' })
    limiter.dispose()
    expect(await Promise.all(outcomes)).toMatchObject([
      { refusal: { code: 'ERR_DISPOSED' } },
      { refusal: { code: 'ERR_DISPOSED' } },
      { value: 1 },
    ])
    expect(await aside).toMatchObject({ refusal: { code: 'ERR_DISPOSED' } })
    expect(limiter.isAllowed('new')).toBe(false)
    await expect(limiter.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    expect(limiter.health().status).toBe('fail')
    expect(limiter.status().queued).toBe(0)
  })

  it('lets 20,000 waiters in, in order, when there is room for all', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 20_000, window: '1s', maxQueued: 20_000, clock })
    await limiter.execute(() => 1, { cost: 20_000 })
    const order: number[] = []
    const answers = Array.from({ length: 20_000 }, (_, index) => limiter.execute(() => order.push(index)))
    await clock.advance('1s')
    await Promise.all(answers)
    expect(order).toHaveLength(20_000)
    expect(order.every((place, index) => place === index)).toBe(true)
  })
})
