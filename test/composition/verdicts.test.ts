import {
  bulkhead,
  circuitBreaker,
  fallback,
  HoldfastError,
  isRefusal,
  pipeline,
  rateLimiter,
  retry,
  timeout,
  type PolicyLike,
} from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { deferred, failing, hang } from './deferred.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

describe('P1: three failed attempts', () => {
  it.each<[number, string, (breaker: PolicyLike, again: PolicyLike, other: PolicyLike) => PolicyLike[]]>([
    [3, 'retry directly outside the breaker', (breaker, again) => [again, breaker]],
    [3, 'retry further outside', (breaker, again, other) => [again, other, breaker]],
    [3, 'retry outside, a timeout inside', (breaker, again, other) => [again, breaker, other]],
    [1, 'retry directly inside the breaker', (breaker, again) => [breaker, again]],
    [1, 'retry further inside', (breaker, again, other) => [breaker, other, again]],
    [1, 'retry inside, a timeout innermost', (breaker, again, other) => [breaker, again, other]],
  ])('count %i: %s', async (failures, _order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureThreshold: 10, clock })
    const outcome = pipeline(...order(breaker, retry({ maxAttempts: 3, clock }), timeout({ after: '1m', clock }))).tryExecute(failing)
    await clock.advance('10s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ECONNRESET' } })
    expect(breaker.status()).toMatchObject({ failures, failureTotal: failures, successTotal: 0 })
  })
})

describe('P10: tryExecute on a refusal', () => {
  const base: unknown = Object.getPrototypeOf(HoldfastError)
  afterEach(() => void Object.setPrototypeOf(HoldfastError, base as object))

  it.each<[string, (full: PolicyLike) => PolicyLike[]]>([
    ['alone', (full) => [full]],
    ['inside a timeout', (full) => [timeout('1m'), full]],
    ['inside a retry', (full) => [retry(), full]],
    ['inside other gates', (full) => [circuitBreaker(), bulkhead({ maxConcurrent: 5 }), full]],
    ['inside all of them', (full) => [timeout('1m'), retry(), circuitBreaker(), full, timeout('1m')]],
  ])('answers plain data and makes no error: %s', async (_order, order) => {
    let made = 0
    class CountedError extends Error {
      constructor(...init: ConstructorParameters<typeof Error>) {
        super(...init)
        made++
      }
    }
    const open = circuitBreaker({ name: 'open' })
    const full = bulkhead({ name: 'full', maxConcurrent: 1 })
    const used = rateLimiter({ name: 'used', limit: 1, window: '1h' })
    open.forceOpen('1m')
    full.tryAcquire()
    used.tryAcquire()
    Object.setPrototypeOf(HoldfastError, CountedError)
    for (const gate of [open, full, used]) {
      const outcome = await pipeline(...order(gate)).tryExecute(() => 'value')
      expect(outcome.ok).toBe(false)
      expect(isRefusal(outcome.refusal)).toBe(true)
      expect(outcome.refusal).toMatchObject({ refused: true, policy: gate.name })
      expect('error' in outcome).toBe(false)
    }
    expect(made).toBe(0)
    await expect(pipeline(...order(open)).execute(() => 'value')).rejects.toThrow(/open/)
    expect(made).toBe(1) // it would have been noticed
  })

  it('a refusal that a fallback does not answer is still one: gates outside ignore it', async () => {
    const open = circuitBreaker({ name: 'open' })
    open.forceOpen('1m')
    const declines = [
      fallback({ value: 'x', when: () => false }),
      fallback((error) => Promise.reject(error)),
      fallback((error): never => {
        throw error
      }),
    ]
    for (const decline of declines) {
      const outer = circuitBreaker({ consecutiveFailures: 1 })
      expect(await pipeline(outer, decline, open).tryExecute(() => 'value')).toMatchObject({
        ok: false,
        refusal: { code: 'ERR_CIRCUIT_OPEN', policy: 'open' },
      })
      expect(outer.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 1 })
    }
  })
})

describe('P8: a hung half-open probe', () => {
  it.each<[string, (breaker: PolicyLike, other: { again: PolicyLike; places: PolicyLike }) => PolicyLike[]]>([
    ['breaker alone', (breaker) => [breaker]],
    ['outside a bulkhead', (breaker, { places }) => [breaker, places]],
    ['inside a bulkhead and a retry', (breaker, { again, places }) => [again, places, breaker]],
    ['inside a fallback, outside a retry', (breaker, { again }) => [fallback({ value: 'x', when: () => false }), breaker, again]],
  ])('its permit expires, the breaker reopens, is probed again and closes: %s', async (_order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: '10s', successThreshold: 1, probeTimeout: '20s', clock })
    const guarded = pipeline(
      ...order(breaker, {
        again: retry({ maxAttempts: 1, clock }),
        places: bulkhead({ maxConcurrent: 5, clock }),
      }),
    )
    await guarded.tryExecute(failing)
    expect(breaker.state).toBe('open')
    await clock.advance('10s')

    const hung = deferred<string>()
    const probe = guarded.tryExecute(() => hung.promise)
    expect(breaker.state).toBe('half-open')
    expect(await guarded.tryExecute(() => 'value')).toMatchObject({ refusal: { code: 'ERR_CIRCUIT_OPEN' } })

    await clock.advance('20s')
    expect(await guarded.tryExecute(() => 'value')).toMatchObject({ refusal: { code: 'ERR_CIRCUIT_OPEN' } })
    expect(breaker.state).toBe('open')
    await clock.advance('1m') // longer than any open time that grows
    expect(await guarded.tryExecute(() => 'value')).toEqual({ ok: true, value: 'value' })
    expect(breaker.state).toBe('closed')

    hung.reject(new Error('late'))
    expect(await probe).toMatchObject({ ok: false, error: { message: 'late' } })
    expect(breaker.state).toBe('closed')
    expect(breaker.status().probes).toBeNull()
  })
})

