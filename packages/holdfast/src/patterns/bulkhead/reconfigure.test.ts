import { bulkhead } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { works } from './bulkhead.fixture.ts'

const nextTurn = (): Promise<void> => new Promise(setImmediate)

describe('reconfigure', () => {
  it('lets waiters in at once when there are more places', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const calls = works(4)
    const answers = calls.map(({ run }) => door.execute(run))
    door.reconfigure({ maxConcurrent: 3, maxQueued: 5 })
    await nextTurn()
    expect(calls.map(({ started }) => started)).toEqual([true, true, true, false])
    for (const call of calls) call.finish()
    await Promise.all(answers)
    expect(door.status()).toMatchObject({ admitted: 4, running: 0, queued: 0 })
  })

  it('lets the surplus finish when there are fewer, and then runs no more than that', async () => {
    const door = bulkhead({ maxConcurrent: 3, maxQueued: 5 })
    const calls = works(5)
    const answers = calls.map(({ run }) => door.execute(run))
    door.reconfigure({ maxConcurrent: 1, maxQueued: 5 })
    expect(door.status()).toMatchObject({ running: 3, queued: 2 })
    calls[0]!.finish()
    calls[1]!.finish()
    await nextTurn()
    expect(door.status()).toMatchObject({ running: 1, queued: 2 })
    calls[2]!.finish()
    await nextTurn()
    expect(calls.map(({ started }) => started)).toEqual([true, true, true, true, false])
    calls[3]!.finish()
    calls[4]!.finish()
    await Promise.all(answers)
  })

  it('keeps those in line for whom a shorter queue has no room, and refuses newcomers', async () => {
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 3 })
    const calls = works(4)
    const answers = calls.map(({ run }) => door.execute(run))
    door.reconfigure({ maxConcurrent: 1, maxQueued: 1 })
    expect(door.status()).toMatchObject({ queued: 3, maxQueued: 1 })
    await expect(door.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    for (const call of calls) call.finish()
    await Promise.all(answers)
  })

  it('lets those who wait do so for as long as they were to, and newcomers for the new time', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5, maxWait: '10s', clock })
    const held = await door.acquire()
    const early = door.tryExecute(() => 1)
    door.reconfigure({ maxConcurrent: 1, maxQueued: 5, maxWait: '1s' })
    const late = door.tryExecute(() => 2)
    await clock.advance('1s')
    expect(await late).toMatchObject({ refusal: { code: 'ERR_BULKHEAD_WAIT' } })
    expect(door.status().queued).toBe(1)
    await clock.advance('9s')
    expect(await early).toMatchObject({ refusal: { code: 'ERR_BULKHEAD_WAIT' } })
    held.success()
    expect(door.status()).toMatchObject({ running: 0, queued: 0 })
  })

  it('lets a waiter leave that came before the time was changed', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5, maxWait: '10s', clock })
    const held = await door.acquire()
    const controller = new AbortController()
    const waiting = door.tryExecute(() => 1, { signal: controller.signal })
    door.reconfigure({ maxConcurrent: 1, maxQueued: 5 })
    controller.abort()
    await waiting
    expect(door.status().queued).toBe(0)
    await clock.advance('20s')
    expect(door.status().expiredWaits).toBe(0)
    held.success()
  })

  it('takes places back by the time that held when they were taken', async () => {
    const clock = fakeClock()
    const door = bulkhead({ maxConcurrent: 100, clock })
    for (let call = 0; call < 70; call++) await door.execute(() => call) // places are shared by now
    const unlimited = await door.acquire()
    door.reconfigure({ maxConcurrent: 100, maxHold: '5s' })
    await door.acquire()
    door.reconfigure({ maxConcurrent: 100, maxHold: '50s' })
    const long = await door.acquire()
    await clock.advance('5s')
    expect(door.status()).toMatchObject({ running: 2, expiredHolds: 1 })
    long.success()
    unlimited.success()
    await clock.advance('100s')
    expect(door.status()).toMatchObject({ running: 0, expiredHolds: 1 })
  })

  it('changes nothing when a setting is wrong', () => {
    const door = bulkhead({ maxConcurrent: 2, maxQueued: 3 })
    const described = door.describe()
    expect(() => door.reconfigure({ maxConcurrent: 4, maxQueued: -1 })).toThrow("option 'maxQueued'")
    expect(() => door.reconfigure({ maxConcurrent: 4, name: 'x' } as never)).toThrow("no option 'name'")
    expect(door.describe()).toEqual(described)
  })
})
