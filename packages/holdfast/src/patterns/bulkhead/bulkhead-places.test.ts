import {
  bulkhead,
  isHoldfastError,
  pipeline,
  timeout,
  type Bulkhead,
  type BulkheadEvent,
  type Call,
  type Permit,
  type Timeout,
} from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { deferred, work, works } from './bulkhead.fixture.ts'

describe('giving places back', () => {
  it('80: a permit counts once, however often and in whatever way it is given back', async () => {
    const door = bulkhead({ maxConcurrent: 2 })
    const first = await door.acquire()
    const second = await door.acquire()
    first.success()
    first.success()
    first.failure(new Error('too late'))
    first.ignore()
    first[Symbol.dispose]()

    expect(door.status()).toMatchObject({ running: 1, succeeded: 1, failed: 0 })
    second.ignore()
    expect(door.status().running).toBe(0)
  })

  it('80: nothing gives back a place that was never taken', () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const permit = door.tryAcquire() as Permit
    const refused = door.tryAcquire()
    expect(refused).toMatchObject({ refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'bulkhead' })
    expect('success' in refused).toBe(false)
    permit.success()
    expect(door.status().running).toBe(0)
  })

  it('leaves the place with the block it was acquired in', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const use = async (): Promise<void> => {
      using permit = await door.acquire()
      expect([permit.refused, door.status().running]).toEqual([false, 1])
      throw new Error('in the block')
    }
    await expect(use()).rejects.toThrow('in the block')
    expect(door.status()).toMatchObject({ running: 0, succeeded: 0, failed: 0 })
  })

  it('gives the place back after a result, a rejection, a synchronous throw and a value that is no promise', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    expect(await door.execute(() => Promise.resolve(1))).toBe(1)
    await expect(door.execute(() => Promise.reject(new Error('rejected')))).rejects.toThrow('rejected')
    const thrower = (): number => {
      throw new Error('thrown')
    }
    await expect(door.execute(thrower)).rejects.toThrow('thrown')
    expect(await door.execute(() => 2)).toBe(2)
    expect(door.status()).toMatchObject({ running: 0, admitted: 4, succeeded: 2, failed: 2 })
  })

  it('84: an abort while holding gives the place back when the work ends, and counts neither as success nor as failure', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const controller = new AbortController()
    const running = work()
    const answer = door.execute(running.run, { signal: controller.signal })
    controller.abort(new Error('not wanted'))

    await expect(answer).rejects.toThrow('not wanted')
    expect(door.status()).toMatchObject({ running: 1, succeeded: 0, failed: 0 })
    running.finish()
    await new Promise(setImmediate)
    expect(door.status()).toMatchObject({ running: 0, succeeded: 0, failed: 0 })
  })

  it('84: a permit whose signal was aborted is given back without a verdict', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const controller = new AbortController()
    const permit = await door.acquire({ signal: controller.signal })
    controller.abort()
    expect(door.status().running).toBe(1)
    permit.failure(controller.signal.reason)
    expect(door.status()).toMatchObject({ running: 0, succeeded: 0, failed: 0 })
  })
})

describe('work that its caller gave up', () => {
  const orders = {
    'a timeout outside': (door: Bulkhead, limit: Timeout) => pipeline(limit, door),
    'a timeout inside': (door: Bulkhead, limit: Timeout) => pipeline(door, limit),
  }
  it.each(Object.entries(orders))('keeps its place until it ends, with %s', async (_name, compose) => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    const guarded = compose(door, timeout({ after: '1s', clock }))
    const hanging = work()
    const outcome = guarded.tryExecute(hanging.run)
    await clock.advance('1s')
    expect((await outcome).error).toSatisfy((error) => isHoldfastError(error, 'ERR_TIMEOUT'))

    const next = work()
    const waiting = door.execute(next.run)
    await clock.advance('1h')
    expect(next.started).toBe(false)
    expect(door.status()).toMatchObject({ running: 1, queued: 1, failed: 1 })

    hanging.finish()
    await clock.settle()
    expect(next.started).toBe(true)
    next.finish()
    expect(await waiting).toBe('done')
    expect(door.status()).toMatchObject({ running: 0, queued: 0, admitted: 2, succeeded: 1, failed: 1 })
  })

  it('keeps its place until a streamed body has ended, though its caller has the answer', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const body = deferred<void>()
    const head = await door.execute((call: Call) => {
      call.until(body.promise)
      return 'head'
    })
    expect(head).toBe('head')
    expect(door.status()).toMatchObject({ running: 1, succeeded: 0 })
    body.resolve()
    await new Promise(setImmediate)
    expect(door.status()).toMatchObject({ running: 0, succeeded: 1 })
  })
})