describe('110: the order of composition decides', () => {
  it('fallback(retry(breaker(timeout(bulkhead(fn))))): timeouts open the breaker, its refusal is not repeated but answered', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ consecutiveFailures: 2, openFor: '1m', clock })
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    const again = retry({ maxAttempts: 5, initialDelay: '1s', jitter: 'none', clock })
    const limit = timeout({ after: '100ms', clock })
    const run = vi.fn(hang)
    const outcome = pipeline(fallback('stale'), again, breaker, limit, places).execute(run)
    await clock.advance('1h')
    expect(await outcome).toBe('stale')
    // attempt 1 hangs in the only place; attempt 2 times out in the queue, as a failure of the breaker outside; attempt 3 is refused
    expect(run).toHaveBeenCalledTimes(1)
    expect(breaker.status()).toMatchObject({ failureTotal: 2, refusedTotal: 1 })
    expect(again.status()).toMatchObject({ totalRetries: 2, failedRetries: 1 })
    expect(places.status()).toMatchObject({ running: 1, queued: 0 })
  })

  it('a full bulkhead inside a breaker says nothing about the dependency; a slow one inside a timeout inside a breaker does', async () => {
    const breaker = circuitBreaker({ consecutiveFailures: 1 })
    const full = bulkhead({ maxConcurrent: 1 })
    full.tryAcquire()
    await pipeline(breaker, full).tryExecute(() => 'value')
    expect(breaker.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 1 })
  })

  it('a limiter outside a retry is asked once per call, inside one once per attempt', async () => {
    for (const [used, order] of [
      [1, (limiter: PolicyLike, again: PolicyLike) => [limiter, again]],
      [3, (limiter: PolicyLike, again: PolicyLike) => [again, limiter]],
    ] as const) {
      const clock = fakeClock()
      const limiter = rateLimiter({ limit: 10, window: '1h', clock })
      const outcome = pipeline(...order(limiter, retry({ maxAttempts: 3, clock }))).tryExecute(failing)
      await clock.advance('1m')
      await outcome
      expect(limiter.usage().requests?.used).toBe(used)
    }
  })

  it('a timeout outside a retry limits all attempts together, inside one each of them', async () => {
    for (const [attempts, order] of [
      [2, (limit: PolicyLike, again: PolicyLike) => [limit, again]],
      [4, (limit: PolicyLike, again: PolicyLike) => [again, limit]],
    ] as const) {
      const clock = fakeClock()
      const limit = timeout({ after: '150ms', clock })
      const again = retry({ maxAttempts: 4, initialDelay: '50ms', backoff: 'constant', jitter: 'none', clock })
      const slow = vi.fn(() => new Promise((_, reject) => void clock.setTimer(() => void failing().catch(reject), 80)))
      const outcome = pipeline(...order(limit, again)).tryExecute(slow)
      await clock.advance('1m')
      expect((await outcome).ok).toBe(false)
      expect(slow).toHaveBeenCalledTimes(attempts)
    }
  })

  it('a fallback outside a retry answers after the last attempt, inside one after the first', async () => {
    for (const [runs, order] of [
      [3, (substitute: PolicyLike, again: PolicyLike) => [substitute, again]],
      [1, (substitute: PolicyLike, again: PolicyLike) => [again, substitute]],
    ] as const) {
      const clock = fakeClock()
      const run = vi.fn(failing)
      const outcome = pipeline(...order(fallback('stale'), retry({ maxAttempts: 3, clock }))).execute(run)
      await clock.advance('1m')
      expect(await outcome).toBe('stale')
      expect(run).toHaveBeenCalledTimes(runs)
    }
  })

  it('a bulkhead outside a retry keeps its place during the delay, inside one it does not', async () => {
    for (const [running, order] of [
      [1, (places: PolicyLike, again: PolicyLike) => [places, again]],
      [0, (places: PolicyLike, again: PolicyLike) => [again, places]],
    ] as const) {
      const clock = fakeClock()
      const places = bulkhead({ maxConcurrent: 1, clock })
      const outcome = pipeline(...order(places, retry({ initialDelay: '10s', jitter: 'none', clock }))).tryExecute(failing)
      await clock.advance('1s')
      expect(places.status().running).toBe(running)
      await clock.advance('1h')
      await outcome
      expect(places.status().running).toBe(0)
    }
  })

  it('77: nested timeouts: the outer one first interrupts the inner one, a retry between them and a fallback inside', async () => {
    const clock = fakeClock()
    const [outer, inner] = [timeout({ name: 'outer', after: '1s', clock }), timeout({ name: 'inner', after: '5s', clock })]
    const answered = vi.fn()
    const outcome = pipeline(outer, fallback(answered), retry({ clock }), inner).tryExecute(hang)
    await clock.advance('1h')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT', policy: 'outer' } })
    expect(inner.status()).toMatchObject({ timeouts: 0 })
    expect(answered).not.toHaveBeenCalled()
  })
})
