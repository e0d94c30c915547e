import { circuitBreaker, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, fail, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

const dark = (clock: FakeClock, options: CircuitBreakerOptions<never>): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ mode: 'metrics-only', clock, ...options })

describe('48: metrics-only', () => {
  it('says once per crossing that the circuit would have opened, and refuses nothing', async () => {
    const breaker = dark(fakeClock(), { consecutiveFailures: 3 })
    const events = record(breaker)
    await fail(breaker, 10)
    expect(events).toMatchObject([{ type: 'circuit.would-have-opened', reason: { rule: 'consecutive-failures' }, failures: 3 }])
    await succeed(breaker)
    await fail(breaker, 5)
    expect(typesOf(events)).toEqual(['would-have-opened', 'would-have-opened'])
    expect(breaker.status()).toMatchObject({
      state: 'closed',
      mode: 'metrics-only',
      refusedTotal: 0,
      openedTotal: 0,
      wouldHaveOpenedTotal: 2,
      failureTotal: 15,
    })
  })

  it('crosses again when the failures have left the window, by time as well as by calls', async () => {
    const clock = fakeClock()
    const byTime = dark(clock, { failureThreshold: 2, failureWindow: '10s' })
    const byCalls = dark(clock, { failureRatio: 0.5, windowCalls: 4 })
    const [timeEvents, callEvents] = [record(byTime), record(byCalls)]
    await fail(byTime, 5)
    clock.tick('10s')
    await fail(byTime, 2)
    expect(typesOf(timeEvents)).toEqual(['would-have-opened', 'would-have-opened'])
    await succeed(byCalls, 2)
    await fail(byCalls, 4)
    await succeed(byCalls, 3)
    await fail(byCalls, 2)
    expect(callEvents).toMatchObject([
      { calls: 4, failures: 2 },
      { calls: 4, failures: 2 },
    ])
  })

  it('a second rule that stops applying does not make the first one cross again', async () => {
    const clock = fakeClock()
    const breaker = dark(clock, { consecutiveFailures: 2, slowCallRatio: 1, slowCallDuration: '1s', minimumCalls: 1, failureWindow: '10s' })
    const events = record(breaker)
    await fail(breaker, 2)
    const slow = begin(breaker)
    await clock.advance('1s')
    await slow.fail()
    await fail(breaker)
    expect(typesOf(events)).toEqual(['would-have-opened'])
  })

  it('tells of slow calls that still run', async () => {
    const clock = fakeClock()
    const breaker = dark(clock, { slowCallRatio: 1, slowCallDuration: '1s', minimumCalls: 2 })
    const events = record(breaker)
    permitOf(breaker)
    permitOf(breaker)
    await clock.advance('1s')
    expect(events).toMatchObject([{ type: 'circuit.would-have-opened', reason: { rule: 'slow-call-ratio' }, slowCalls: 2 }])
    expect(breaker.state).toBe('closed')
  })

  it('does not open when openOn asks for it, either', async () => {
    const breaker = dark(fakeClock(), { failureThreshold: 5, openOn: ({ value }) => (value === 429 ? '30s' : undefined) })
    const events = record(breaker)
    await fail(breaker, 3, 429)
    expect(breaker.state).toBe('closed')
    expect(events).toMatchObject([{ type: 'circuit.would-have-opened', reason: { rule: 'asked' } }])
    await succeed(breaker)
    await fail(breaker, 1, 429)
    expect(events).toHaveLength(2)
  })

  it('a success between two failures makes two crossings where one failure is enough', async () => {
    const breaker = dark(fakeClock(), { consecutiveFailures: 1 })
    const events = record(breaker)
    await fail(breaker)
    await succeed(breaker)
    await fail(breaker)
    expect(events).toHaveLength(2)
  })

  it('crosses anew after it was closed by hand', async () => {
    const breaker = dark(fakeClock(), { consecutiveFailures: 1 })
    const events = record(breaker)
    await fail(breaker)
    breaker.close()
    await fail(breaker)
    expect(events).toHaveLength(2)
  })

  it('still obeys a hand', () => {
    const breaker = dark(fakeClock(), {})
    breaker.isolate()
    expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED' })
  })
})
