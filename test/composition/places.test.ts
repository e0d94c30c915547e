import {
  bulkhead,
  circuitBreaker,
  fallback,
  pipeline,
  rateLimiter,
  retry,
  timeout,
  type Permit,
  type PolicyLike,
  type Refusal,
} from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { deferred, hang } from './deferred.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

function giveBack(permit: Permit | Refusal): void {
  if (permit.refused) throw new Error(permit.code)
  permit.success()
}

interface Others {
  readonly again: PolicyLike
  readonly breaker: PolicyLike
}

function others(clock: FakeClock): Others {
  return { again: retry({ maxAttempts: 1, clock }), breaker: circuitBreaker({ clock }) }
}

describe('P2: a timeout and a bulkhead', () => {
  it.each<[string, (limit: PolicyLike, places: PolicyLike, other: Others) => PolicyLike[]]>([
    ['timeout outside', (limit, places) => [limit, places]],
    ['timeout inside', (limit, places) => [places, limit]],
    ['timeout outside, a retry between', (limit, places, { again }) => [limit, again, places]],
    ['timeout inside, a retry between', (limit, places, { again }) => [places, again, limit]],
    ['timeout outside, gates next to it', (limit, places, { breaker }) => [breaker, limit, breaker, places]],
    ['timeouts on both sides', (limit, places) => [limit, places, timeout({ after: '1h', clock: fakeClock() })]],
  ])('the caller is told at the deadline, the place stays taken until the work really ends: %s', async (_order, order) => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 1, clock })
    const guarded = pipeline(...order(timeout({ after: '1s', clock }), places, others(clock)))
    for (const end of ['resolve', 'reject'] as const) {
      const work = deferred<string>()
      const outcome = guarded.tryExecute(() => work.promise)
      await clock.advance('1s')
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
      expect(places.status().running).toBe(1)
      expect(await guarded.tryExecute(() => 'value')).toMatchObject({ refusal: { code: 'ERR_BULKHEAD_FULL' } })
      if (end === 'resolve') work.resolve('late')
      else work.reject(new Error('late'))
      await clock.settle()
      expect(places.status().running).toBe(0)
    }
    expect(await guarded.execute(() => 'value')).toBe('value')
  })
})

describe('P3: a total timeout', () => {
  it.each<[string, (limit: PolicyLike, places: PolicyLike, other: Others) => PolicyLike[]]>([
    ['next to the bulkhead', (limit, places) => [limit, places]],
    ['with a retry between', (limit, places, { again }) => [limit, again, places]],
    ['with gates around', (limit, places, { breaker }) => [limit, breaker, places]],
    ["that is the caller's deadline", (_limit, places, { again }) => [again, places]],
  ])('leaves the queue of a bulkhead, and nothing is granted to it later: %s', async (_order, order) => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 2, clock })
    const held = places.tryAcquire()
    const run = vi.fn()
    const outcome = pipeline({ clock }, ...order(timeout({ after: '1s', clock }), places, others(clock))).tryExecute(run, {
      deadline: '1s',
    })
    const patient = pipeline(places).execute(() => 'next')
    expect(places.status().queued).toBe(2)
    await clock.advance('1s')
    expect(await outcome).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/^ERR_(TIMEOUT|DEADLINE_EXCEEDED)$/) as unknown },
    })
    expect(places.status()).toMatchObject({ running: 1, queued: 1 })
    giveBack(held)
    expect(await patient).toBe('next')
    expect(places.status()).toMatchObject({ running: 0, queued: 0 })
    expect(run).not.toHaveBeenCalled()
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })
})

