import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../core/fake-clock.ts'
import { memoryOnce } from '../../core/ports/memory-once.ts'
import { idempotencyManager, type IdempotencyManager } from './index.ts'

const payload = { amount: 100, to: 'shop' }

describe('one effect per key', () => {
  it('runs once, and gives the result to all who come later with the key', async () => {
    const manager = idempotencyManager()
    let runs = 0
    const charge = (): Promise<{ id: number }> => manager.execute('order-1', () => ({ id: ++runs }), { payload })
    expect([await charge(), await charge(), runs]).toEqual([{ id: 1 }, { id: 1 }, 1])
    expect(manager.status()).toMatchObject({ executed: 1, replayed: 1, running: 0 })
  })

  it('105: of 1,000 parallel claims one runs, in this manager and over ten managers of one store', async () => {
    const store = memoryOnce()
    for (const managers of [1, 10]) {
      const all = Array.from({ length: managers }, () => idempotencyManager({ store }))
      let runs = 0
      const run = async (): Promise<string> => {
        runs++
        await new Promise(setImmediate)
        return 'done'
      }
      const calls = Array.from({ length: 1_000 }, (_, n) => (all[n % managers] as IdempotencyManager).execute(`key-${managers}`, run))
      const ended = await Promise.allSettled(calls)
      expect(runs).toBe(1)
      const codes = ended.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as { code: string }).code))
      expect(new Set(codes)).toEqual(new Set(['done', 'ERR_IDEMPOTENCY_IN_PROGRESS']))
      expect(codes.filter((code) => code === 'done')).toHaveLength(1)
    }
  })

  it('100: a second call while the first runs is refused, and told when it is worth coming again', async () => {
    const manager = idempotencyManager({ lease: '10s' })
    let end: (value: string) => void = () => undefined
    const first = manager.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await new Promise(setImmediate)
    await expect(manager.execute('k', () => 'again')).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS', retryAfterMs: 10_000 })
    end('once')
    expect(await first).toBe('once')
  })

  it('100: with join the second call has the same outcome, and a copy of its own', async () => {
    const manager = idempotencyManager({ inFlight: 'join' })
    let runs = 0
    const run = async (): Promise<{ items: string[] }> => {
      runs++
      await new Promise(setImmediate)
      return { items: ['a'] }
    }
    const [first, second] = await Promise.all([manager.execute('k', run), manager.execute('k', run)])
    first.items.push('changed by its caller')
    expect([second, await manager.execute('k', run), runs]).toEqual([{ items: ['a'] }, { items: ['a'] }, 1])
  })

  it('100: join waits for an operation of another process, without a question to the store for each millisecond', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    const here = idempotencyManager({ store, clock, inFlight: 'join', random: () => 0.5 })
    const there = idempotencyManager({ store, clock })
    let end: (value: string) => void = () => undefined
    const first = there.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await clock.settle()
    const second = here.execute('k', () => 'again')
    await clock.advance('5s')
    end('once')
    expect(await first).toBe('once')
    await clock.advance('1s')
    expect(await second).toBe('once')
  })

  it('100: join gives up after joinWait', async () => {
    const clock = fakeClock()
    const store = memoryOnce({ clock })
    void idempotencyManager({ store, clock }).execute('k', () => new Promise(() => undefined))
    await clock.settle()
    const second = idempotencyManager({ store, clock, inFlight: 'join', joinWait: '2s' }).execute('k', () => 'again')
    const ended = second.catch((error: unknown) => error)
    await clock.advance('3s')
    expect(await ended).toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS' })
  })

  it('101: another request under the same key is refused in every state, and nothing is executed or changed', async () => {
    const manager = idempotencyManager({ inFlight: 'join' })
    let runs = 0
    const first = manager.execute('k', async () => ++runs, { payload })
    const other = { payload: { amount: 999, to: 'shop' } }
    const mismatch = { code: 'ERR_IDEMPOTENCY_MISMATCH' }
    await expect(manager.execute('k', () => ++runs, other)).rejects.toMatchObject(mismatch)
    await first
    await expect(manager.execute('k', () => ++runs, other)).rejects.toMatchObject(mismatch)
    expect([await manager.execute('k', () => ++runs, { payload }), runs]).toEqual([1, 1])
  })

  it('101: the order of properties, and those that are undefined, make no other request', async () => {
    const manager = idempotencyManager()
    await manager.execute('k', () => 1, { payload: { a: 1, b: { c: [1, 2], d: 'x' } } })
    expect(await manager.execute('k', () => 2, { payload: { b: { d: 'x', c: [1, 2], e: undefined }, a: 1 } })).toBe(1)
    await expect(manager.execute('k', () => 2, { payload: { a: 1, b: { c: [2, 1], d: 'x' } } })).rejects.toMatchObject({
      code: 'ERR_IDEMPOTENCY_MISMATCH',
    })
  })

  it('102: a failure is an outcome, and given again as an error with its name, message, code and status', async () => {
    const manager = idempotencyManager()
    let runs = 0
    const run = (): never => {
      runs++
      throw Object.assign(new RangeError('card declined'), { code: 'card_declined', status: 402 })
    }
    await expect(manager.execute('k', run)).rejects.toBeInstanceOf(RangeError)
    const replayed: unknown = await manager.execute('k', run).catch((error: unknown) => error)
    expect(replayed).toMatchObject({ name: 'RangeError', message: 'card declined', code: 'card_declined', status: 402 })
    expect(runs).toBe(1)
  })

  it('102: failures that surely had no effect free the key when the function says so', async () => {
    const manager = idempotencyManager({ replayFailures: (error) => (error as Error).name !== 'ValidationError' })
    let runs = 0
    const run = (): string => {
      if (++runs === 1) throw Object.assign(new Error('no amount'), { name: 'ValidationError' })
      return 'charged'
    }
    await expect(manager.execute('k', run)).rejects.toThrow('no amount')
    expect(await manager.execute('k', run)).toBe('charged')
  })

  it('107: the same key of another tenant or operation is another effect', async () => {
    const manager = idempotencyManager()
    const scopes = [
      { tenant: 'a', operation: 'x' },
      { tenant: 'b', operation: 'x' },
      { tenant: 'a', operation: 'y' },
      { tenant: 'a/x', operation: '' },
      { tenant: 'a', operation: 'x/' },
    ]
    for (const [index, scope] of scopes.entries()) expect(await manager.execute('k', () => index, scope)).toBe(index)
    for (const [index, scope] of scopes.entries()) expect(await manager.getResult('k', scope)).toBe(index)
    expect(await manager.exists('k')).toBe(false)
  })

  it('108: the time to live begins with the end of the operation; then the key is as new', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock, ttl: '1h', lease: '30s' })
    let end: (value: string) => void = () => undefined
    const first = manager.execute('k', () => new Promise<string>((resolve) => (end = resolve)))
    await clock.advance('50m')
    end('first')
    await first
    await clock.advance('59m')
    expect(await manager.execute('k', () => 'second')).toBe('first')
    await clock.advance('61s')
    expect(await manager.execute('k', () => 'second')).toBe('second')
  })

  it.each([
    ['', 'ERR_IDEMPOTENCY_KEY_MISSING'],
    ['x'.repeat(256), 'ERR_IDEMPOTENCY_KEY_INVALID'],
    ['a\nb', 'ERR_IDEMPOTENCY_KEY_INVALID'],
    ['schlüssel', 'ERR_IDEMPOTENCY_KEY_INVALID'],
  ])('108: the key %j is %s', async (key, code) => {
    await expect(idempotencyManager().execute(key, () => 1)).rejects.toMatchObject({ code })
  })

  it('108: a key of 255 printable characters is fine', async () => {
    expect(await idempotencyManager().execute('~'.repeat(255), () => 1)).toBe(1)
  })
})