describe('changing the number of places', () => {
  it('81: shrinking a full bulkhead returns at once and grants nothing until fewer run than the new size', async () => {
    const door = bulkhead({ maxConcurrent: 3, maxQueued: 5 })
    const running = works(3)
    const waiting = works(2)
    const answers = [...running, ...waiting].map(({ run }) => door.execute(run))
    door.resize(1)
    expect(door.status()).toMatchObject({ maxConcurrent: 1, running: 3, utilization: 3 })

    for (const [index, one] of running.entries()) {
      expect(waiting.filter(({ started }) => started)).toHaveLength(0)
      one.finish()
      await answers[index]
    }
    await new Promise(setImmediate)
    expect(waiting.map(({ started }) => started)).toEqual([true, false])
    waiting[0]!.finish()
    await answers[3]
    await new Promise(setImmediate)
    expect(waiting[1]!.started).toBe(true)
    waiting[1]!.finish()
    await Promise.all(answers)
  })

  it('82: growing lets in exactly as many waiters as there are new places, those first who came first', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 10 })
    const all = works(8)
    const order: number[] = []
    const answers = all.map(({ run }, index) =>
      door.execute((call) => {
        order.push(index)
        return run(call)
      }),
    )
    door.resize(4)
    await new Promise(setImmediate)
    expect(order).toEqual([0, 1, 2, 3])
    expect(door.status()).toMatchObject({ running: 4, queued: 4 })

    for (const one of all) one.finish()
    await Promise.all(answers)
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(door.status().running).toBe(0)
  })

  it('tells of a change, but not of none', async () => {
    const clock = fakeClock({ wallMs: 5_000 })
    const door = bulkhead({ name: 'pool', maxConcurrent: 2, clock })
    const events: BulkheadEvent[] = []
    door.on((event) => events.push(event))
    door.resize(2)
    door.resize(3)
    await clock.settle()
    expect(events).toEqual([{ type: 'bulkhead.resized', policy: 'pool', at: 5_000, from: 2, to: 3 }])
    expect(door.describe()).toMatchObject({ maxConcurrent: 3 })
  })
})

describe('maxHold', () => {
  it('takes a place back that is held for longer, with an event, and not a second time when the work ends', async () => {
    const clock = fakeClock({ wallMs: 0 })
    const door = bulkhead({ name: 'pool', maxConcurrent: 1, maxQueued: 1, maxHold: '10s', clock })
    const events: BulkheadEvent[] = []
    door.on((event) => events.push(event))
    const stuck = work()
    const first = door.execute(stuck.run)
    const next = work()
    const second = door.execute(next.run)
    await clock.advance('9999ms')
    expect(next.started).toBe(false)
    await clock.advance('1ms')
    expect(next.started).toBe(true)
    expect(events).toEqual([{ type: 'bulkhead.hold-expired', policy: 'pool', at: 10_000, maxHoldMs: 10_000 }])
    expect(door.status()).toMatchObject({ running: 1, expiredHolds: 1 })

    stuck.finish()
    expect(await first).toBe('done')
    expect(door.status()).toMatchObject({ running: 1, succeeded: 1 }) // the place is the second's now
    next.finish()
    await second
    expect(door.status()).toMatchObject({ running: 0, succeeded: 2, expiredHolds: 1 })
  })

  it('counts from when the place was granted, not from when the call came', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 1, maxHold: '10s', clock })
    const [first, second] = works(2)
    const answers = [door.execute(first!.run), door.execute(second!.run)]
    await clock.advance('6s')
    first!.finish()
    await clock.advance('6s')
    expect(door.status()).toMatchObject({ running: 1, expiredHolds: 0 })
    second!.finish()
    await Promise.all(answers)
  })

  it('takes back a permit that was forgotten', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxHold: '1m', clock })
    const forgotten = await door.acquire()
    await clock.advance('1m')
    expect(door.status()).toMatchObject({ running: 0, expiredHolds: 1 })
    forgotten.success()
    expect(door.status().running).toBe(0)
  })
})