describe("P4: the caller's abort racing a grant", () => {
  it.each<[string, (places: PolicyLike, other: Others) => PolicyLike[]]>([
    ['bulkhead alone', (places) => [places]],
    ['outside a retry', (places, { again }) => [places, again]],
    ['inside a retry and a breaker', (places, { again, breaker }) => [again, breaker, places]],
    ['inside a timeout', (places) => [timeout({ after: '1h', clock: fakeClock() }), places]],
  ])('passes the place on, neither lost nor given twice, whichever comes first: %s', async (_order, order) => {
    for (const first of ['abort', 'grant'] as const) {
      const clock = fakeClock()
      const places = bulkhead({ maxConcurrent: 1, maxQueued: 3, clock })
      const guarded = pipeline(...order(places, others(clock)))
      const held = places.tryAcquire()
      const caller = new AbortController()
      const running: string[] = []
      const work = (name: string) => async (): Promise<string> => {
        running.push(name)
        expect(running).toHaveLength(1)
        await clock.settle()
        running.pop()
        return name
      }
      const leaving = guarded.tryExecute(work('leaving'), { signal: caller.signal })
      const next = [guarded.execute(work('second')), guarded.execute(work('third'))]
      if (first === 'abort') caller.abort('left')
      giveBack(held)
      if (first === 'grant') caller.abort('left')
      expect(await leaving).toEqual({ ok: false, error: 'left' })
      expect(await Promise.all(next)).toEqual(['second', 'third'])
      expect(places.status()).toMatchObject({ running: 0, queued: 0 })
    }
  })
})

describe('P5: a breaker that opens while a call queues further inside', () => {
  const orders: [string, (breaker: PolicyLike, queue: PolicyLike, clock: FakeClock) => PolicyLike[]][] = [
    ['directly outside', (breaker, queue) => [breaker, queue]],
    ['outside a timeout', (breaker, queue, clock) => [breaker, timeout({ after: '1h', clock }), queue]],
    [
      'outside a retry and a fallback',
      (breaker, queue, clock) => [breaker, fallback({ value: 'x', when: () => false }), retry({ clock }), queue],
    ],
    [
      'outside other gates',
      (breaker, queue, clock) => [breaker, bulkhead({ maxConcurrent: 9, clock }), rateLimiter({ limit: 99, window: '1s', clock }), queue],
    ],
  ]

  it.each(orders)('is heard, the call does not run, and the place goes back: %s', async (_order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ name: 'payments', clock })
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 5, clock })
    const guarded = pipeline(...order(breaker, places, clock))
    for (const [code, open] of [
      ['ERR_CIRCUIT_OPEN', () => breaker.forceOpen('1m')],
      ['ERR_CIRCUIT_ISOLATED', () => breaker.isolate()],
    ] as const) {
      const held = places.tryAcquire()
      const run = vi.fn()
      const outcome = guarded.tryExecute(run)
      await clock.settle()
      open()
      giveBack(held)
      expect(await outcome).toMatchObject({ ok: false, refusal: { code, policy: 'payments' } })
      expect(run).not.toHaveBeenCalled()
      expect(places.status()).toMatchObject({ running: 0, queued: 0 })
      breaker.close()
    }
  })

  it.each(orders)("also in a rate limiter's queue: %s", async (_order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ name: 'payments', clock })
    const limiter = rateLimiter({ limit: 1, window: '1s', maxQueued: 5, clock })
    const guarded = pipeline(...order(breaker, limiter, clock))
    await guarded.execute(() => 'first')
    const run = vi.fn()
    const outcome = guarded.tryExecute(run)
    breaker.forceOpen('1m')
    await clock.advance('2s')
    expect(await outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN', policy: 'payments' } })
    expect(run).not.toHaveBeenCalled()
    expect(limiter.status().queued).toBe(0)
  })

  it.each(orders)('is forgotten when it has closed again by then: %s', async (_order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock })
    const places = bulkhead({ maxConcurrent: 1, maxQueued: 5, clock })
    const held = places.tryAcquire()
    const outcome = pipeline(...order(breaker, places, clock)).tryExecute(() => 'value')
    breaker.forceOpen('1m')
    breaker.close()
    giveBack(held)
    expect(await outcome).toEqual({ ok: true, value: 'value' })
  })
})

