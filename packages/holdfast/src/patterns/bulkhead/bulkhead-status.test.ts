import { bulkhead, pipeline, type BulkheadEvent, type BulkheadOptions, type Permit } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { work } from './bulkhead.fixture.ts'

describe('status', () => {
  it('has no rates, and no average, without data', () => {
    expect(bulkhead({ name: 'pool', maxConcurrent: 4, maxQueued: 2 }).status()).toEqual({
      kind: 'bulkhead',
      name: 'pool',
      maxConcurrent: 4,
      maxQueued: 2,
      running: 0,
      queued: 0,
      utilization: 0,
      admitted: 0,
      succeeded: 0,
      failed: 0,
      rejected: 0,
      displaced: 0,
      expiredWaits: 0,
      expiredHolds: 0,
      rejectionRate: null,
      failureRate: null,
      averageRunMs: null,
    })
  })

  it('tells calls that were turned away from calls that failed', async () => {
    const door = bulkhead({ maxConcurrent: 4 })
    const permits = Array.from({ length: 4 }, () => door.tryAcquire() as Permit)
    expect(door.status().utilization).toBe(1)
    for (let refused = 0; refused < 4; refused++) door.tryAcquire()
    permits[0]!.success()
    permits[1]!.success()
    permits[2]!.failure(new Error('broken'))
    permits[3]!.ignore()
    expect(door.status()).toMatchObject({
      admitted: 4,
      succeeded: 2,
      failed: 1,
      rejected: 4,
      rejectionRate: 0.5,
      failureRate: 1 / 3,
      utilization: 0,
    })
  })

  it('counts the refusal of an inner policy neither as success nor as failure', async () => {
    const inner = bulkhead({ maxConcurrent: 1 })
    const outer = bulkhead({ maxConcurrent: 5 })
    const held = await inner.acquire()
    expect((await pipeline(outer, inner).tryExecute(() => 1)).refusal).toBeDefined()
    expect(outer.status()).toMatchObject({ running: 0, admitted: 1, succeeded: 0, failed: 0, failureRate: null })
    held.success()
  })

  it('averages how long places are held, without the time in the queue', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    const [first, second] = [work(), work()]
    const answers = [door.execute(first.run), door.execute(second.run)]
    await clock.advance('100ms')
    first.finish()
    await clock.settle()
    expect(door.status().averageRunMs).toBe(100)
    await clock.advance('300ms')
    second.finish()
    await Promise.all(answers)
    expect(door.status().averageRunMs).toBe(200)
  })

  it('times the first 64 calls, then every 64th', async () => {
    const clock = fakeClock()
    let reads = 0
    const door = bulkhead({
      maxConcurrent: 1,
      clock: { ...clock, now: () => (reads++, clock.now()), wallNow: () => 0, setTimer: clock.setTimer.bind(clock) },
    })
    for (let call = 0; call < 64; call++) await door.execute(() => 1)
    expect(reads).toBe(128)
    for (let call = 0; call < 63; call++) await door.execute(() => 1)
    expect(reads).toBe(128)
    await door.execute(() => 1)
    expect(reads).toBe(130)
  })

  it('averages with maxHold as well, over places that were not taken back', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 2, maxHold: '1s', clock })
    const [quick, stuck] = [work(), work()]
    const answers = [door.execute(quick.run), door.execute(stuck.run)]
    await clock.advance('40ms')
    quick.finish()
    await clock.advance('1h')
    stuck.finish()
    await Promise.all(answers)
    expect(door.status()).toMatchObject({ averageRunMs: 40, expiredHolds: 1 })
  })

  it('resetting the figures heals nothing: places and waiters stay', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 1 })
    const [running, waiting] = [work(), work()]
    const answers = [door.execute(running.run), door.execute(waiting.run)]
    await door.tryExecute(() => 1)
    door.resetStatistics()
    expect(door.status()).toMatchObject({
      running: 1,
      queued: 1,
      admitted: 1,
      rejected: 0,
      displaced: 0,
      rejectionRate: 0,
      failureRate: null,
      averageRunMs: null,
    })
    expect(door.health().status).toBe('warn')
    expect((await door.tryExecute(() => 1)).refusal).toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    running.finish()
    waiting.finish()
    await Promise.all(answers)
    expect(door.status()).toMatchObject({ running: 0, admitted: 2, succeeded: 2 })
  })
})

