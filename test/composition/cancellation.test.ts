import { getEventListeners } from 'node:events'
import { bulkhead, circuitBreaker, fallback, pipeline, rateLimiter, retry, timeout, type Pipeline, type PolicyLike } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { deferred, failing, hang } from './deferred.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

interface Layers {
  readonly clock: FakeClock
  readonly again: PolicyLike
  readonly breaker: PolicyLike
  readonly places: PolicyLike
  readonly limiter: PolicyLike
  readonly total: PolicyLike
  readonly limit: PolicyLike
  readonly stale: PolicyLike
  readonly declines: PolicyLike
}

const orders: [string, (layers: Layers) => PolicyLike[]][] = [
  [
    'the default order',
    ({ stale, total, again, breaker, limiter, places, limit }) => [stale, total, again, breaker, limiter, places, limit],
  ],
  [
    'the reverse order',
    ({ declines, total, again, breaker, limiter, places, limit }) => [limit, places, limiter, breaker, again, total, declines],
  ],
  ['breaker outside the retry', ({ stale, breaker, again, limiter, places, limit }) => [breaker, stale, again, limiter, limit, places]],
  ['gates without timeouts', ({ again, breaker, limiter, places }) => [breaker, again, limiter, places]],
]

function layers() {
  const clock = fakeClock()
  return {
    clock,
    again: retry({ initialDelay: '10s', jitter: 'none', clock }),
    breaker: circuitBreaker({ failureThreshold: 5, openFor: '1m', successThreshold: 1, clock }),
    places: bulkhead({ maxConcurrent: 1, maxQueued: 5, clock }),
    limiter: rateLimiter({ limit: 100, window: '1s', maxQueued: 5, clock }),
    total: timeout({ after: '1h', clock }),
    limit: timeout({ after: '50m', clock }),
    stale: fallback('stale'),
    declines: fallback({ value: 'stale', when: () => false }),
  }
}

/** The reasons a caller may have, also those that read as false. */
const reasons = [new Error('left'), 'left', null, 0] as const

describe("P13: the caller's abort rejects at once with the caller's reason, removes all listeners, and gates ignore it", () => {
  async function abortWhile(guarded: Pipeline<unknown>, clock: FakeClock, run: () => unknown, meanwhile: () => void): Promise<void> {
    for (const reason of reasons) {
      const caller = new AbortController()
      const outcome = guarded.tryExecute(run, { signal: caller.signal })
      await clock.settle()
      meanwhile()
      expect(getEventListeners(caller.signal, 'abort').length).toBe(1)
      caller.abort(reason)
      expect(getEventListeners(caller.signal, 'abort')).toEqual([])
      expect(await outcome).toEqual({ ok: false, error: reason })
    }
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  }

  it.each(orders)('during a back-off: %s', async (_order, order) => {
    const all = layers()
    const { clock, again, breaker, places } = all
    const run = vi.fn(failing)
    await abortWhile(pipeline(...order(all)), clock, run, () => expect(again.status().waiting).toBe(1))
    expect(again.status().waiting).toBe(0)
    expect(places.status()).toMatchObject({ running: 0, queued: 0 })
    expect(breaker.status().failureTotal).toBeLessThanOrEqual(reasons.length) // the attempts that failed, and no abort
    await clock.advance('1h')
    expect(run).toHaveBeenCalledTimes(reasons.length)
  })

  it.each(orders)('in a queue: %s', async (_order, order) => {
    const all = layers()
    const { clock, breaker, places } = all
    const held = places.tryAcquire()
    const run = vi.fn()
    await abortWhile(pipeline(...order(all)), clock, run, () => expect(places.status().queued).toBe(1))
    expect(places.status()).toMatchObject({ running: 1, queued: 0 })
    expect(breaker.status()).toMatchObject({ failureTotal: 0, successTotal: 0 })
    if (!held.refused) held.success()
    expect(places.status().running).toBe(0)
    expect(run).not.toHaveBeenCalled()
  })

  it.each(orders)('as a probe: %s', async (_order, order) => {
    const all = layers()
    const { clock, breaker, places } = all
    const guarded = pipeline(...order(all))
    breaker.forceOpen('1m')
    await clock.advance('1m')
    const hung = reasons.map(() => deferred())
    let next = 0
    await abortWhile(
      guarded,
      clock,
      () => hung[next++]?.promise,
      () => {
        expect(breaker.state).toBe('half-open')
        expect(breaker.status().probes).toMatchObject({ running: 1 })
        // the next call needs the place that the abandoned one keeps until its work ends
        queueMicrotask(() => hung[next - 1]?.resolve())
      },
    )
    await clock.settle()
    expect(breaker.state).toBe('half-open')
    expect(breaker.status()).toMatchObject({
      probes: { running: 0, successes: 0, failures: 0 },
      failureTotal: 0,
      ignoredTotal: reasons.length,
    })
    expect(places.status().running).toBe(0)
    expect(await guarded.execute(() => 'value')).toBe('value')
    expect(breaker.state).toBe('closed')
  })

  it.each(orders)('while it runs: %s', async (_order, order) => {
    const all = layers()
    const { clock, breaker, places } = all
    const work = deferred()
    const caller = new AbortController()
    const outcome = pipeline(...order(all)).tryExecute(() => work.promise, { signal: caller.signal })
    await clock.settle()
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    expect(breaker.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 1 })
    expect(places.status().running).toBe(1)
    work.reject(new Error('late'))
    await clock.settle()
    expect(places.status()).toMatchObject({ running: 0, failed: 0 })
  })
})