describe('P9: 20,000 waiters on one place', () => {
  const count = 20_000
  it.each<[string, (places: PolicyLike, clock: FakeClock) => PolicyLike[]]>([
    ['bulkhead alone', (places) => [places]],
    ['outside a retry and a timeout', (places, clock) => [places, retry({ clock }), timeout({ after: '1h', clock })]],
    ['inside a timeout and a breaker', (places, clock) => [timeout({ after: '1h', clock }), circuitBreaker({ clock }), places]],
  ])('with functions that return at once: no recursion, in order: %s', async (_order, order) => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 1, maxQueued: count, clock })
    const guarded = pipeline(...order(places, clock))
    const held = places.tryAcquire()
    const ran: number[] = []
    let depth = 0
    const outcomes = Array.from({ length: count }, (_, index) =>
      guarded.execute(() => {
        expect.soft(++depth).toBe(1)
        ran.push(index)
        depth--
        return index
      }),
    )
    expect(places.status().queued).toBe(count)
    giveBack(held)
    const results = await Promise.all(outcomes)
    expect(results.every((result, index) => result === index && ran[index] === index)).toBe(true)
    expect(places.status()).toMatchObject({ running: 0, queued: 0 })
  })
})

describe('P11: a stream answered at its head', () => {
  it.each<[string, (breaker: PolicyLike, places: PolicyLike, clock: FakeClock) => PolicyLike[]]>([
    ['gates alone', (breaker, places) => [breaker, places]],
    ['gates the other way round', (breaker, places) => [places, breaker]],
    [
      'gates outside a retry and a timeout',
      (breaker, places, clock) => [breaker, places, retry({ clock }), timeout({ after: '1s', clock })],
    ],
    ['gates inside', (breaker, places, clock) => [timeout({ after: '1s', clock }), retry({ clock }), breaker, places]],
    ['a timeout between', (breaker, places, clock) => [breaker, timeout({ after: '1s', clock }), fallback('x'), places]],
    [
      'a timeout between, the other way round',
      (breaker, places, clock) => [places, timeout({ after: '1s', clock }), fallback('x'), breaker],
    ],
  ])('the caller has it at once, gates at the end of the body, and a body that dies is a failure: %s', async (_order, order) => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureThreshold: 10, clock })
    const places = bulkhead({ maxConcurrent: 1, clock })
    const guarded = pipeline(...order(breaker, places, clock))
    for (const end of ['ends', 'dies'] as const) {
      const body = deferred()
      const outcome = guarded.execute((call) => {
        call.until(body.promise)
        return 'head'
      })
      expect(await outcome).toBe('head')
      await clock.advance('1m') // no timeout, and no retry, is for the body
      expect(places.status()).toMatchObject({ running: 1, succeeded: end === 'ends' ? 0 : 1 })
      expect(breaker.status()).toMatchObject({ successTotal: end === 'ends' ? 0 : 1, failureTotal: 0 })
      if (end === 'ends') body.resolve()
      else body.reject(new Error('connection reset'))
      await clock.settle()
      expect(places.status()).toMatchObject({ running: 0, succeeded: 1, failed: end === 'ends' ? 0 : 1 })
      expect(breaker.status()).toMatchObject({ successTotal: 1, failureTotal: end === 'ends' ? 0 : 1 })
    }
  })
})

it('gates share no memory of calls: hung work of one caller leaves the others their places', async () => {
  const clock = fakeClock()
  const places = bulkhead({ maxConcurrent: 2, clock })
  const guarded = pipeline(places, timeout({ after: '1s', clock }))
  const hung = guarded.tryExecute(hang)
  await clock.advance('1s')
  await hung
  for (let call = 0; call < 10; call++) expect(await guarded.execute(() => call)).toBe(call)
  expect(places.status().running).toBe(1)
})
