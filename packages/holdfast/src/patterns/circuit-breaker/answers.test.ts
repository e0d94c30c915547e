import { circuitBreaker, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'

const make = (options: CircuitBreakerOptions<never> = {}): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ clock: fakeClock(), ...options })

describe('answers of every kind', () => {
  it('21: a function that throws before its first await is counted like one that rejects', async () => {
    const breaker = make({ failureThreshold: 1 })
    const error = new Error('at once')
    await expect(
      breaker.execute(() => {
        throw error
      }),
    ).rejects.toBe(error)
    expect(breaker.state).toBe('open')
  })

  it('22: a function may answer with a plain value', async () => {
    const breaker = make()
    expect(await breaker.execute(() => 7)).toBe(7)
    expect(await breaker.execute(() => undefined)).toBe(undefined)
    expect(breaker.status().successTotal).toBe(2)
  })

  it('22: a thenable that answers more than once, or throws afterwards, is counted once', async () => {
    const hostile = {
      twice: { then: (yes: (value: unknown) => void) => (yes(1), yes(2)) },
      bothWays: { then: (yes: (value: unknown) => void, no: (error: unknown) => void) => (yes(1), no(new Error('no'))) },
      thenThrows: {
        then: (yes: (value: unknown) => void) => {
          yes(1)
          throw new Error('no')
        },
      },
    }
    for (const [name, thenable] of Object.entries(hostile)) {
      for (const viaOptions of [false, true]) {
        const breaker = make({ failureThreshold: 1 })
        const run = (): PromiseLike<unknown> => thenable as unknown as PromiseLike<unknown>
        expect(await (viaOptions ? breaker.execute(run, { key: 'k' }) : breaker.execute(run)), name).toBe(1)
        expect(breaker.status(), name).toMatchObject({ state: 'closed', successTotal: 1, failureTotal: 0 })
      }
    }
  })

  it('22: a thenable whose `then` cannot be read is one failure', async () => {
    const unreadable = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('unreadable')
      },
    })
    for (const options of [undefined, { key: 'k' }]) {
      const breaker = make({ failureThreshold: 1 })
      await expect(breaker.execute(() => unreadable, options)).rejects.toThrow('unreadable')
      expect(breaker.status()).toMatchObject({ state: 'open', failureTotal: 1 })
    }
  })

  it('any value may be thrown', async () => {
    for (const thrown of [undefined, null, 0, '', 'text', Symbol('s'), Object.create(null)]) {
      const breaker = make({ failureThreshold: 1, isFailure: () => true })
      expect(await breaker.tryExecute(() => Promise.reject(thrown))).toEqual({ ok: false, error: thrown })
      expect(breaker.state).toBe('open')
    }
  })

  it('results can be failures, and are handed on all the same', async () => {
    const breaker = make({ consecutiveFailures: 2, isFailureResult: (value) => (value as { status: number }).status >= 500 })
    expect(await breaker.execute(() => ({ status: 503 }))).toEqual({ status: 503 })
    expect(await breaker.execute(() => ({ status: 200 }))).toEqual({ status: 200 })
    expect(breaker.state).toBe('closed')
    await breaker.execute(() => ({ status: 500 }))
    await breaker.execute(() => ({ status: 503 }))
    expect(breaker.state).toBe('open')
  })

  it('a body that breaks off after the answer is a failure, one that ends well a success', async () => {
    const breaker = make({ failureThreshold: 1 })
    const bodies: { end(): void; breakOff(error: Error): void }[] = []
    const stream = (): Promise<string> =>
      breaker.execute((call) => {
        call.until(new Promise<void>((end, breakOff) => bodies.push({ end, breakOff })))
        return 'headers'
      })
    expect(await stream()).toBe('headers')
    bodies[0]?.end()
    await vi.waitFor(() => expect(breaker.status().successTotal).toBe(1))
    expect(await stream()).toBe('headers')
    expect(breaker.state).toBe('closed')
    bodies[1]?.breakOff(new Error('connection reset'))
    await vi.waitFor(() => expect(breaker.state).toBe('open'))
  })
})

it('a wrapped function keeps its arguments and its `this`', async () => {
  const breaker = make()
  const account = {
    balance: 5,
    add: breaker.wrap(function (this: { balance: number }, amount: number) {
      return this.balance + amount
    }),
  }
  expect(await account.add(3)).toBe(8)
})