describe('73: a timeout and an abort in the same tick', () => {
  it('the first one decides, for the caller and for the gates', async () => {
    for (const [order, expected] of [
      ['abort first', 'left'],
      ['timeout first', expect.objectContaining({ code: 'ERR_TIMEOUT' })],
    ] as const) {
      const clock = fakeClock()
      const caller = new AbortController()
      const breaker = circuitBreaker({ clock })
      const outcome = pipeline(breaker, timeout({ after: '1s', clock })).tryExecute(hang, { signal: caller.signal })
      if (order === 'abort first') caller.abort('left')
      clock.tick('1s')
      if (order === 'timeout first') caller.abort('left')
      expect(await outcome).toEqual({ ok: false, error: expected })
      expect(breaker.status().failureTotal).toBe(order === 'timeout first' ? 1 : 0)
    }
  })
})

describe("a pipeline called inside the function of another, with that call's signal", () => {
  it('is cancelled with it: no listener, timer or place is left on either side', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const [outerPlaces, innerPlaces] = [bulkhead({ maxConcurrent: 1, clock }), bulkhead({ maxConcurrent: 1, maxQueued: 2, clock })]
    const innerBreaker = circuitBreaker({ clock })
    const inner = pipeline(retry({ initialDelay: '10m', maxDelay: '10m', jitter: 'none', clock }), innerBreaker, innerPlaces)
    const outer = pipeline(outerPlaces, timeout({ after: '1m', clock }))
    const states: Record<string, () => unknown> = { running: hang, 'backing off': failing, queued: hang }
    for (const [state, run] of Object.entries(states)) {
      const held = state === 'queued' ? innerPlaces.tryAcquire() : undefined
      let signalOfOuter: AbortSignal | undefined
      const work = deferred()
      const outcome = outer.tryExecute(
        ({ signal }) => {
          signalOfOuter = signal
          return inner.execute(() => (run === hang ? work.promise : run()), { signal })
        },
        { signal: caller.signal },
      )
      await clock.advance('1m')
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT', policy: 'timeout' } })
      work.resolve()
      await clock.settle()
      if (held?.refused === false) held.ignore()
      expect(getEventListeners(signalOfOuter as AbortSignal, 'abort')).toEqual([])
      expect(getEventListeners(caller.signal, 'abort')).toEqual([])
      expect([outerPlaces.status().running, innerPlaces.status().running, innerPlaces.status().queued]).toEqual([0, 0, 0])
      expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    }
  })

  it('its refusals are failures of the function that called it, unless the function throws the refusal itself', async () => {
    const inner = bulkhead({ name: 'inner', maxConcurrent: 1 })
    inner.tryAcquire()
    const outer = circuitBreaker({ failureThreshold: 5 })
    await outer.tryExecute(() => inner.execute(() => 'value'))
    expect(outer.status()).toMatchObject({ failureTotal: 1, ignoredTotal: 0 })
    const outcome = await outer.tryExecute(async () => {
      const { refusal } = await inner.tryExecute(() => 'value')
      if (refusal !== undefined) throw refusal
    })
    expect(outcome).toMatchObject({ refusal: { code: 'ERR_BULKHEAD_FULL', policy: 'inner' } })
    expect(outer.status()).toMatchObject({ failureTotal: 1, ignoredTotal: 1 })
  })
})

describe('114: dispose', () => {
  it('turns those away who wait, clears all timers, and refuses every later call; gates outside ignore it', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const places = bulkhead({ name: 'places', maxConcurrent: 1, maxQueued: 5, maxWait: '1m', clock })
    const limiter = rateLimiter({ name: 'limiter', limit: 1, window: '1h', maxQueued: 5, clock })
    limiter.tryAcquire()
    for (const gate of [places, limiter]) {
      const held = places.tryAcquire()
      const run = vi.fn()
      const guarded = pipeline(breaker, retry({ clock }), gate)
      const waiting = [
        guarded.tryExecute(run),
        guarded.tryExecute(run, { signal: new AbortController().signal }),
        gate.acquire().catch((error: unknown) => error),
      ]
      await clock.settle()
      expect(gate.status().queued).toBe(3)
      gate.dispose()
      const disposed = { code: 'ERR_DISPOSED', policy: gate.name }
      expect(await Promise.all(waiting)).toMatchObject([{ refusal: disposed }, { refusal: disposed }, disposed])
      expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
      expect(await guarded.tryExecute(run)).toMatchObject({ refusal: disposed })
      expect(gate.tryAcquire()).toMatchObject(disposed)
      await expect(gate.acquire()).rejects.toMatchObject(disposed)
      expect(run).not.toHaveBeenCalled()
      expect(gate.status().queued).toBe(0)
      if (!held.refused) held.success()
    }
    expect(breaker.status()).toMatchObject({ failureTotal: 0, ignoredTotal: 6 })
    expect(places.status().running).toBe(0)
  })
})
