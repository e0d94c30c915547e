import { getEventListeners } from 'node:events'
import { bulkhead, circuitBreaker, fallback, pipeline, retry, timeout, type Call } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { deferred, transientError, type Deferred } from './deferred.fixture.ts'
import { hedge } from './hedge.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

/** Attempts that are settled by hand. */
class Attempts {
  readonly calls: Call[] = []
  readonly signals: AbortSignal[] = []
  readonly works: Deferred<string>[] = []
  readonly run = (call: Call): Promise<string> => {
    this.calls.push(call)
    this.signals.push(call.signal)
    const work = deferred<string>()
    this.works.push(work)
    return work.promise
  }
}

describe('P6: a hedge', () => {
  it('inside no gate: the fast second answer wins, the first is cancelled, and its late failure is nobody’s', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const outcome = hedge(100, clock).execute(attempts.run)
    await clock.advance(100)
    expect(attempts.calls.map(({ attempt }) => attempt)).toEqual([1, 2])
    attempts.works[1]?.resolve('second')
    expect(await outcome).toBe('second')
    expect(attempts.signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(attempts.signals[0]?.reason).toMatchObject({ name: 'AbortError' })
    attempts.works[0]?.reject(new Error('late'))
    await clock.settle()
    expect(clock.timers).toEqual([])
  })

  it('gates inside see a success and an ignored call; gates outside one success, and its place until the loser has ended', async () => {
    for (const between of [[], [timeout({ after: '1h', clock: fakeClock() })], [retry()]]) {
      const clock = fakeClock()
      const attempts = new Attempts()
      const [outerBreaker, innerBreaker] = [circuitBreaker({ clock }), circuitBreaker({ clock })]
      const [outerPlaces, innerPlaces] = [bulkhead({ maxConcurrent: 5, clock }), bulkhead({ maxConcurrent: 5, clock })]
      const outcome = pipeline(outerBreaker, outerPlaces, ...between, hedge(100, clock), innerBreaker, ...between, innerPlaces).execute(
        attempts.run,
      )
      await clock.advance(100)
      expect([outerPlaces.status().running, innerPlaces.status().running]).toEqual([1, 2])
      attempts.works[1]?.resolve('second')
      expect(await outcome).toBe('second')
      expect(innerBreaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 1 })
      expect(outerBreaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 0 })
      expect([outerPlaces.status().running, innerPlaces.status().running]).toEqual([1, 1])
      attempts.works[0]?.resolve('late')
      await clock.settle()
      expect([outerPlaces.status().running, innerPlaces.status().running]).toEqual([0, 0])
      expect(innerBreaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 1 })
    }
  })

  it('fails with the last failure when all fail, and starts no second attempt after a first answer', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const both = hedge(100, clock).tryExecute(attempts.run)
    await clock.advance(100)
    attempts.works[0]?.reject(new Error('first'))
    attempts.works[1]?.reject(new Error('second'))
    expect(await both).toMatchObject({ ok: false, error: { message: 'second' } })

    const once = hedge(100, clock).execute(attempts.run)
    attempts.works[2]?.resolve('fast')
    expect(await once).toBe('fast')
    await clock.advance('1s')
    expect(attempts.calls).toHaveLength(3)
    expect(clock.timers).toEqual([])
  })

  it('under a timeout gives both attempts up, which are failures then', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const breaker = circuitBreaker({ clock })
    const places = bulkhead({ maxConcurrent: 5, clock })
    const outcome = pipeline(timeout({ after: '1s', clock }), hedge(100, clock), breaker, places).tryExecute(attempts.run)
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(attempts.signals.every(({ aborted }) => aborted)).toBe(true)
    expect(breaker.status()).toMatchObject({ failureTotal: 2 })
    for (const { resolve } of attempts.works) resolve('late')
    await clock.settle()
    expect(places.status()).toMatchObject({ running: 0, succeeded: 0 })
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('whose caller leaves cancels both, and leaves no listener', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const caller = new AbortController()
    const breaker = circuitBreaker({ clock })
    const outcome = pipeline(hedge(100, clock), breaker).tryExecute(attempts.run, { signal: caller.signal })
    await clock.advance(100)
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    expect(attempts.signals.map(({ reason }) => reason as unknown)).toEqual(['left', 'left'])
    expect(breaker.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 2 })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    expect(clock.timers).toEqual([])
  })

  it('a winner that streams is judged at the end of its body; the loser’s body is nobody’s', async () => {
    const clock = fakeClock()
    const bodies = [deferred(), deferred()] as const
    const heads = [deferred<string>(), deferred<string>()] as const
    const [outer, inner] = [circuitBreaker({ clock }), circuitBreaker({ clock })]
    const outcome = pipeline(outer, hedge(100, clock), inner).execute((call) => {
      const index = (call.attempt - 1) as 0 | 1
      call.until(bodies[index].promise)
      return heads[index].promise
    })
    await clock.advance(100)
    heads[1].resolve('second')
    expect(await outcome).toBe('second')
    bodies[0].reject(new Error('cancelled'))
    heads[0].reject(new Error('cancelled'))
    await clock.settle()
    expect(outer.status()).toMatchObject({ successTotal: 0, failureTotal: 0 })
    bodies[1].resolve()
    await clock.settle()
    expect(outer.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 0 })
    expect(inner.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 1 })
  })
})

describe('P7: fallback(retry(timeout))', () => {
  it('gives every attempt its own signal; a late result of attempt 1 reaches nobody while attempt 2 runs', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const limit = timeout({ after: '1s', clock })
    const again = retry({ maxAttempts: 3, initialDelay: '1s', jitter: 'none', clock })
    const outcome = pipeline(fallback('stale'), again, limit).execute(attempts.run)
    await clock.advance('2s')
    expect(new Set(attempts.signals).size).toBe(2)
    expect(attempts.signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(limit.status()).toMatchObject({ timeouts: 1, abandoned: 1 })
    attempts.works[0]?.resolve('late')
    await clock.settle()
    expect(limit.status().abandoned).toBe(0)
    attempts.works[1]?.resolve('in time')
    expect(await outcome).toBe('in time')
    expect(limit.status()).toMatchObject({ timeouts: 1, abandoned: 0 })
    expect(again.status()).toMatchObject({ waiting: 0, totalRetries: 1, successfulRetries: 1 })
  })

  it('answers with the fallback after the last attempt; late results of all of them take no counter below zero', async () => {
    const clock = fakeClock()
    const attempts = new Attempts()
    const limit = timeout({ after: '1s', clock })
    const [outside, inside] = [bulkhead({ maxConcurrent: 1, clock }), bulkhead({ maxConcurrent: 3, clock })]
    const outcome = pipeline(outside, fallback('stale'), retry({ maxAttempts: 3, clock }), limit, inside).execute(attempts.run)
    await clock.advance('1m')
    expect(await outcome).toBe('stale')
    expect([outside.status().running, inside.status().running, limit.status().abandoned]).toEqual([1, 3, 3])
    for (const [index, { resolve, reject }] of attempts.works.entries()) {
      if (index === 1) reject(transientError('late'))
      else resolve('late')
      await clock.settle()
      expect([outside.status().running, inside.status().running, limit.status().abandoned]).toEqual([
        index === 2 ? 0 : 1,
        2 - index,
        2 - index,
      ])
    }
    expect(attempts.calls).toHaveLength(3)
  })
})
