import { describe, expect, it } from 'vitest'
import {
  adaptiveConcurrency,
  HoldfastError,
  isHoldfastError,
  seededRandom,
  type AdaptiveConcurrency,
  type AdaptiveConcurrencyEvent,
  type ConcurrencySample,
} from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { AimdLimit } from './aimd-limit.ts'
import { ProbingLimit } from './probing-limit.ts'
import { SampleWindow } from './sample-window.ts'

const bounds = { minLimit: 1, maxLimit: 100, initialLimit: 20, random: seededRandom(1), shared: false }
const sample = (over: Partial<ConcurrencySample>): ConcurrencySample => ({
  startedAt: 0,
  rttMs: 40,
  inFlight: 1,
  dropped: false,
  ...over,
})

/** A policy that records what its algorithm hears. */
function recorded(options: Parameters<typeof adaptiveConcurrency>[0] = {}): {
  door: AdaptiveConcurrency
  samples: ConcurrencySample[]
  clock: FakeClock
} {
  const samples: ConcurrencySample[] = []
  const clock = fakeClock()
  const algorithm = (): { name: string; limit: number; onSample(one: ConcurrencySample): void } => ({
    name: 'recording',
    limit: 5,
    onSample: (one) => samples.push(one),
  })
  return { door: adaptiveConcurrency({ algorithm, clock, ...options }), samples, clock }
}

describe('what an algorithm hears', () => {
  it('hears how long a call took and how many were in flight', async () => {
    const { door, samples, clock } = recorded()
    const first = door.tryAcquire()
    const second = door.tryAcquire()
    clock.tick(30)
    if (!second.refused) second.success()
    if (!first.refused) first.success()
    expect(samples).toMatchObject([
      { rttMs: 30, inFlight: 2, dropped: false },
      { rttMs: 30, inFlight: 1, dropped: false },
    ])
  })

  it('84: a cancelled call gives its place back and is no sample', async () => {
    const { door, samples, clock } = recorded()
    const controller = new AbortController()
    const work = door.tryExecute(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      {
        signal: controller.signal,
      },
    )
    clock.tick(10)
    controller.abort(new Error('gave up'))
    await work
    await clock.settle()
    expect(samples).toEqual([])
    expect(door.status()).toMatchObject({ running: 0, succeeded: 0, failed: 0, dropped: 0 })
  })

  it.each([
    [{ status: 429 }, 1],
    [Object.assign(new Error('overloaded'), { statusCode: 529 }), 1],
    [new Error('wrapped', { cause: { status: 503 } }), 1],
    [new HoldfastError({ code: 'ERR_TIMEOUT' }), 1],
    [new DOMException('too slow', 'TimeoutError'), 1],
    [new Error('broken'), 0],
    [{ status: 404 }, 0],
  ])('takes %o for a drop: %s', async (error, drops) => {
    const { door, samples } = recorded()
    await door.tryExecute(() => Promise.reject(error))
    expect(samples.filter(({ dropped }) => dropped)).toHaveLength(drops)
    expect(samples).toHaveLength(drops)
    expect(door.status()).toMatchObject({ dropped: drops, failed: 1 - drops })
  })

  it('takes a response that says 429 for a drop, and nothing else that has a status', async () => {
    const { door } = recorded()
    await door.execute(() => new Response('', { status: 429 }))
    await door.execute(() => ({ status: 429 }))
    expect(door.status()).toMatchObject({ dropped: 1, succeeded: 1 })
  })

  it('lets the user classify, and falls back when that throws', async () => {
    const events: AdaptiveConcurrencyEvent[] = []
    const { door } = recorded({ classify: (_ok, value) => (value === 'full' ? 'dropped' : JSON.parse('{')) })
    door.on((event) => events.push(event))
    await door.execute(() => 'full')
    await door.execute(() => 'fine')
    expect(door.status()).toMatchObject({ dropped: 1, succeeded: 1 })
    expect(events).toMatchObject([{ type: 'concurrency.callback-failed', callback: 'classify' }])
  })
})

