import { describe, expect, it } from 'vitest'
import { fakeClock, type FakeClock } from '../../core/fake-clock.ts'
import { memoryOnce } from '../../core/ports/memory-once.ts'
import type { OncePort } from '../../core/ports/once-port.ts'
import { faultyOnce } from './faulty-once.fixture.ts'
import { idempotencyManager, type IdempotencyEvent, type InterruptedOperation } from './index.ts'

const write = (deadlineMs = 1_000): { deadlineMs: number; attempt: string } => ({ deadlineMs, attempt: crypto.randomUUID() })

/** A process that claimed the key, wrote a step down, and died. */
async function crash(store: OncePort, clock: FakeClock, key = 'k'): Promise<bigint> {
  const claim = { scope: '/', key, fingerprint: '', leaseMs: 30_000, keepMs: 3_600_000, takeOver: false }
  const begun = await store.begin(claim, write())
  if (!begun.ok || begun.state !== 'fresh') throw new Error('the key is not fresh')
  const { fence } = begun
  await store.checkpoint({ scope: '/', key, fence }, { step: 'reserved', data: new TextEncoder().encode('"seat 7"') }, write())
  await clock.advance('31s')
  return fence
}

describe('104: a crash between execution and record', () => {
  it('is an unknown outcome after the lease, for as long as the record is kept, and nothing runs', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const manager = idempotencyManager({ store, clock })
    await crash(store, clock)
    for (let call = 0; call < 3; call++)
      await expect(manager.execute('k', () => 'again')).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_OUTCOME_UNKNOWN' })
    expect(manager.status()).toMatchObject({ executed: 0, outcomeUnknown: 3 })
  })

  it('is busy as long as the lease holds', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    await store.begin({ scope: '/', key: 'k', fingerprint: '', leaseMs: 30_000, keepMs: 1, takeOver: false }, write())
    await clock.advance('10s')
    const call = idempotencyManager({ store, clock }).execute('k', () => 'again')
    await expect(call).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS', retryAfterMs: 20_000 })
  })

  it('recover is told what is known, and its `completed` is the outcome from then on', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const seen: InterruptedOperation[] = []
    const recover = (operation: InterruptedOperation): { outcome: 'completed'; value: string } => {
      seen.push(operation)
      return { outcome: 'completed', value: 'charged' }
    }
    await crash(store, clock)
    const manager = idempotencyManager({ store, clock, recover })
    expect([await manager.execute('k', () => 'again'), await manager.execute('k', () => 'again')]).toEqual(['charged', 'charged'])
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ key: 'k', tenant: '', operation: '', startedAt: clock.wallNow() - 31_000 })
    expect(seen[0]?.checkpoints.get('reserved')).toBe('seat 7')
    expect(manager.status()).toMatchObject({ executed: 0, recovered: 1, replayed: 1 })
  })

  it('`run-again` goes on from the steps that were written down', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    await crash(store, clock)
    const manager = idempotencyManager({ store, clock, recover: () => ({ outcome: 'run-again' }) })
    let reserved = 0
    const result = await manager.execute('k', async (run) => {
      const seat = await run.step('reserved', () => `seat ${++reserved}`)
      const paid = await run.step('paid', () => true)
      return { seat, paid, steps: [...run.checkpoints.keys()] }
    })
    expect(result).toEqual({ seat: 'seat 7', paid: true, steps: ['reserved', 'paid'] })
    expect(reserved).toBe(0)
  })

  it.each([
    ['unknown', () => ({ outcome: 'unknown' as const })],
    ['thrown', () => Promise.reject(new Error('the provider does not answer'))],
    ['nonsense', () => 'yes' as never],
  ])('a decision that is %s leaves the outcome unknown, and the next caller asks again at once', async (_what, decide) => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    await crash(store, clock)
    let asked = 0
    const recover = (): never => (asked++, decide() as never)
    const manager = idempotencyManager({ store, clock, recover })
    for (let call = 0; call < 2; call++)
      await expect(manager.execute('k', () => 'again')).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_OUTCOME_UNKNOWN' })
    expect(asked).toBe(2)
  })

  it('of 100 callers one decides', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    await crash(store, clock)
    let asked = 0
    const recover = async (): Promise<{ outcome: 'run-again' }> => (asked++, { outcome: 'run-again' })
    let runs = 0
    const managers = Array.from({ length: 100 }, () => idempotencyManager({ store, clock, recover }))
    await Promise.allSettled(managers.map((manager) => manager.execute('k', async () => ++runs)))
    expect([asked, runs]).toEqual([1, 1])
  })
})

