import { bulkhead, circuitBreaker, fallback, HoldfastError, isHoldfastError, pipeline, retry, timeout, type FallbackEvent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'

const down = new Error('down')
const failing = (): Promise<never> => Promise.reject(down)

describe('the answer', () => {
  it("is the function's own while it succeeds", async () => {
    const handler = vi.fn(() => 'substitute')
    const policy = fallback(handler)
    for (const value of ['fresh', undefined, null, 0, false, '']) expect(await policy.execute(() => Promise.resolve(value))).toBe(value)
    expect(handler).not.toHaveBeenCalled()
    expect(policy.status()).toMatchObject({ used: 0, failed: 0 })
  })

  it('is the value instead, whatever its kind', async () => {
    for (const value of [[], 'text', 0, null, undefined, new Map(), { items: [] }, { when: 'never' }, Symbol('s'), new Date(0)]) {
      expect(await fallback(value).execute(failing)).toBe(value)
      expect(await fallback({ value }).execute(failing)).toBe(value)
    }
  })

  it('is what a function makes of the error in hand, and of the call', async () => {
    const policy = fallback((error, call) => [error, call.key, call.context])
    expect(await policy.execute(failing, { key: 'user-7', context: 'page' })).toEqual([down, 'user-7', 'page'])
    expect(await fallback({ handler: (error) => (error as Error).message }).execute(failing)).toBe('down')
  })

  it('may take its time: an async handler is awaited', async () => {
    const clock = fakeClock()
    const handler = async (): Promise<string> => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 5_000))
      return 'from the archive'
    }
    const policy = fallback(handler)
    const answer = policy.execute(failing)
    await clock.advance('4s')
    expect(policy.status()).toMatchObject({ used: 0 }) // not yet
    await clock.advance('1s')
    expect(await answer).toBe('from the archive')
    expect(policy.status()).toMatchObject({ used: 1, failed: 0 })
  })

  it('replaces a throw before the first await as well', async () => {
    const answer = fallback('substitute').execute(() => {
      throw down
    })
    expect(await answer).toBe('substitute')
  })

  it('is a function when the value is one', async () => {
    const value = (): string => 'called by the caller'
    expect(await fallback({ value }).execute(failing)).toBe(value)
  })

  it('of a wrapped function keeps arguments and `this`', async () => {
    const safe = fallback(-1).wrap(function (this: { base: number }, more: number) {
      if (more > 5) throw down
      return this.base + more
    })
    expect(await safe.call({ base: 1 }, 2)).toBe(3)
    expect(await safe.call({ base: 1 }, 6)).toBe(-1)
  })
})