describe('results', () => {
  it('what the caller does to its result does not change the stored one', async () => {
    const manager = idempotencyManager()
    const result = await manager.execute('k', () => ({ at: new Date(5), tags: new Set(['a']), left: undefined, total: 10n }))
    result.tags.add('b')
    expect(await manager.execute('k', () => 'again')).toEqual({ at: new Date(5), tags: new Set(['a']), left: undefined, total: 10n })
  })

  it.each([
    ['a function', () => () => 1, /function/],
    ['an instance of a class', () => new URL('http://localhost'), /URL/],
    ['something inside itself', () => Object.assign([] as unknown[], [[]]).concat(), undefined],
    ['too much', () => 'x'.repeat(2_000), /maxResultBytes/],
  ])('%s: the operation was done, is not run again, and the error says why it cannot be replayed', async (what, make, why) => {
    if (what === 'something inside itself') {
      const loop: unknown[] = []
      loop.push(loop)
      make = () => loop
      why = /inside itself/
    }
    const manager = idempotencyManager({ maxResultBytes: 1_000 })
    let runs = 0
    const run = (): unknown => (runs++, make())
    for (let call = 0; call < 2; call++) {
      const error: unknown = await manager.execute('k', run).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'ERR_IDEMPOTENCY_UNSTORABLE' })
      expect((error as Error).message).toMatch(why as RegExp)
    }
    expect(runs).toBe(1)
    expect(manager.status().notStored).toBe(1)
  })

  it('a codec stores what is no plain data', async () => {
    const manager = idempotencyManager({
      codec: {
        encode: (url) => new TextEncoder().encode((url as URL).href),
        decode: (bytes) => new URL(new TextDecoder().decode(bytes)),
      },
    })
    await manager.execute('k', () => new URL('http://localhost/a'))
    expect(await manager.execute('k', () => new URL('http://localhost/b'))).toEqual(new URL('http://localhost/a'))
  })
})