describe('106: leases', () => {
  it('a slow operation keeps its claim for ten leases, with one timer, and leaves none behind', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const manager = idempotencyManager({ store, clock, lease: '30s' })
    const other = idempotencyManager({ store, clock, recover: () => ({ outcome: 'run-again' }) })
    const ends: (() => void)[] = []
    const running = Array.from({ length: 50 }, (_, n) =>
      manager.execute(`k${n}`, () => new Promise<string>((resolve) => ends.push(() => resolve('slow')))),
    )
    await clock.settle()
    for (let tens = 0; tens < 30; tens++) {
      await clock.advance('10s')
      expect(clock.timers.filter(({ ref }) => ref)).toHaveLength(1)
      await expect(other.execute('k0', () => 'again')).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS' })
    }
    for (const end of ends) end()
    expect(new Set(await Promise.all(running))).toEqual(new Set(['slow']))
    await clock.advance('1m')
    expect(clock.timers).toEqual([])
  })

  it('an owner that stalled past its lease cannot store when another has taken over: its result is nobody’s', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const manager = idempotencyManager({ store, clock })
    const other = idempotencyManager({ store, clock, recover: () => ({ outcome: 'run-again' }) })
    let end: (value: string) => void = () => undefined
    const stalled = manager.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await clock.settle()
    clock.step(40_000) // the event loop stood still: no timer ran
    expect(await other.execute('k', () => 'second')).toBe('second')
    end('first')
    await expect(stalled).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_LEASE_LOST' })
    expect(await manager.execute('k', () => 'third')).toBe('second')
    expect(manager.status().leaseLost).toBe(1)
  })

  it('the loss is noticed at the next renewal, and the signal of the function is aborted', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const manager = idempotencyManager({ store, clock })
    const other = idempotencyManager({ store, clock, recover: () => ({ outcome: 'run-again' }) })
    let signal: AbortSignal | undefined
    const stalled = manager.execute('k', ({ call }) => new Promise<string>(() => (signal = call.signal)))
    const ended = stalled.catch((error: unknown) => error)
    await clock.settle()
    clock.step(40_000)
    await other.execute('k', () => 'second')
    await clock.advance('1s')
    expect(await ended).toMatchObject({ code: 'ERR_IDEMPOTENCY_LEASE_LOST' })
    expect(signal?.aborted).toBe(true)
  })

  it('an owner that stalled past its lease and was not taken over goes on, and stores', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock })
    let end: (value: string) => void = () => undefined
    const stalled = manager.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await clock.settle()
    clock.step(40_000)
    end('first')
    expect(await stalled).toBe('first')
    expect(await manager.getResult('k')).toBe('first')
  })
})

describe('the store fails', () => {
  it('closed by default: nothing runs', async () => {
    const { store, faults } = faultyOnce(memoryOnce())
    const manager = idempotencyManager({ store })
    faults.push('unavailable')
    await expect(manager.execute('k', () => 'run')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(manager.health()).toMatchObject({ status: 'warn' })
    expect(await manager.execute('k', () => 'run')).toBe('run')
    expect(manager.health()).toEqual({ status: 'pass' })
  })

  it('open: it runs unprotected, and says so', async () => {
    const { store, faults } = faultyOnce(memoryOnce())
    const manager = idempotencyManager({ store, whenUnavailable: 'open' })
    const events: IdempotencyEvent[] = []
    manager.on((event) => events.push(event))
    faults.push('unavailable')
    expect(await manager.execute('k', (run) => run.step('a', () => 'run'))).toBe('run')
    await Promise.resolve()
    expect(events).toMatchObject([{ type: 'idempotency.unprotected', key: 'k' }])
    expect(manager.status().unprotected).toBe(1)
  })

  it.each([
    ['lost-request', 'lost-answer'],
    ['lost-answer', 'lost-answer'],
    ['throws', 'throws'],
  ] as const)('a claim whose requests are %s and %s is sent again under the same name: one run', async (...lost) => {
    const { store, faults } = faultyOnce(memoryOnce())
    const manager = idempotencyManager({ store })
    faults.push(...lost)
    let runs = 0
    expect(await manager.execute('k', () => ++runs)).toBe(1)
    expect(await manager.execute('k', () => ++runs)).toBe(1)
  })

  it('a claim that stays ambiguous is made void: the key is free for the next call', async () => {
    const { store, faults, asked } = faultyOnce(memoryOnce())
    const manager = idempotencyManager({ store })
    faults.push('lost-request', 'lost-request', 'lost-request')
    await expect(manager.execute('k', () => 'run')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(asked).toEqual(['begin', 'begin', 'begin', 'resolve'])
    expect(await manager.execute('k', () => 'run')).toBe('run')
  })

  it('an outcome is stored with patience, and its caller is told meanwhile of nothing false', async () => {
    const clock = fakeClock()
    const { store, faults } = faultyOnce(memoryOnce({ clock }))
    const manager = idempotencyManager({ store, clock })
    faults.push('none', 'unavailable', 'lost-answer', 'lost-answer', 'lost-answer', 'unavailable')
    const running = manager.execute('k', () => 'run')
    await clock.advance('5s')
    expect(await running).toBe('run')
    expect(await manager.getResult('k')).toBe('run')
  })

  it('an outcome that cannot be stored reaches its caller; later calls find it unknown, and nothing runs again', async () => {
    const clock = fakeClock()
    const { store, faults } = faultyOnce(memoryOnce({ clock }))
    const manager = idempotencyManager({ store, clock })
    faults.push('none', ...Array<'unavailable'>(4).fill('unavailable'))
    const running = manager.execute('k', () => 'run')
    await clock.advance('5s')
    expect(await running).toBe('run')
    expect(manager.status().notStored).toBe(1)
    await clock.advance('31s')
    await expect(manager.execute('k', () => 'again')).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_OUTCOME_UNKNOWN' })
  })

  it('renewals that fail are repeated while the operation runs', async () => {
    const clock = fakeClock()
    const { store, faults } = faultyOnce(memoryOnce({ clock }))
    const manager = idempotencyManager({ store, clock, lease: '30s' })
    let end: (value: string) => void = () => undefined
    const running = manager.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await clock.settle()
    faults.push('unavailable', 'throws', 'throws', 'throws', 'unavailable')
    await clock.advance('60s')
    end('slow')
    expect(await running).toBe('slow')
  })

  it('a full memory refuses new keys and forgets none', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock, ttl: '1h', store: memoryOnce({ clock, maxRecords: 10 }) })
    for (let n = 0; n < 10; n++) await manager.execute(`k${n}`, () => n)
    await expect(manager.execute('k10', () => 10)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(await manager.execute('k0', () => 'again')).toBe(0)
    await clock.advance('61m')
    expect(await manager.execute('k10', () => 10)).toBe(10)
  })
})