describe('windows and bounds', () => {
  it('85: latencies of calls that started before a window are not counted in it', () => {
    const window = new SampleWindow(10, 100)
    window.add(sample({ startedAt: 99, rttMs: 5_000 }))
    window.add(sample({ startedAt: 100, rttMs: 40 }))
    expect(window).toMatchObject({ answered: 1, ended: 2, meanRtt: 40 })
  })

  it.each([new AimdLimit(bounds), new ProbingLimit(bounds)])(
    '86: the limit does not grow while less than half of it is in flight: %o',
    (limit) => {
      for (let index = 0; index < 10_000; index++) limit.onSample(sample({ startedAt: index * 10, inFlight: 3 }), index * 10 + 40)
      expect(limit.limit).toBeLessThanOrEqual(20)
    },
  )

  it.each([new AimdLimit(bounds), new ProbingLimit(bounds)])('87: constant timeouts drive the limit down to the lowest: %o', (limit) => {
    for (let now = 5_000; now < 500_000; now += 100)
      limit.onSample(sample({ startedAt: now - 5_000, rttMs: 5_000, inFlight: 20, dropped: true }), now)
    expect(Math.floor(limit.limit)).toBe(1)
  })

  it('88: a latency of zero, infinity or no number changes nothing', () => {
    const limit = new ProbingLimit(bounds)
    for (const rttMs of [0, Number.NaN, Infinity, -1])
      for (let index = 0; index < 500; index++) limit.onSample(sample({ startedAt: index, rttMs }), index + 1)
    expect(limit.limit).toBe(20)
    expect(limit.status()).toMatchObject({ baseRttMs: null, phase: 'open' })
  })

  it.each([
    [Number.NaN, 7],
    [-5, 2],
    [1e9, 9],
    [Infinity, 9],
    [4.9, 4],
  ])('88: whatever an algorithm answers, here %s, the limit stays within its bounds', async (answer, limit) => {
    const algorithm = { name: 'odd', limit: 7, onSample: () => (algorithm.limit = answer) }
    const door = adaptiveConcurrency({ algorithm: () => algorithm, minLimit: 2, maxLimit: 9 })
    await door.execute(() => undefined)
    expect(door.status().limit).toBe(limit)
  })

  it('90: a hundred instances do not compare at the same time', () => {
    const instances = Array.from({ length: 100 }, (_, index) => new ProbingLimit({ ...bounds, random: seededRandom(index) }))
    const comparing: number[] = []
    // a server of ten places of 40 ms for each, at twice its load
    for (let now = 0; now < 60_000; now += 4) {
      for (const one of instances) {
        const rttMs = 40 * Math.max(1, one.limit / 10)
        one.onBlocked(now)
        one.onSample(sample({ startedAt: now - rttMs, rttMs, inFlight: one.limit }), now)
      }
      if (now > 30_000 && now % 100 === 0) comparing.push(instances.filter((one) => one.status()['phase'] === 'comparing').length)
    }
    expect(Math.max(...comparing)).toBeGreaterThan(0)
    expect(Math.max(...comparing)).toBeLessThan(80)
  })
})

describe('the gate', () => {
  it('refuses with its own code, and tells', async () => {
    const door = adaptiveConcurrency({ algorithm: 'fixed', initialLimit: 1, clock: fakeClock() })
    const events: AdaptiveConcurrencyEvent[] = []
    door.on((event) => events.push(event))
    door.tryAcquire()
    await expect(door.execute(() => 1)).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_CONCURRENCY_LIMITED'))
    expect(events).toMatchObject([{ type: 'concurrency.rejected', limit: 1, running: 1, queued: 0 }])
    expect(door.health().status).toBe('warn')
  })

  it('89: a partition borrows what is spare, and has its guaranteed share at once when others have borrowed it', () => {
    const door = adaptiveConcurrency({ algorithm: 'fixed', initialLimit: 10, partitions: { live: 0.8, batch: 0.2 } })
    for (let index = 0; index < 10; index++) expect(door.tryAcquire({ key: 'batch' }).refused).toBe(false)
    expect(door.tryAcquire({ key: 'batch' }).refused).toBe(true)
    for (let index = 0; index < 8; index++) expect(door.tryAcquire({ key: 'live' }).refused).toBe(false)
    expect(door.tryAcquire({ key: 'live' }).refused).toBe(true)
    expect(door.tryAcquire().refused).toBe(true)
    expect(door.status().partitions).toMatchObject({ live: { inUse: 8, rejected: 1 }, batch: { inUse: 10, rejected: 1 } })
  })

  it('serves the more important first, and lets them take the seats of others', async () => {
    const door = adaptiveConcurrency({ algorithm: 'fixed', initialLimit: 1, maxQueued: 2 })
    const held = door.tryAcquire()
    const order: string[] = []
    const call = (name: string, priority: 'low' | 'high'): Promise<unknown> => door.tryExecute(() => order.push(name), { priority })
    const all = [call('low 1', 'low'), call('low 2', 'low'), call('high', 'high')]
    if (!held.refused) held.success()
    await Promise.all(all)
    expect(order).toEqual(['high', 'low 1'])
    expect(door.status()).toMatchObject({ displaced: 1, rejected: 1 })
  })

  it('keeps what it learnt when only the queue is changed, and checks before it changes anything', () => {
    const door = adaptiveConcurrency({ initialLimit: 30, maxLimit: 100 })
    door.reconfigure({ maxLimit: 100, maxQueued: 5 })
    expect(door.status()).toMatchObject({ limit: 30 })
    expect(() => door.reconfigure({ maxLimit: 0 })).toThrow("option 'maxLimit' must be a whole number from 1")
    expect(door.describe()).toMatchObject({ maxLimit: 100, maxQueued: 5 })
    door.reconfigure({ maxLimit: 10, algorithm: 'aimd' })
    expect(door.status()).toMatchObject({ limit: 10, algorithm: { name: 'aimd' } })
  })

  it('turns waiters away when it is disposed of', async () => {
    const door = adaptiveConcurrency({ algorithm: 'fixed', initialLimit: 1, maxQueued: 2 })
    door.tryAcquire()
    const waiting = door.execute(() => 1)
    door.dispose()
    await expect(waiting).rejects.toSatisfy((error) => isHoldfastError(error, 'ERR_DISPOSED'))
  })
})
