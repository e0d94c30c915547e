import { circuitBreaker, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { begin, fail, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

const make = (options: CircuitBreakerOptions<never> = {}): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ clock: fakeClock(), ...options })

describe('the rules of a closed circuit', () => {
  it('1: opens when the rate reaches the ratio, not only above it', async () => {
    const breaker = make({ failureRatio: 0.5, minimumCalls: 4, windowCalls: 4 })
    await succeed(breaker, 2)
    await fail(breaker, 1)
    expect(breaker.state).toBe('closed')
    await fail(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('1: a ratio with no exact binary form is reached by the calls that spell it', async () => {
    for (const [failures, calls] of [
      [1, 10],
      [3, 10],
      [7, 10],
      [29, 100],
      [57, 100],
      [2, 3],
    ] as const) {
      const breaker = make({ failureRatio: failures / calls, minimumCalls: calls, windowCalls: calls })
      await succeed(breaker, calls - failures)
      await fail(breaker, failures - 1)
      expect(breaker.state, `${failures}/${calls}`).toBe('closed')
      await fail(breaker, 1)
      expect(breaker.state, `${failures}/${calls}`).toBe('open')
    }
  })

  it('1: a success that completes the minimum opens as well, since the rate is what counts', async () => {
    const breaker = make({ failureRatio: 0.5, minimumCalls: 4, windowCalls: 10 })
    await fail(breaker, 3)
    await succeed(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('2: stays closed at 100 % failures below the minimum of calls', async () => {
    const breaker = make({ failureRatio: 0.5, minimumCalls: 4 })
    await fail(breaker, 3)
    expect(breaker.state).toBe('closed')
    expect(breaker.failureRate()).toBe(1)
    await fail(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('3: a minimum above the count window, which could never be reached, is refused', () => {
    expect(() => make({ failureRatio: 0.5, windowCalls: 10, minimumCalls: 11 })).toThrow(
      "circuit-breaker: option 'minimumCalls' must be at most windowCalls (10): the circuit could never open, got 11",
    )
    expect(() => make({ failureRatio: 0.5, windowCalls: 10, minimumCalls: 10 })).not.toThrow()
  })

  it('3: the default minimum follows a small count window', async () => {
    const breaker = make({ failureRatio: 1, windowCalls: 3 })
    await fail(breaker, 3)
    expect(breaker.state).toBe('open')
  })

  it('opens at five failures within a minute when no rule is given', async () => {
    const clock = fakeClock()
    const breaker = make({ clock })
    await fail(breaker, 4)
    clock.tick('60s')
    await fail(breaker, 4)
    expect(breaker.state).toBe('closed')
    await fail(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('a failure threshold is not reset by successes in between; a row of failures is', async () => {
    const [within, inARow] = [make({ failureThreshold: 3 }), make({ consecutiveFailures: 3 })]
    for (const breaker of [within, inARow]) {
      await fail(breaker, 2)
      await succeed(breaker, 100)
      await fail(breaker, 1)
    }
    expect([within.state, inARow.state]).toEqual(['open', 'closed'])
  })

  it('a row of failures counts however long it takes', async () => {
    const clock = fakeClock()
    const breaker = make({ consecutiveFailures: 3, clock })
    for (let call = 0; call < 3; call++) {
      await fail(breaker)
      clock.tick('7d')
    }
    expect(breaker.status()).toMatchObject({ state: 'half-open', openedTotal: 1 })
  })

  it('of several rules the first that applies opens, and says so', async () => {
    const rules = { failureThreshold: 4, consecutiveFailures: 3, failureRatio: 0.5, minimumCalls: 5, windowCalls: 10 }
    for (const [calls, rule] of [
      ['fff', 'consecutive-failures'],
      ['ffsff', 'failure-threshold'],
      ['fsffs', 'failure-ratio'],
    ] as const) {
      const breaker = make(rules)
      const events = record(breaker)
      for (const call of calls) await (call === 'f' ? fail(breaker) : succeed(breaker))
      expect(events).toMatchObject([{ type: 'circuit.opened', reason: { rule } }])
    }
  })

  it('13: a failure that arrives while the circuit is open does not extend the open time', async () => {
    const clock = fakeClock()
    const breaker = make({ failureThreshold: 1, openFor: '10s', clock })
    const late = begin(breaker)
    await fail(breaker)
    clock.tick('9s')
    await late.fail()
    expect(breaker.state).toBe('open')
    clock.tick('1s')
    expect(breaker.state).toBe('half-open')
  })

  it('12: of many calls in flight, one opens the circuit; the failures after it change nothing', async () => {
    const breaker = make({ failureThreshold: 2 })
    const events = record(breaker)
    const calls = Array.from({ length: 50 }, () => begin(breaker))
    await Promise.all(calls.map((call) => call.fail()))
    expect(typesOf(events)).toEqual(['opened'])
    expect(breaker.status()).toMatchObject({ openedTotal: 1, failureTotal: 50 })
  })
})

describe('what a closed circuit counts', () => {
  it('14: an ignored error changes no counter but its own, and gives the permit back', async () => {
    const breaker = make({ failureThreshold: 1, ignore: [404] })
    await fail(breaker, 10, Object.assign(new Error('not found'), { status: 404 }))
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, failureTotal: 0, successTotal: 0, ignoredTotal: 10 })
  })

  it('14: an ignored error does not end a row of failures', async () => {
    const breaker = make({ consecutiveFailures: 2, ignore: [404] })
    await fail(breaker)
    await fail(breaker, 1, { status: 404 })
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('15: an error that is neither a failure nor ignored counts as a success', async () => {
    const breaker = make({ consecutiveFailures: 2, isFailure: [500], ignore: [404] })
    await fail(breaker, 1, { status: 500 })
    await fail(breaker, 1, { status: 400 })
    await fail(breaker, 1, { status: 500 })
    expect(breaker.status()).toMatchObject({ state: 'closed', consecutiveFailures: 1, successTotal: 1, failureTotal: 2 })
  })

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

it('calls that are let through by a permit of an earlier closed state are not counted in the present one', async () => {
  const breaker = make({ failureThreshold: 2 })
  const permits = [permitOf(breaker), permitOf(breaker)]
  breaker.close()
  for (const permit of permits) permit.failure(new Error('down'))
  expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, failureTotal: 2 })
})
