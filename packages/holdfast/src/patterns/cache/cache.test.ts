import {
  bulkhead,
  cache,
  circuitBreaker,
  pipeline,
  retry,
  timeout,
  type Cache,
  type CacheEvent,
  type CacheOptions,
  type StaleNotice,
} from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { fetches } from './cache.fixture.ts'

const key = { key: 'prices' }

describe('a cache', () => {
  it('answers what is fresh without asking, and asks again after that', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', clock })
    const load = vi.fn(async () => load.mock.calls.length)
    expect(await prices.execute(load, key)).toBe(1)
    await clock.advance(59_999)
    expect(await prices.execute(load, key)).toBe(1)
    await clock.advance(1)
    expect(await prices.execute(load, key)).toBe(2)
    expect(prices.status()).toMatchObject({ entries: 1, hits: 1, misses: 2, fetching: 0 })
  })

  it('tells keys apart, and leaves calls without a key alone', async () => {
    const prices = cache({ ttl: '1m' })
    const load = vi.fn(async () => load.mock.calls.length)
    expect(await prices.execute(load, { key: 'a' })).toBe(1)
    expect(await prices.execute(load, { key: 'b' })).toBe(2)
    expect(await prices.execute(load)).toBe(3)
    expect(await prices.execute(load)).toBe(4)
    expect(prices.status()).toMatchObject({ entries: 2, misses: 2 })
  })

  it('keeps no failure, and no value that must not be kept', async () => {
    const prices = cache({ ttl: '1m', isCacheable: (value) => value !== null })
    await expect(prices.execute(() => Promise.reject(new Error('no')), key)).rejects.toThrow('no')
    expect(await prices.execute(() => null, key)).toBeNull()
    expect(prices.peek('prices')).toBeUndefined()
    expect(await prices.execute(() => undefined, key)).toBeUndefined()
    expect(prices.peek('prices')).toMatchObject({ value: undefined, fresh: true })
  })

  it('keeps so many values, and lets go of the one that was used longest ago', async () => {
    const prices = cache({ ttl: '1m', maxEntries: 2 })
    for (const each of ['a', 'b', 'a', 'c']) await prices.execute(() => each, { key: each })
    expect(['a', 'b', 'c'].map((each) => prices.peek(each)?.value)).toEqual(['a', undefined, 'c'])
    expect(prices.status()).toMatchObject({ entries: 2, evicted: 1 })
    for (let count = 0; count < 1_000; count++) await prices.execute(() => count, { key: `k${count}` })
    expect(prices.status().entries).toBe(2)
  })

  it('knows the age of a value by a clock that nobody sets', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: 100, staleIfError: 100, clock })
    await prices.execute(() => 1, key)
    await clock.advance(150)
    expect(prices.peek('prices')).toEqual({ value: 1, ageMs: 150, fresh: false })
    await clock.advance(50)
    expect(prices.peek('prices')).toBeUndefined()
  })

  it('forgets what is invalidated, also what is being fetched', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', clock })
    const load = fetches()
    const before = prices.execute(load.run, key)
    expect(prices.invalidate('prices')).toBe(false)
    const after = prices.execute(load.run, key)
    load.finish(1, 'old')
    expect(await before).toBe('old')
    expect(prices.peek('prices')).toBeUndefined()
    load.finish(2, 'new')
    expect(await after).toBe('new')
    expect(prices.peek('prices')?.value).toBe('new')
    prices.clear()
    expect(prices.status()).toMatchObject({ entries: 0 })
  })

  it('a function of the user’s that throws is told, and counts as no', async () => {
    const fail = (): never => {
      throw new Error('broken')
    }
    const events: CacheEvent[] = []
    const prices = cache({ ttl: '1m', keyOf: fail, clock: fakeClock() })
    prices.on((event) => events.push(event))
    expect(await prices.execute(() => 1)).toBe(1)
    const other = cache({ ttl: '1m', isCacheable: fail })
    other.on((event) => events.push(event))
    expect(await other.execute(() => 2, key)).toBe(2)
    await Promise.resolve()
    expect(events).toMatchObject([
      { type: 'cache.callback-failed', callback: 'keyOf' },
      { type: 'cache.callback-failed', callback: 'isCacheable' },
    ])
  })

  it('a key that is no text is none, and is told: it would be shared by callers who ask for different things', async () => {
    const events: CacheEvent[] = []
    const prices = cache({ ttl: '1m', keyOf: ({ context }) => context as string })
    prices.on((event) => events.push(event))
    for (const context of [null, 7, {}, undefined]) {
      const load = vi.fn(async () => 1)
      await prices.execute(load, { context })
      await prices.execute(load, { context })
      expect(load).toHaveBeenCalledTimes(2)
    }
    await Promise.resolve()
    expect(events).toHaveLength(6)
    expect(events[0]).toMatchObject({
      type: 'cache.callback-failed',
      error: { message: 'keyOf must answer with a text or undefined, got null' },
    })
    expect(prices.status()).toMatchObject({ entries: 0, misses: 0 })
    expect(await prices.execute(() => 'empty', { context: '' })).toBe('empty')
    expect(prices.peek('')?.value).toBe('empty')
  })

  it('takes other settings; values stay as old as they are', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1h', clock })
    await prices.execute(() => 1, key)
    await clock.advance('10m')
    prices.reconfigure({ ttl: '5m', maxEntries: 10 })
    expect(prices.describe()).toEqual({ kind: 'cache', name: 'cache', ttlMs: 300_000, coalesce: true, maxEntries: 10 })
    expect(await prices.execute(() => 2, key)).toBe(2)
  })

  it.each<[string, object, string]>([
    ['no ttl', {}, "option 'ttl' must be a duration"],
    ['no room', { ttl: 1, maxEntries: 0 }, "option 'maxEntries' must be a whole number from 1"],
    ['a wrong time', { ttl: '5', staleIfError: 1 }, "option 'ttl' must be a duration"],
    ['a misspelt option', { ttl: 1, staleIfErr: 1 }, "did you mean 'staleIfError'?"],
  ])('is not made with %s', (_what, options, message) => {
    expect(() => cache(options as CacheOptions)).toThrow(message)
  })
})

