import { bulkhead, pipeline, timeout, type BulkheadEvent, type Permit } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'
import { work, works } from './bulkhead.fixture.ts'

describe('waiting for a place', () => {
  it('refuses at once when neither a place nor a seat in the queue is free', async () => {
    const door = bulkhead({ name: 'search', maxConcurrent: 1, maxQueued: 1 })
    const [running, waiting] = works(2)
    const answers = [door.execute(running!.run), door.execute(waiting!.run)]
    await expect(door.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL', policy: 'search' })
    expect(await door.tryExecute(() => 1)).toMatchObject({
      ok: false,
      refusal: { refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'search' },
    })
    running!.finish()
    waiting!.finish()
    await Promise.all(answers)
  })

  it('has no queue by default', async () => {
    const door = bulkhead({ maxConcurrent: 1 })
    const permit = await door.acquire()
    await expect(door.acquire()).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    permit.success()
  })

  it('hands a place to the longest waiter whose caller has not given up', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const controllers = [0, 1, 2].map(() => new AbortController())
    const held = await door.acquire()
    const waiters = works(3)
    const outcomes = waiters.map(({ run }, index) => door.tryExecute(run, { signal: controllers[index]!.signal }))
    controllers[0]!.abort(new Error('first gave up'))
    held.success()
    await new Promise(setImmediate)
    expect(waiters.map(({ started }) => started)).toEqual([false, true, false])
    waiters[1]!.finish()
    waiters[2]!.finish()
    expect(await Promise.all(outcomes)).toMatchObject([{ ok: false, error: { message: 'first gave up' } }, { ok: true }, { ok: true }])
  })

  it('is not starved when all who waited have given up', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 2 })
    const held = await door.acquire()
    const controller = new AbortController()
    const gone = [door.tryExecute(() => 1, { signal: controller.signal }), door.tryExecute(() => 1, { signal: controller.signal })]
    controller.abort()
    await Promise.all(gone)
    held.success()
    expect(door.status()).toMatchObject({ running: 0, queued: 0 })
    expect(await door.execute(() => 'in')).toBe('in')
  })

  it('never waits in tryAcquire, and never overtakes those who wait', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const permit = door.tryAcquire() as Permit
    const waiter = work()
    const answer = door.execute(waiter.run)
    expect(door.tryAcquire()).toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    permit.success() // the place is the waiter's now, though it has not started yet
    expect(waiter.started).toBe(false)
    expect(door.tryAcquire()).toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    await Promise.resolve()
    expect(waiter.started).toBe(true)
    waiter.finish()
    await answer
  })

  it('passes a place on when its new owner gives up before it could start', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 2 })
    const permit = await door.acquire()
    const controller = new AbortController()
    const [first, second] = works(2)
    const outcome = door.tryExecute(first!.run, { signal: controller.signal })
    const answer = door.execute(second!.run)
    permit.success()
    controller.abort(new Error('in between'))
    second!.finish()
    expect(await answer).toBe('done')
    expect(await outcome).toMatchObject({ ok: false, error: { message: 'in between' } })
    expect(first!.started).toBe(false)
    expect(door.status()).toMatchObject({ running: 0, queued: 0 })
  })
})