describe('which failures are answered', () => {
  it('all of them by default, whatever was thrown', async () => {
    for (const thrown of [undefined, null, 0, 'text', down]) {
      const handler = vi.fn(() => 'substitute')
      const answer = fallback(handler).execute(() => {
        throw thrown
      })
      expect(await answer).toBe('substitute')
      expect(handler.mock.calls[0]?.at(0)).toBe(thrown)
    }
  })

  it('only those that `when` wants; the others pass untouched', async () => {
    const policy = fallback({ value: 'substitute', when: (error) => (error as Error).message === 'down' })
    expect(await policy.execute(failing)).toBe('substitute')
    const other = new Error('other')
    await expect(policy.execute(() => Promise.reject(other))).rejects.toBe(other)
    expect(policy.status()).toMatchObject({ used: 1, failed: 0 })
  })

  it('none, when `when` throws or promises its answer; the caller has its own error, and the event tells', async () => {
    const broken = new Error('broken predicate')
    const predicates = [
      () => {
        throw broken
      },
      () => Promise.resolve(true),
      () => Promise.reject(broken),
    ]
    for (const when of predicates) {
      const policy = fallback({ value: 'substitute', when: when as never })
      const events: FallbackEvent[] = []
      policy.on((event) => events.push(event))
      await expect(policy.execute(failing)).rejects.toBe(down)
      expect(policy.status()).toMatchObject({ used: 0, failed: 1 })
      expect(events).toMatchObject([{ type: 'fallback.failed' }])
    }
  })

  it('refusals of the policies inside, which the handler sees as errors', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ name: 'payments', consecutiveFailures: 1, openFor: '1m', clock })
    const full = bulkhead({ name: 'places', maxConcurrent: 1, clock })
    await breaker.tryExecute(failing)
    void full.tryExecute(() => new Promise(() => undefined))
    for (const [gate, code] of [
      [breaker, 'ERR_CIRCUIT_OPEN'],
      [full, 'ERR_BULKHEAD_FULL'],
    ] as const) {
      const seen: unknown[] = []
      const outcome = await pipeline(
        fallback((error) => {
          seen.push(error)
          return 'substitute'
        }),
        gate,
      ).tryExecute(() => 'fresh')
      expect(outcome).toEqual({ ok: true, value: 'substitute' })
      expect(seen[0]).toBeInstanceOf(HoldfastError)
      expect(isHoldfastError(seen[0], code)).toBe(true)
    }
  })

  it('what is left after all attempts, not the failure of each', async () => {
    const clock = fakeClock()
    const handler = vi.fn(() => 'substitute')
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const answer = pipeline(fallback(handler), retry({ maxAttempts: 3, clock }), timeout({ after: '1s', clock })).execute(() =>
      Promise.reject(reset),
    )
    await clock.advance('1m')
    expect(await answer).toBe('substitute')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('a handler that fails', () => {
  it('brings its own error to the caller, and the event tells', async () => {
    const clock = fakeClock()
    const second = new Error('archive down')
    for (const handler of [
      () => {
        throw second
      },
      () => Promise.reject(second),
    ]) {
      const policy = fallback({ name: 'archive', handler, clock })
      const events: FallbackEvent[] = []
      policy.on((event) => events.push(event))
      await expect(policy.execute(failing)).rejects.toBe(second)
      expect(events).toEqual([{ type: 'fallback.failed', policy: 'archive', at: clock.wallNow(), error: second }])
      expect(policy.status()).toEqual({ kind: 'fallback', name: 'archive', used: 0, failed: 1 })
    }
  })

  it('with a refusal of another policy has failed as well', async () => {
    const refusal = new HoldfastError({ code: 'ERR_CIRCUIT_OPEN', policy: 'archive' })
    const policy = fallback(() => Promise.reject(refusal))
    await expect(policy.execute(failing)).rejects.toBe(refusal)
    expect(policy.status()).toMatchObject({ used: 0, failed: 1 })
  })

  it('with the very error in hand has declined: nothing is counted', async () => {
    const policy = fallback((error) => {
      throw error
    })
    await expect(policy.execute(failing)).rejects.toBe(down)
    expect(policy.status()).toMatchObject({ used: 0, failed: 0 })
  })

  it('hands over to the next fallback outside: primary, secondary, cache', async () => {
    const cached = vi.fn((error: unknown) => `cached, since ${(error as Error).message}`)
    const secondary = vi.fn(() => Promise.reject(new Error('secondary down')))
    const guarded = pipeline(fallback(cached), fallback(secondary))
    expect(await guarded.execute(failing)).toBe('cached, since secondary down')
    expect(secondary.mock.calls[0]?.at(0)).toBe(down)
    expect(await guarded.execute(() => 'fresh')).toBe('fresh')
    expect(cached).toHaveBeenCalledTimes(1)
  })
})

describe('events and status', () => {
  it('tell each use, with the failure it stands for', async () => {
    const clock = fakeClock()
    const policy = fallback({ name: 'archive', value: [], clock })
    const events: FallbackEvent[] = []
    const end = policy.on((event) => events.push(event))
    await policy.execute(failing)
    await clock.settle()
    end()
    await policy.execute(failing)
    await clock.settle()
    expect(events).toEqual([{ type: 'fallback.used', policy: 'archive', at: clock.wallNow(), error: down }])
    expect(policy.status()).toMatchObject({ used: 2, failed: 0 })
  })

  it('describe() says what it answers with, not the answer', () => {
    expect(fallback({ name: 'archive', value: { secret: 1 } }).describe()).toEqual({
      kind: 'fallback',
      name: 'archive',
      answers: 'value',
      conditional: false,
    })
    expect(fallback({ handler: () => 1, when: () => true }).describe()).toMatchObject({ answers: 'function', conditional: true })
  })
})