describe('old values', () => {
  it('are answered when no new one can be had, with their age', async () => {
    const clock = fakeClock({ wallMs: 3 })
    const prices = cache({ ttl: '1m', staleIfError: '10m', clock })
    const events: CacheEvent[] = []
    prices.on((event) => events.push(event))
    await prices.execute(() => 'old', key)
    await clock.advance('5m')
    const error = new Error('down')
    expect(await prices.execute(() => Promise.reject(error), key)).toBe('old')
    await clock.advance('6m')
    await expect(prices.execute(() => Promise.reject(error), key)).rejects.toBe(error)
    expect(events).toEqual([{ type: 'cache.stale-served', policy: 'cache', at: 300_003, key: 'prices', ageMs: 300_000, error }])
    expect(prices.status()).toMatchObject({ staleServed: 1 })
  })

  it('are answered when an open circuit refuses, and not for failures that are to be seen', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const prices = cache({ ttl: 1, staleIfError: '1h', staleOn: (error) => (error as Error).message !== 'not found', clock })
    const guarded = pipeline({ clock }, prices, breaker)
    await guarded.execute(() => 'old', key)
    await clock.advance(10)
    breaker.isolate()
    expect(await guarded.execute(() => 'new', key)).toBe('old')
    breaker.close()
    await expect(guarded.execute(() => Promise.reject(new Error('not found')), key)).rejects.toThrow('not found')
  })

  it('are answered at once while one new value is fetched for all', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', staleWhileRevalidate: '10m', clock })
    await prices.execute(() => 'old', key)
    await clock.advance('2m')
    const load = fetches()
    expect(await Promise.all([1, 2, 3].map(() => prices.execute(load.run, key)))).toEqual(['old', 'old', 'old'])
    expect(load.calls).toHaveLength(1)
    load.finish(1, 'new')
    await clock.advance(0)
    expect(await prices.execute(load.run, key)).toBe('new')
  })

  it('can be told to the very caller who gets them', async () => {
    const clock = fakeClock()
    const error = new Error('down')
    const onStale = vi.fn(({ context, ageMs }: StaleNotice) => {
      ;(context as { ageMs?: number }).ageMs = ageMs
    })
    const prices = cache({ ttl: '1m', staleWhileRevalidate: '1m', staleIfError: '1h', onStale, clock })
    const ask = async (work: () => unknown): Promise<object> => {
      const context = {}
      await prices.execute(work, { ...key, context })
      return context
    }
    expect(await ask(() => 'old')).toEqual({})
    await clock.advance('90s')
    expect(await ask(() => Promise.reject(error))).toEqual({ ageMs: 90_000 })
    await clock.advance('90s')
    expect(await ask(() => Promise.reject(error))).toEqual({ ageMs: 180_000 })
    expect(onStale.mock.calls.map(([{ key: asked, error: why }]) => [asked, why])).toEqual([
      ['prices', undefined],
      ['prices', error],
    ])
    onStale.mockImplementation(() => {
      throw new Error('broken')
    })
    expect(await prices.execute(() => Promise.reject(error), key)).toBe('old')
  })

  it('that cannot be refreshed stay, and it is told', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', staleWhileRevalidate: '10m', clock })
    const events: CacheEvent[] = []
    prices.on((event) => events.push(event))
    await prices.execute(() => 'old', key)
    await clock.advance('2m')
    expect(await prices.execute(() => Promise.reject(new Error('down')), key)).toBe('old')
    await clock.advance(0)
    expect(events.map(({ type }) => type)).toEqual(['cache.stale-served', 'cache.refresh-failed'])
    expect(await prices.execute(() => 'new', key)).toBe('old')
    await clock.advance(0)
    expect(await prices.execute(() => 'newer', key)).toBe('new')
  })

  it('65: a new value that must not be kept, and that nobody waits for, is disposed of', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', staleWhileRevalidate: '10m', isCacheable: (value) => value === 'old', clock })
    await prices.execute<unknown>(() => 'old', key)
    await clock.advance('2m')
    const cancel = vi.fn()
    expect(await prices.execute<unknown>(() => ({ body: { cancel } }), key)).toBe('old')
    expect(cancel).toHaveBeenCalledTimes(1)
    expect(await prices.execute<unknown>(() => ({ body: { cancel } }), { key: 'other' })).toMatchObject({ body: {} })
    expect(cancel).toHaveBeenCalledTimes(1) // somebody waited for this one
  })

  it('are refreshed although the caller who was answered leaves', async () => {
    const clock = fakeClock()
    const prices = cache({ ttl: '1m', staleWhileRevalidate: '10m', clock })
    await prices.execute(() => 'old', key)
    await clock.advance('2m')
    const load = fetches()
    const caller = new AbortController()
    expect(await prices.execute(load.run, { ...key, signal: caller.signal })).toBe('old')
    caller.abort()
    expect(load.calls[0]?.signal.aborted).toBe(false)
    load.finish(1, 'new')
    await clock.advance(0)
    expect(prices.peek('prices')?.value).toBe('new')
  })
})