describe('by hand', () => {
  it('a result stored by hand is found, replayed, and stays the first', async () => {
    const manager = idempotencyManager()
    expect([await manager.exists('k'), await manager.getResult('k')]).toEqual([false, undefined])
    expect(await manager.store('k', { id: 7 })).toBe(true)
    expect(await manager.store('k', { id: 8 })).toBe(false)
    expect([await manager.exists('k'), await manager.getResult('k')]).toEqual([true, { id: 7 }])
    expect(await manager.execute('k', () => 'run')).toEqual({ id: 7 })
  })

  it('getResult throws a failure that was stored', async () => {
    const manager = idempotencyManager()
    await manager.execute('k', () => Promise.reject(new Error('declined'))).catch(() => undefined)
    await expect(manager.getResult('k')).rejects.toThrow('declined')
  })

  it('store refuses while the operation runs', async () => {
    const manager = idempotencyManager()
    void manager.execute('k', () => new Promise(() => undefined))
    await new Promise(setImmediate)
    await expect(manager.store('k', 1)).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_IN_PROGRESS' })
  })
})

describe('ensureIdempotent', () => {
  it('keeps signature and this, and takes all arguments for the request', async () => {
    const manager = idempotencyManager()
    const till = {
      charges: 0,
      async charge(this: { charges: number }, id: string, amount: number): Promise<string> {
        return `${id}: ${amount}, charge ${++this.charges}`
      },
    }
    till.charge = manager.ensureIdempotent(till.charge, { keyOf: (id) => id })
    expect([await till.charge('p1', 5), await till.charge('p1', 5)]).toEqual(['p1: 5, charge 1', 'p1: 5, charge 1'])
    await expect(till.charge('p1', 6)).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_MISMATCH' })
  })

  it('103: a call without a key is refused, or runs unprotected where keys are not required', async () => {
    const manager = idempotencyManager()
    const key = (given?: string): string | undefined => given
    let runs = 0
    const strict = manager.ensureIdempotent((_key?: string) => ++runs, { keyOf: key, operation: 'strict' })
    await expect(strict()).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_KEY_MISSING' })
    const lax = manager.ensureIdempotent((_key?: string) => ++runs, { keyOf: key, operation: 'lax', required: false })
    expect([await lax(), await lax(), await lax('k'), await lax('k')]).toEqual([1, 2, 3, 3])
  })

  it('two operations without a name would share their keys: the second is refused', () => {
    const manager = idempotencyManager()
    manager.ensureIdempotent(() => 1, { key: 'job' })
    expect(() => manager.ensureIdempotent(() => 2, { key: 'job' })).toThrow(/operation/)
  })

  it('arguments that are no plain data need a fingerprint', async () => {
    const manager = idempotencyManager()
    const run = manager.ensureIdempotent((_signal: AbortSignal) => 1, { key: 'job' })
    await expect(run(new AbortController().signal)).rejects.toThrow(/fingerprint/)
    const named = manager.ensureIdempotent((_signal: AbortSignal) => 1, { key: 'job', operation: 'named', fingerprint: false })
    expect(await named(new AbortController().signal)).toBe(1)
  })
})

describe('options', () => {
  it.each([
    [{ ttl: 0 }, 'ttl'],
    [{ lease: '50ms' as const }, 'lease'],
    [{ inFlight: 'wait' as never }, 'inFlight'],
    [{ replayFailures: 1 as never }, 'replayFailures'],
    [{ whenUnavailable: 'ajar' as never }, 'whenUnavailable'],
    [{ store: {} as never }, 'store'],
    [{ codec: {} as never }, 'codec'],
    [{ timeToLive: 5 } as never, 'timeToLive'],
  ])('%j is refused, by name', (options, name) => {
    expect(() => idempotencyManager(options)).toThrow(new RegExp(`'${name}'`))
  })

  it('a store that may lose what it acknowledged is refused unless the risk is accepted', () => {
    const weak = Object.create(memoryOnce(), {
      profile: { value: { ...memoryOnce().profile, engine: 'redis', scope: 'region', durability: 'async' } },
    }) as ReturnType<typeof memoryOnce>
    expect(() => idempotencyManager({ store: weak })).toThrow(/may lose what it has acknowledged.*Postgres/)
    expect(idempotencyManager({ store: weak, acceptDuplicateRisk: true }).describe()).toMatchObject({ engine: 'redis' })
  })

  it('reconfigure puts other settings into force, or changes nothing', async () => {
    const clock = fakeClock()
    const manager = idempotencyManager({ clock })
    expect(() => manager.reconfigure({ ttl: 'soon' as never })).toThrow(/ttl/)
    expect(manager.describe()).toMatchObject({ kind: 'idempotency', ttlMs: 86_400_000, engine: 'memory' })
    manager.reconfigure({ ttl: '1m' })
    await manager.execute('k', () => 1)
    await clock.advance('61s')
    expect(await manager.execute('k', () => 2)).toBe(2)
  })

  it('dispose refuses later calls, and lets those under way end and be recorded', async () => {
    const store = memoryOnce()
    const manager = idempotencyManager({ store })
    const running = manager.execute('k', async () => 'done')
    await Promise.resolve()
    manager.dispose()
    expect(await running).toBe('done')
    await expect(manager.execute('k', () => 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    expect(await idempotencyManager({ store }).getResult('k')).toBe('done')
  })
})
