import { rateLimiter, type Cost, type RateLimiterEvent, type RateLimiterOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

describe('a rate limiter', () => {
  it('answers whether a call is allowed, and counts it if so', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 100, window: '60s', clock })
    const answers = Array.from({ length: 150 }, () => limiter.isAllowed('user'))
    expect(answers.indexOf(false)).toBe(100)
    expect(limiter.status()).toMatchObject({ admitted: 100, refused: 50, keys: 1 })
    clock.tick('60s')
    expect(limiter.isAllowed('user')).toBe(true)
  })

  it('protects a function', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ name: 'api', limit: 1, window: '1s', clock })
    const endpoint = limiter.wrap((request: string) => `answer to ${request}`)
    expect(await endpoint('a')).toBe('answer to a')
    await expect(endpoint('b')).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED', policy: 'api', retryAfterMs: 1_000 })
  })

  it('counts a call once it is let in, however it ends', async () => {
    const limiter = rateLimiter({ limit: 3, window: '1s', clock: fakeClock() })
    await limiter.tryExecute(() => Promise.reject(new Error('failed')))
    const permit = await limiter.acquire()
    permit.success()
    permit.success()
    expect(limiter.usage()).toEqual({ requests: { limit: 3, windowMs: 1_000, used: 2, remaining: 1, learned: null } })
  })

  it('looking changes nothing', () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 2, window: '1s', clock })
    for (let look = 0; look < 10; look++) {
      limiter.usage('a')
      limiter.status()
      limiter.health()
      limiter.describe()
    }
    expect(limiter.status()).toMatchObject({ keys: 0, admitted: 0, refused: 0 })
    expect([limiter.isAllowed('a'), limiter.isAllowed('a'), limiter.isAllowed('a')]).toEqual([true, true, false])
  })

  it('without a limit only pauses', () => {
    const limiter = rateLimiter({ limit: Infinity, clock: fakeClock() })
    for (let call = 0; call < 1_000; call++) expect(limiter.isAllowed(`k${call}`, 1e9)).toBe(true)
    expect(limiter.status()).toMatchObject({ keys: 0, admitted: 1_000 })
    expect(limiter.usage('k1')).toEqual({ requests: { learned: null, limit: Infinity, windowMs: 1_000, used: 0, remaining: Infinity } })
    limiter.pause('1s')
    expect(limiter.isAllowed('k1')).toBe(false)
  })

  it('tells of refusals, with the time after which to come back', async () => {
    const clock = fakeClock({ wallMs: 42 })
    const limiter = rateLimiter({ name: 'api', limit: 1, window: '1s', clock })
    const events: RateLimiterEvent[] = []
    const end = limiter.on((event) => events.push(event))
    limiter.isAllowed('a')
    limiter.isAllowed('a')
    limiter.tryAcquire({ key: 'a' })
    limiter.isAllowed('a', 5)
    await clock.settle()
    const refused = { type: 'limiter.rejected', policy: 'api', at: 42, code: 'ERR_RATE_LIMITED', key: 'a' }
    expect(events).toEqual([
      { ...refused, retryAfterMs: 1_000 },
      { ...refused, retryAfterMs: 1_000 },
      { ...refused, retryAfterMs: null },
    ])
    end()
    limiter.isAllowed('a')
    await clock.settle()
    expect(events).toHaveLength(3)
    expect(limiter.status().refused).toBe(4)
  })
})