describe('callers who ask for the same at the same time', () => {
  it('wait for one answer', async () => {
    const prices = cache({ ttl: 0 })
    const load = fetches()
    const answers = [1, 2, 3].map(() => prices.execute(load.run, key))
    const other = prices.execute(load.run, { key: 'other' })
    expect(load.calls).toHaveLength(2)
    load.finish(1, 'shared')
    load.finish(2, 'other')
    expect(await Promise.all([...answers, other])).toEqual(['shared', 'shared', 'shared', 'other'])
    expect(prices.status()).toMatchObject({ misses: 2, coalesced: 2, fetching: 0 })
  })

  it('all hear of a failure; the next one asks anew', async () => {
    const prices = cache({ ttl: '1m' })
    const load = fetches()
    const error = new Error('down')
    const answers = [prices.tryExecute(load.run, key), prices.tryExecute(load.run, key)]
    load.fail(1, error)
    expect(await Promise.all(answers)).toEqual([
      { ok: false, error },
      { ok: false, error },
    ])
    const next = prices.execute(load.run, key)
    load.finish(2, 'fine')
    expect(await next).toBe('fine')
  })

  it('the one who asked first may leave: the others still get their answer, and its places stay taken until then', async () => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 5 })
    const guarded = pipeline({ clock }, places, cache({ ttl: '1m', clock }))
    const load = fetches()
    const leader = new AbortController()
    const first = guarded.tryExecute(load.run, { ...key, signal: leader.signal })
    const second = guarded.execute(load.run, key)
    leader.abort(new Error('left'))
    expect(await first).toMatchObject({ ok: false, error: { message: 'left' } })
    expect(load.calls[0]?.signal.aborted).toBe(false)
    expect(places.status().running).toBe(2)
    load.finish(1, 'shared')
    expect(await second).toBe('shared')
    await clock.advance(0)
    expect(places.status().running).toBe(0)
  })

  it('when the last one leaves, the work is cancelled, and holds its place until it has ended', async () => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 5 })
    const prices = cache({ ttl: '1m', clock })
    const guarded = pipeline({ clock }, places, prices)
    const load = fetches()
    const answers = [50, 100].map((deadline) => guarded.tryExecute(load.run, { ...key, deadline }))
    const { signal } = load.calls[0] as { signal: AbortSignal }
    await clock.advance(50)
    expect(signal.aborted).toBe(false)
    await clock.advance(50)
    expect(signal.aborted).toBe(true)
    expect(await Promise.all(answers)).toMatchObject([
      { error: { code: 'ERR_DEADLINE_EXCEEDED' } },
      { error: { code: 'ERR_DEADLINE_EXCEEDED' } },
    ])
    expect([places.status().running, prices.status().fetching]).toEqual([1, 0])
    const next = guarded.execute(load.run, key)
    load.finish(1, 'late')
    load.finish(2, 'new')
    expect(await next).toBe('new')
    await clock.advance(0)
    expect(places.status().running).toBe(0)
  })

  it('66: what must not be sent twice is not repeated by a retry around the cache, for whoever waited', async () => {
    const clock = fakeClock()
    const guarded = pipeline(
      { clock },
      retry({ initialDelay: 0, retryOn: () => true, clock }),
      timeout({ after: 50, clock }),
      cache({ ttl: 0, clock }),
    )
    let runs = 0
    let fail: ((error: unknown) => void) | undefined
    const ask = (): Promise<unknown> =>
      guarded.tryExecute((call) => {
        runs++
        call.doNotRetry()
        return new Promise((_resolve, reject) => (fail = reject))
      }, key)
    const failed = [ask(), ask()]
    fail?.(new Error('sent half of it'))
    await clock.advance('1m')
    expect(await Promise.all(failed)).toMatchObject([{ error: { message: 'sent half of it' } }, { error: { message: 'sent half of it' } }])
    expect(runs).toBe(1)
    const late = [ask(), ask()]
    await clock.advance('1m')
    expect(await Promise.all(late)).toMatchObject([{ error: { code: 'ERR_TIMEOUT' } }, { error: { code: 'ERR_TIMEOUT' } }])
    expect(runs).toBe(2)
  })

  it('do not wait for one another when that is not wanted', async () => {
    const prices = cache({ ttl: '1m', coalesce: false })
    const load = fetches()
    const answers = [prices.execute(load.run, key), prices.execute(load.run, key)]
    expect(load.calls).toHaveLength(2)
    load.finish(1, 'first')
    load.finish(2, 'second')
    expect(await Promise.all(answers)).toEqual(['first', 'second'])
  })

  it('and who fetch apart keep nothing that was invalidated meanwhile', async () => {
    for (const forget of [(prices: Cache) => prices.invalidate('prices'), (prices: Cache) => prices.clear()]) {
      const prices = cache({ ttl: '1m', coalesce: false })
      const load = fetches()
      const answers = [prices.execute(load.run, key), prices.execute(load.run, key)]
      forget(prices)
      for (const run of [1, 2]) load.finish(run, 'outdated')
      expect(await Promise.all(answers)).toEqual(['outdated', 'outdated'])
      expect(prices.peek('prices')).toBeUndefined()
    }
  })
})