describe('health', () => {
  it('warns only while neither a place nor a seat in the queue is free', async () => {
    const door = bulkhead({ name: 'pool', maxConcurrent: 1, maxQueued: 1 })
    expect(door.health()).toEqual({ status: 'pass' })
    const running = work()
    const first = door.execute(running.run)
    expect(door.health()).toEqual({ status: 'pass' })
    const second = door.execute(() => 1)
    expect(door.health()).toEqual({ status: 'warn', reason: "bulkhead 'pool' is full: 1 run, 1 wait" })
    running.finish()
    await Promise.all([first, second])
    expect(door.health()).toEqual({ status: 'pass' })
  })
})

describe('events', () => {
  it('tells of every rejection, with the figures of that moment', async () => {
    const clock = fakeClock({ wallMs: 77 })
    const door = bulkhead({ name: 'pool', maxConcurrent: 2, clock })
    const events: BulkheadEvent[] = []
    const end = door.on((event) => events.push(event))
    const permits = [door.tryAcquire() as Permit, door.tryAcquire() as Permit]
    door.tryAcquire()
    await clock.settle()
    expect(events).toEqual([{ type: 'bulkhead.rejected', policy: 'pool', at: 77, code: 'ERR_BULKHEAD_FULL', running: 2, queued: 0 }])
    end()
    door.tryAcquire()
    await clock.settle()
    expect(events).toHaveLength(1)
    for (const permit of permits) permit.success()
  })

  it('18, 19: a listener may throw, and may call the bulkhead, without harm', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    door.on(() => {
      door.resize(2)
      throw new Error('listener')
    })
    const held = await door.acquire()
    expect(door.tryAcquire()).toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    await new Promise(setImmediate)
    expect(door.tryAcquire().refused).toBe(false)
    held.success()
  })
})

describe('options', () => {
  it.each<[Record<string, unknown>, string]>([
    [{}, "bulkhead: option 'maxConcurrent' must be a whole number from 1 up, got undefined"],
    [{ maxConcurrent: 0 }, "bulkhead: option 'maxConcurrent' must be a whole number from 1 up, got 0"],
    [{ maxConcurrent: 1.5 }, 'got 1.5'],
    [{ maxConcurrent: Infinity }, 'got Infinity'],
    [{ maxConcurrent: '4' }, 'got "4"'],
    [{ maxConcurrent: 1, maxQueued: -1 }, "bulkhead: option 'maxQueued' must be a whole number from 0 up, got -1"],
    [{ maxConcurrent: 1, maxQueued: Number.NaN }, 'got NaN'],
    [{ maxConcurrent: 1, maxWait: '5 s' }, "bulkhead: option 'maxWait' must be a duration such as"],
    [{ maxConcurrent: 1, maxWait: -1 }, 'got -1'],
    [{ maxConcurrent: 1, maxHold: 0 }, 'of at least 1 ms'],
    [{ maxConcurrent: 1, name: '' }, "bulkhead: option 'name' must be a text of 1 to 200 characters"],
    [{ maxConcurrent: 1, queueSize: 5 }, "bulkhead: there is no option 'queueSize'"],
    [{ maxConcurent: 1 }, "did you mean 'maxConcurrent'?"],
  ])('refuses %o', (options, message) => {
    expect(() => bulkhead(options as unknown as BulkheadOptions)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    expect(() => bulkhead(options as unknown as BulkheadOptions)).toThrow(message)
  })

  it('refuses a new size that is none, and keeps the old one', () => {
    const door = bulkhead({ maxConcurrent: 3 })
    for (const size of [0, -1, 2.5, Number.NaN, Infinity])
      expect(() => door.resize(size)).toThrow("option 'maxConcurrent' must be a whole number from 1 up")
    expect(door.status().maxConcurrent).toBe(3)
  })

  it('describes itself as plain data, durations in ms', () => {
    const door = bulkhead({ name: 'pool', maxConcurrent: 3, maxQueued: 6, maxWait: '2s', maxHold: '1m' })
    expect(door.describe()).toEqual({ kind: 'bulkhead', name: 'pool', maxConcurrent: 3, maxQueued: 6, maxWaitMs: 2_000, maxHoldMs: 60_000 })
    expect(bulkhead({ maxConcurrent: 1 }).describe()).toEqual({ kind: 'bulkhead', name: 'bulkhead', maxConcurrent: 1, maxQueued: 0 })
  })
})