describe('options', () => {
  it.each<[Record<string, unknown>, string]>([
    [{}, "rate-limiter/requests: option 'limit' must be a number from 1 up (what one call uses), got undefined"],
    [{ limit: 0 }, 'got 0'],
    [{ limit: -5 }, 'got -5'],
    [{ limit: Number.NaN }, 'got NaN'],
    [{ limit: '10' }, 'got "10"'],
    [{ limit: 0.5 }, 'must be a number from 1 up (what one call uses), got 0.5'],
    [{ limit: 50, defaultCost: 100 }, 'must be a number from 100 up (what one call uses), got 50'],
    [{ limit: 0, algorithm: 'gcra', burst: 2 }, "option 'limit' must be a number above 0, got 0"],
    [{ limit: 5, window: 0 }, "rate-limiter/requests: option 'window' must be a duration such as 250 (ms)"],
    [{ limit: 5, window: '1 minute' }, 'got "1 minute"'],
    [{ limit: 5, window: Infinity }, 'got Infinity'],
    [
      { limit: 5, algorithm: 'leaky-bucket' },
      "option 'algorithm' must be one of 'sliding-window', 'gcra', 'token-bucket', got \"leaky-bucket\"",
    ],
    [{ limit: 5, burst: 10 }, "option 'burst' must be absent unless algorithm is 'gcra' or 'token-bucket', got 10"],
    [{ limit: 5, algorithm: 'gcra', burst: 0 }, "option 'burst' must be a number from 1 up, got 0"],
    [{ limit: 5, algorithm: 'gcra', burst: Infinity }, 'got Infinity'],
    [{ limit: 5, defaultCost: -1 }, "option 'defaultCost' must be a number from 0 up, got -1"],
    [{ limit: 5, maxKeys: 0 }, "rate-limiter: option 'maxKeys' must be a whole number from 1 up, got 0"],
    [{ limit: 5, maxQueued: 1.5 }, "rate-limiter: option 'maxQueued' must be a whole number from 0 up, got 1.5"],
    [{ limit: 5, maxWait: 'soon' }, "rate-limiter: option 'maxWait' must be a duration"],
    [{ limit: 5, resumeOver: -1 }, "rate-limiter: option 'resumeOver' must be a duration"],
    [{ limit: 5, keyOf: 'user' }, 'rate-limiter: option \'keyOf\' must be a function, got "user"'],
    [{ limit: 5, name: 7 }, "rate-limiter: option 'name' must be a text of 1 to 200 characters, got 7"],
    [{ maxRequests: 5 }, "rateLimiter: there is no option 'maxRequests'"],
    [{ limit: 5, windw: '1s' }, "did you mean 'window'?"],
    [{ limits: {} }, "option 'limits' must be an object with at least one limit"],
    [{ limits: null }, "option 'limits' must be an object of limits by name, got null"],
    [{ limits: { a: 5 } }, 'rate-limiter/a: options must be an object, got 5'],
    [{ limits: { a: { limit: 5, keyOf: 1 } } }, "rate-limiter/a: there is no option 'keyOf'"],
    [{ limits: { a: { limit: 5 } }, limit: 5 }, "option 'limit' must be inside 'limits', when 'limits' is given, got 5"],
  ])('refuses %o', (options, message) => {
    const make = (): unknown => rateLimiter(options as unknown as RateLimiterOptions)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    expect(make).toThrow(message)
  })

  it('refuses changes that are none, and keeps what was', () => {
    const limiter = rateLimiter({ limits: { calls: { limit: 5 }, any: { limit: Infinity } }, clock: fakeClock() })
    for (const limit of [0, -1, 0.5, Number.NaN, Infinity]) expect(() => limiter.setLimit(limit)).toThrow("option 'limit' must be")
    expect(() => limiter.setLimit(5, { name: 'any' })).toThrow('finite, or not, as it was made')
    expect(() => limiter.setLimit(5, { name: 'cals' })).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_NAME' }))
    expect(() => limiter.setLimit(7, { window: '0s' })).toThrow("option 'window'")
    expect(() => limiter.pause('soon' as never)).toThrow("option 'duration' must be a duration")
    expect(limiter.usage()).toMatchObject({ calls: { limit: 5, windowMs: 1_000 } })
  })

  it('refuses costs and keys that are none, wherever they are said', async () => {
    const limiter = rateLimiter({ limits: { requests: { limit: 5 }, tokens: { limit: 100 } }, clock: fakeClock() })
    for (const cost of [-1, Number.NaN, Infinity, '1', null, { tokens: -5 }, { tokens: '5' }] as Cost[]) {
      expect(() => limiter.isAllowed('a', cost)).toThrow(/cost/)
      expect(() => limiter.tryAcquire({ cost })).toThrow(/cost/)
      await expect(limiter.acquire({ cost })).rejects.toThrow(/cost/)
      await expect(limiter.execute(() => 1, { cost })).rejects.toThrow(/cost/)
    }
    expect(() => limiter.isAllowed('a', { token: 5 })).toThrow("there is no option 'token' (did you mean 'tokens'?)")
    expect(() => limiter.charge({ token: 5 })).toThrow("did you mean 'tokens'?")
    expect(() => limiter.charge(Number.NaN)).toThrow(/cost/)
    for (const key of [7, null, {}] as unknown as string[]) {
      expect(() => limiter.isAllowed(key)).toThrow("option 'key' must be a text")
      expect(() => limiter.charge(1, key)).toThrow("option 'key' must be a text")
      expect(() => limiter.pause('1s', key)).toThrow("option 'key' must be a text")
    }
    expect(limiter.status()).toMatchObject({ admitted: 0, keys: 0 })
  })
})