describe('how long a call waits', () => {
  it('is turned away after maxWait, and not before', async () => {
    const clock = fakeClock({ wallMs: 0 })
    const door = bulkhead({ name: 'db', maxConcurrent: 1, maxQueued: 2, maxWait: '500ms', clock })
    const events: BulkheadEvent[] = []
    door.on((event) => events.push(event))
    const held = await door.acquire()
    const early = door.tryExecute(() => 1)
    await clock.advance('200ms')
    const late = door.acquire()
    await clock.advance('299ms')
    expect(door.status().queued).toBe(2)
    await clock.advance('1ms')
    expect(await early).toMatchObject({ refusal: { code: 'ERR_BULKHEAD_WAIT', policy: 'db' } })
    expect(door.status()).toMatchObject({ queued: 1, rejected: 1, expiredWaits: 1 })
    expect(events).toEqual([{ type: 'bulkhead.rejected', policy: 'db', at: 500, code: 'ERR_BULKHEAD_WAIT', running: 1, queued: 1 }])
    held.success()
    ;(await late).success()
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('never waits with a maxWait of 0', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5, maxWait: 0, clock })
    const held = await door.acquire()
    await expect(door.acquire()).rejects.toMatchObject({ code: 'ERR_BULKHEAD_WAIT' })
    expect(clock.timers).toEqual([])
    held.success()
  })

  it('waits no longer than the caller', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5, clock })
    const held = await door.acquire()
    const byDeadline = [
      door.tryExecute(() => 1, { deadline: '1s' }),
      door.acquire({ deadline: '1s' }).catch((error: unknown) => ({ error })),
    ]
    const byTimeout = pipeline(timeout({ after: '1s', clock }), door).tryExecute(() => 1)
    expect(door.status().queued).toBe(3)
    await clock.advance('1s')
    expect(await Promise.all(byDeadline)).toMatchObject([
      { error: { code: 'ERR_DEADLINE_EXCEEDED' } },
      { error: { code: 'ERR_DEADLINE_EXCEEDED' } },
    ])
    expect(await byTimeout).toMatchObject({ error: { code: 'ERR_TIMEOUT' } })
    expect(door.status()).toMatchObject({ running: 1, queued: 0 })
    held.success()
  })

  it('is told of an abort at once, with the reason, and leaves no listener', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const held = await door.acquire()
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const waiting = [door.execute(() => 1, { signal: controller.signal }), door.acquire({ signal: controller.signal })]
    const reason = new Error('user left')
    controller.abort(reason)
    expect(await Promise.allSettled(waiting)).toEqual([reason, reason].map((why) => ({ status: 'rejected', reason: why })))
    await expect(door.acquire({ signal: controller.signal })).rejects.toBe(reason)
    expect(door.tryAcquire({ signal: controller.signal })).toMatchObject({ code: 'ERR_CANCELLED' })
    expect(listeners.removed).toBe(listeners.added)
    held.success()
  })
})

describe('many waiters', () => {
  it('83: aborted waiters leave the queue at once, and 100,000 of them leave nothing behind', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 100 })
    const held = await door.acquire()
    const traces: WeakRef<object>[] = []
    for (let round = 0; round < 1_000; round++) {
      const controller = new AbortController()
      const outcomes = Array.from({ length: 100 }, () => {
        const context = {}
        if (round % 100 === 0) traces.push(new WeakRef(context))
        return door.tryExecute(() => context, { signal: controller.signal, context })
      })
      expect(door.status()).toMatchObject({ queued: 100 })
      controller.abort()
      expect(door.status()).toMatchObject({ queued: 0 })
      await Promise.all(outcomes)
    }
    expect(traces).toHaveLength(1_000)
    await new Promise(setImmediate)
    collect()
    expect(traces.filter((trace) => trace.deref() !== undefined)).toEqual([])
    expect(door.status()).toMatchObject({ running: 1, queued: 0, rejected: 0 })
    held.success()
  })

  it('lets 20,000 waiters with synchronous functions through one place, in order and without recursion', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 20_000 })
    const held = await door.acquire()
    const order: number[] = []
    const answers = Array.from({ length: 20_000 }, (_, index) =>
      door.execute(() => {
        order.push(index)
        return index
      }),
    )
    held.success()
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 20_000 }, (_, index) => index))
    expect(order.every((place, index) => place === index)).toBe(true)
    expect(door.status()).toMatchObject({ running: 0, queued: 0, admitted: 20_001 })
  })
})

describe('disposing', () => {
  it('114: turns waiters and later calls away, leaves running ones alone, and drops its timers', async () => {
    const clock = fakeClock()
    const door = bulkhead({ name: 'pool', maxConcurrent: 1, maxQueued: 5, maxWait: '1m', maxHold: '1h', clock })
    const running = work()
    const answer = door.execute(running.run)
    const waiting = [door.execute(() => 1), door.acquire()]
    door.dispose()
    expect(await Promise.allSettled(waiting)).toMatchObject([{ reason: { code: 'ERR_DISPOSED' } }, { reason: { code: 'ERR_DISPOSED' } }])
    await expect(door.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED', policy: 'pool' })
    expect(door.tryAcquire()).toMatchObject({ code: 'ERR_DISPOSED' })
    expect(clock.timers).toEqual([])
    expect(door.health()).toMatchObject({ status: 'fail' })
    running.finish()
    expect(await answer).toBe('done')
    expect(door.status()).toMatchObject({ running: 0, queued: 0 })
    door.dispose()
  })
})
