import { circuitBreaker, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
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
})

it('calls that are let through by a permit of an earlier closed state are not counted in the present one', async () => {
  const breaker = make({ failureThreshold: 2 })
  const permits = [permitOf(breaker), permitOf(breaker)]
  breaker.close()
  for (const permit of permits) permit.failure(new Error('down'))
  expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, failureTotal: 2 })
})
