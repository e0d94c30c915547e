import { bulkhead, pipeline, timeout, type BulkheadEvent, type CompartmentedBulkheadOptions, type Permit } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { work, works } from './bulkhead.fixture.ts'

/** The compartments of the specification. */
const compartments = {
  critical: { maxConcurrent: 10, maxQueued: 20 },
  normal: { maxConcurrent: 5, maxQueued: 10 },
  background: { maxConcurrent: 2, maxQueued: 5 },
}

describe('compartments', () => {
  it('have places and queues of their own: a full one takes nothing from the others', async () => {
    const pool = bulkhead({ compartments })
    const background = works(7)
    const answers = background.map(({ run }) => pool.compartment('background').execute(run))
    await expect(pool.compartment('background').execute(() => 1)).rejects.toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      policy: 'bulkhead/background',
    })
    const permits = await Promise.all(Array.from({ length: 10 }, () => pool.compartment('critical').acquire()))
    expect(pool.status().compartments).toMatchObject({
      critical: { running: 10, queued: 0 },
      normal: { running: 0 },
      background: { running: 2, queued: 5, rejected: 1 },
    })
    for (const permit of permits) permit.success()
    for (const one of background) one.finish()
    await Promise.all(answers)
    expect(pool.status().compartments).toMatchObject({
      critical: { running: 0, succeeded: 10 },
      background: { running: 0, queued: 0, succeeded: 7 },
    })
  })

  it("send each call to the compartment of its key, through the pool's own acquire, execute and pipelines", async () => {
    const clock = fakeClock()
    const pool = bulkhead({ compartments, clock })
    const permit = await pool.acquire({ key: 'critical' })
    const running = work()
    const answer = pipeline(timeout({ after: '1m', clock }), pool).execute(running.run, { key: 'normal' })
    expect(pool.status().compartments).toMatchObject({ critical: { running: 1 }, normal: { running: 1 }, background: { running: 0 } })
    permit.success()
    running.finish()
    await answer
    expect(pool.status().compartments).toMatchObject({ critical: { running: 0, succeeded: 1 }, normal: { running: 0, succeeded: 1 } })
  })

  it('queue routed calls, and lose no place when one gives up', async () => {
    const pool = bulkhead({ compartments: { only: { maxConcurrent: 1, maxQueued: 5 } }, compartmentOf: () => 'only' })
    const held = await pool.acquire()
    const controller = new AbortController()
    const gone = pool.tryExecute(() => 1, { signal: controller.signal })
    const next = pool.execute(() => 'in')
    expect(pool.compartment('only').status()).toMatchObject({ running: 1, queued: 2 })
    held.success()
    controller.abort()
    expect(await next).toBe('in')
    expect((await gone).ok).toBe(false)
    expect(pool.compartment('only').status()).toMatchObject({ running: 0, queued: 0 })
  })

  it('can be chosen by anything the call says', async () => {
    const pool = bulkhead({ compartments, compartmentOf: ({ priority }) => (priority === 'low' ? 'background' : 'critical') })
    const permits = [await pool.acquire({ priority: 'low' }), await pool.acquire({ priority: 'critical' })]
    expect(pool.status().compartments).toMatchObject({ critical: { running: 1 }, background: { running: 1 } })
    for (const permit of permits) permit.success()
  })

  it('refuse a call of no compartment instead of letting it in somewhere', async () => {
    const pool = bulkhead({ name: 'pool', compartments })
    for (const key of [undefined, '', 'urgent', 'constructor', '__proto__']) {
      expect(pool.tryAcquire({ key })).toMatchObject({ refused: true, code: 'ERR_UNKNOWN_NAME', policy: 'pool' })
      await expect(pool.execute(() => 1, { key })).rejects.toMatchObject({ code: 'ERR_UNKNOWN_NAME' })
    }
    const throwing = bulkhead({
      compartments,
      compartmentOf: () => {
        throw new Error('cannot tell')
      },
    })
    await expect(throwing.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_NAME' })
  })

  it('are found by name, and a near miss is named', () => {
    const pool = bulkhead({ name: 'pool', compartments })
    expect(pool.compartmentNames).toEqual(['critical', 'normal', 'background'])
    expect(pool.compartment('normal').name).toBe('pool/normal')
    expect(() => pool.compartment('critcal')).toThrow("pool: there is no compartment 'critcal' (did you mean 'critical'?)")
    expect(() => pool.compartment('critcal')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_NAME' }))
  })

  it('can be resized alone', async () => {
    const pool = bulkhead({ compartments })
    pool.compartment('background').resize(3)
    expect(pool.describe()).toEqual({
      kind: 'compartmented-bulkhead',
      name: 'bulkhead',
      compartments: {
        critical: { kind: 'bulkhead', name: 'bulkhead/critical', maxConcurrent: 10, maxQueued: 20 },
        normal: { kind: 'bulkhead', name: 'bulkhead/normal', maxConcurrent: 5, maxQueued: 10 },
        background: { kind: 'bulkhead', name: 'bulkhead/background', maxConcurrent: 3, maxQueued: 5 },
      },
    })
  })

  it('warn together, naming those that are full', () => {
    const pool = bulkhead({ name: 'pool', compartments: { a: { maxConcurrent: 1 }, b: { maxConcurrent: 1 } } })
    expect(pool.health()).toEqual({ status: 'pass' })
    pool.tryAcquire({ key: 'b' })
    expect(pool.health()).toEqual({ status: 'warn', reason: "bulkhead 'pool/b' is full: 1 run, 0 wait" })
    pool.dispose()
    expect(pool.health().status).toBe('fail')
    expect(pool.tryAcquire({ key: 'a' })).toMatchObject({ code: 'ERR_DISPOSED' })
  })

  it('are listened to together or one by one', async () => {
    const pool = bulkhead({ name: 'pool', compartments: { a: { maxConcurrent: 1 }, b: { maxConcurrent: 1 } } })
    const all: BulkheadEvent[] = []
    const ofB: BulkheadEvent[] = []
    const end = pool.on((event) => all.push(event))
    pool.compartment('b').on((event) => ofB.push(event))
    const permits = [pool.tryAcquire({ key: 'a' }) as Permit, pool.tryAcquire({ key: 'b' }) as Permit]
    pool.tryAcquire({ key: 'a' })
    pool.tryAcquire({ key: 'b' })
    await new Promise(setImmediate)
    expect(all.map(({ policy }) => policy)).toEqual(['pool/a', 'pool/b'])
    expect(ofB.map(({ policy }) => policy)).toEqual(['pool/b'])
    end()
    pool.tryAcquire({ key: 'a' })
    await new Promise(setImmediate)
    expect(all).toHaveLength(2)
    for (const permit of permits) permit.success()
  })

  it.each<[Record<string, unknown>, string]>([
    [{ compartments: {} }, "bulkhead: option 'compartments' must be an object with at least one compartment"],
    [{ compartments: undefined }, "bulkhead: option 'compartments' must be"],
    [{ compartments: { a: null } }, 'bulkhead/a: options must be an object, got null'],
    [{ compartments: { a: { maxConcurrent: 0 } } }, "bulkhead/a: option 'maxConcurrent' must be a whole number from 1 up, got 0"],
    [{ compartments: { a: { maxConcurrent: 1, name: 'b' } } }, "bulkhead/a: there is no option 'name'"],
    [{ compartments: { a: { maxConcurrent: 1 } }, maxConcurrent: 3 }, "bulkhead: there is no option 'maxConcurrent'"],
    [{ compartments: { a: { maxConcurrent: 1 } }, compartmentOf: 'key' }, "bulkhead: option 'compartmentOf' must be a function"],
  ])('refuse %o', (options, message) => {
    expect(() => bulkhead(options as unknown as CompartmentedBulkheadOptions)).toThrow(message)
  })
})
