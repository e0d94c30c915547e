import { bulkhead, circuitBreaker, hedge, idempotencyManager, pipeline, retry, timeout } from 'holdfast'
import { memoryOnce } from 'holdfast/engines/memory'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

const key = { idempotencyKey: 'order-1' }

describe('idempotency in a pipeline', () => {
  it('103: a call without a key is refused, and nothing runs', async () => {
    const policy = idempotencyManager().policy()
    let runs = 0
    expect(await policy.tryExecute(() => ++runs)).toMatchObject({ ok: false, refusal: { code: 'ERR_IDEMPOTENCY_KEY_MISSING' } })
    expect(
      await idempotencyManager()
        .policy({ required: false })
        .execute(() => ++runs),
    ).toBe(1)
  })

  it('109: a retry inside runs its attempts under one claim, and the outcome is that of the last', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock })
    const keys: unknown[] = []
    const guarded = pipeline(manager.policy(), retry({ maxAttempts: 3, clock, retryOn: () => true }))
    const run = guarded.execute((call) => {
      keys.push(call.idempotencyKey)
      if (keys.length < 3) throw new Error('reset')
      return 'charged'
    }, key)
    await clock.advance('1m')
    expect(await run).toBe('charged')
    expect(keys).toEqual(['order-1', 'order-1', 'order-1'])
    expect(await guarded.execute(() => 'again', key)).toBe('charged')
    expect(manager.status()).toMatchObject({ executed: 1, replayed: 1 })
  })

  it('109: a retry outside whose attempt timed out joins the work that goes on, and gets its outcome', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock })
    let runs = 0
    let end: (value: string) => void = () => undefined
    const guarded = pipeline(retry({ maxAttempts: 5, idempotent: true, clock }), timeout({ after: '1s', clock }), manager.policy())
    const answer = guarded.execute(() => (runs++, new Promise<string>((resolve) => (end = resolve))), key)
    await clock.advance('1500ms')
    end('charged')
    await clock.advance('10s')
    expect([await answer, runs]).toEqual(['charged', 1])
  })

  it('109: hedges inside share the claim, and hedges outside join', async () => {
    for (const outside of [false, true]) {
      const clock = fakeClock()
      const manager = idempotencyManager({ clock })
      const racing = hedge({ delay: '100ms', clock })
      const guarded = outside ? pipeline(racing, manager.policy()) : pipeline(manager.policy(), racing)
      let runs = 0
      const answer = guarded.execute(async () => {
        const run = ++runs
        await new Promise<void>((resolve) => void clock.setTimer(resolve, run === 1 ? 500 : 50))
        return `run ${run}`
      }, key)
      await clock.advance('1s')
      expect([outside, await answer, runs]).toEqual(outside ? [true, 'run 1', 1] : [false, 'run 2', 2])
      expect(await guarded.execute(() => 'again', key)).toBe(outside ? 'run 1' : 'run 2')
      expect(manager.status().executed).toBe(1)
    }
  })

  it('102: a refusal before the function began is not stored, and frees the key', async () => {
    const breaker = circuitBreaker()
    const guarded = pipeline(idempotencyManager().policy(), breaker)
    breaker.isolate()
    await expect(guarded.execute(() => 'charged', key)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED' })
    breaker.close()
    expect(await guarded.execute(() => 'charged', key)).toBe('charged')
  })

  it('102: a refusal after an attempt has run is an outcome', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ clock, failureThreshold: 1 })
    const guarded = pipeline(idempotencyManager({ clock }).policy(), retry({ maxAttempts: 3, clock, retryOn: () => true }), breaker)
    let runs = 0
    const first = guarded.execute(() => {
      runs++
      throw new Error('reset')
    }, key)
    const failed = first.catch((error: unknown) => error)
    await clock.advance('1m')
    expect(await failed).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    breaker.close()
    await expect(guarded.execute(() => ++runs, key)).rejects.toThrow()
    expect(runs).toBe(1)
  })

  it('an inner timeout answers its caller, and what the function still brings is the outcome', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock })
    const guarded = pipeline(manager.policy(), timeout({ after: '1s', clock }))
    let end: (value: string) => void = () => undefined
    const first = guarded.execute(() => new Promise<string>((resolve) => (end = resolve)), key)
    const timedOut = first.catch((error: unknown) => error)
    await clock.advance('2s')
    expect(await timedOut).toMatchObject({ code: 'ERR_TIMEOUT' })
    await expect(guarded.execute(() => 'again', key)).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS' })
    end('charged')
    await clock.settle()
    expect(await guarded.execute(() => 'again', key)).toBe('charged')
  })

  it('a caller who leaves while the function runs changes nothing: its outcome is recorded, and places outside are kept until then', async () => {
    const manager = idempotencyManager()
    const door = bulkhead({ maxConcurrent: 1 })
    const guarded = pipeline(door, manager.policy())
    const caller = new AbortController()
    let aborted = false
    let end: (value: string) => void = () => undefined
    const first = guarded.execute(
      ({ signal }) => {
        signal.addEventListener('abort', () => (aborted = true))
        return new Promise<string>((resolve) => (end = resolve))
      },
      { ...key, signal: caller.signal },
    )
    await new Promise(setImmediate)
    caller.abort(new Error('client gone'))
    await expect(first).rejects.toThrow('client gone')
    expect([aborted, door.status().running]).toEqual([false, 1])
    end('charged')
    await new Promise(setImmediate)
    expect(door.status().running).toBe(0)
    expect(await guarded.execute(() => 'again', key)).toBe('charged')
  })

  it('a caller who leaves before the function began takes the work along, and the key is free', async () => {
    const manager = idempotencyManager({ inFlight: 'join' })
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const guarded = pipeline(manager.policy(), door)
    let free: () => void = () => undefined
    const busy = door.execute(() => new Promise<void>((resolve) => (free = resolve)))
    const caller = new AbortController()
    let runs = 0
    const first = guarded.execute(() => ++runs, { ...key, signal: caller.signal })
    await new Promise(setImmediate)
    caller.abort(new Error('client gone'))
    const second = guarded.execute(() => ++runs, key)
    await expect(first).rejects.toThrow('client gone')
    free()
    await busy
    expect([await second, runs, door.status().queued]).toEqual([1, 1, 0])
  })

  it('one who joined stays when the first caller leaves, even before the function began', async () => {
    const manager = idempotencyManager({ inFlight: 'join' })
    const door = bulkhead({ maxConcurrent: 1, maxQueued: 5 })
    const guarded = pipeline(manager.policy(), door)
    let free: () => void = () => undefined
    const busy = door.execute(() => new Promise<void>((resolve) => (free = resolve)))
    const caller = new AbortController()
    const first = guarded.execute(() => 'charged', { ...key, signal: caller.signal })
    const second = guarded.execute(() => 'again', key)
    await new Promise(setImmediate)
    caller.abort(new Error('client gone'))
    await expect(first).rejects.toThrow('client gone')
    free()
    await busy
    expect(await second).toBe('charged')
  })

  it('107: policies of one manager have operations and tenants of their own', async () => {
    const store = memoryOnce()
    const manager = idempotencyManager({ store })
    const tenantOf = (call: { context: unknown }): string => String(call.context)
    const charge = manager.policy({ operation: 'charge', tenantOf })
    const refund = manager.policy({ operation: 'refund', tenantOf })
    expect(await charge.execute(() => 'a charged', { ...key, context: 'a' })).toBe('a charged')
    expect(await charge.execute(() => 'b charged', { ...key, context: 'b' })).toBe('b charged')
    expect(await refund.execute(() => 'a refunded', { ...key, context: 'a' })).toBe('a refunded')
    expect(await charge.execute(() => 'again', { ...key, context: 'a' })).toBe('a charged')
    expect([charge.status(), manager.status()]).toMatchObject([{ executed: 2, replayed: 1 }, { executed: 3 }])
    expect(() => [manager.policy(), manager.policy()]).toThrow(/operation/)
  })

  it('a deadline of the caller ends its wait, not the operation', async () => {
    const clock = fakeClock()
    const guarded = pipeline(idempotencyManager({ clock }).policy())
    let end: (value: string) => void = () => undefined
    const first = guarded.execute(() => new Promise<string>((resolve) => (end = resolve)), { ...key, deadline: '1s' })
    const late = first.catch((error: unknown) => error)
    await clock.advance('2s')
    expect(await late).toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED' })
    end('charged')
    await clock.settle()
    expect(await guarded.execute(() => 'again', key)).toBe('charged')
  })

  it('reconfigure and describe a policy', async () => {
    const policy = idempotencyManager({ ttl: '1h' }).policy({ name: 'payments', operation: 'charge' })
    expect(policy.describe()).toMatchObject({
      kind: 'idempotency',
      name: 'payments',
      operation: 'charge',
      ttlMs: 3_600_000,
      inFlight: 'reject',
    })
    policy.reconfigure({ inFlight: 'join', required: false })
    expect(policy.describe()).toMatchObject({ inFlight: 'join', required: false, ttlMs: 3_600_000 })
    expect(() => policy.reconfigure({ lease: 1 })).toThrow(/lease/)
    expect(policy.health()).toEqual({ status: 'pass' })
  })
})
