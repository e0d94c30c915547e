import { bulkhead, circuitBreaker, pipeline, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, permitOf, record } from './circuit-breaker.fixture.ts'

const make = (clock: FakeClock, options: CircuitBreakerOptions<never> = {}): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ slowCallRatio: 0.5, slowCallDuration: '1s', minimumCalls: 4, clock, ...options })

describe('slow calls', () => {
  it('10: open the circuit although none of them failed', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    const events = record(breaker)
    for (const durationMs of [1_000, 10, 10, 1_000]) {
      expect(breaker.state).toBe('closed')
      const permit = permitOf(breaker)
      clock.step(durationMs)
      permit.success()
    }
    await clock.settle()
    expect(events).toMatchObject([{ type: 'circuit.opened', reason: { rule: 'slow-call-ratio' }, calls: 4, failures: 0, slowCalls: 2 }])
  })

  it('10: a slow success and a slow failure count once each', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { failureRatio: 1, minimumCalls: 100 })
    for (const end of ['succeed', 'fail'] as const) {
      const call = begin(breaker)
      await clock.advance('2s')
      expect(breaker.status().slowCallRate).toBe(1)
      await call[end]()
    }
    expect(breaker.status()).toMatchObject({ calls: 2, failures: 1, failureRate: 0.5, slowCallRate: 1 })
  })

  it('11: are measured by the given clock, from the duration itself on', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { minimumCalls: 100 })
    for (const [durationMs, rate] of [
      [999, 0],
      [1_000, 0.5],
      [1_001, 2 / 3],
    ] as const) {
      const permit = permitOf(breaker)
      clock.step(durationMs) // no timer fires: the end of the call tells by itself
      permit.success()
      expect(breaker.status().slowCallRate).toBe(rate)
    }
  })

  it('11: do not count the time a call waited outside', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { minimumCalls: 2, slowCallRatio: 1 })
    const guarded = pipeline(bulkhead({ maxConcurrent: 1, maxQueued: 10, clock }), breaker)
    const [first, second] = [begin(guarded), begin(guarded)]
    await clock.advance('5s')
    await first.succeed()
    await clock.settle()
    expect(second.ran).toBe(true)
    await second.succeed()
    expect(breaker.status()).toMatchObject({ state: 'closed', slowCallRate: 0.5 })
  })

  it('count as soon as they are slow, not only when they have ended', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    const hanging = Array.from({ length: 4 }, () => begin(breaker))
    await clock.advance(999)
    expect(breaker.status()).toMatchObject({ state: 'closed', slowCallRate: null })
    await clock.advance(1)
    expect(breaker.state).toBe('open')
    expect(hanging.every(({ ran }) => ran)).toBe(true)
  })

  it('that hang count once, and no more when they end', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { minimumCalls: 3, slowCallRatio: 1, windowCalls: 10 })
    const hanging = begin(breaker)
    await clock.advance('10s')
    expect(breaker.status()).toMatchObject({ calls: 0, slowCallRate: 1 })
    await hanging.succeed()
    expect(breaker.status()).toMatchObject({ calls: 1, slowCallRate: 1 })
    const ignored = permitOf(breaker)
    await clock.advance('10s')
    ignored.ignore()
    expect(breaker.status()).toMatchObject({ calls: 1, slowCallRate: 1 })
  })

  it('in flight do not thin out the rate of failures', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { slowCallRatio: 1, failureRatio: 0.5, minimumCalls: 4, failureWindow: '1h' })
    const hanging = Array.from({ length: 3 }, () => begin(breaker))
    await begin(breaker).succeed()
    await clock.advance('5s')
    for (let call = 0; call < 2; call++) await begin(breaker).fail()
    expect(breaker.status()).toMatchObject({ state: 'closed', calls: 3, failures: 2 })
    await begin(breaker).fail() // 3 of 4 that ended
    expect(breaker.state).toBe('open')
    for (const call of hanging) await call.succeed()
  })

  it('are not outweighed by calls that the window has forgotten', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { slowCallRatio: 1, failureWindow: '10s' })
    for (let call = 0; call < 4; call++) permitOf(breaker).success()
    await clock.advance(9_500)
    for (let call = 0; call < 4; call++) permitOf(breaker)
    await clock.advance(1_000)
    expect(breaker.state).toBe('open')
  })

  it('of an earlier closed state count in no later one', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    const hanging = Array.from({ length: 3 }, () => begin(breaker))
    await clock.advance('1s')
    expect(breaker.status().slowCallRate).toBe(1)
    const nearlySlow = begin(breaker)
    breaker.close()
    await clock.advance('10s')
    expect(breaker.status()).toMatchObject({ state: 'closed', slowCallRate: null })
    for (const call of [...hanging, nearlySlow]) await call.succeed()
    expect(breaker.status()).toMatchObject({ state: 'closed', calls: 0, slowCallRate: null, successTotal: 4 })
  })

  it('are not watched while the circuit is open, and the timer goes when nobody is watched', async () => {
    const clock = fakeClock()
    const breaker = make(clock)
    const call = begin(breaker)
    expect(clock.timers).toEqual([{ dueAt: 1_000, ref: true }])
    await call.succeed()
    expect(clock.timers).toEqual([{ dueAt: 1_000, ref: false }])
    await clock.advance('1s')
    expect(clock.timers).toEqual([])
    breaker.forceOpen('1h')
    await begin(breaker).outcome
    expect(clock.timers).toEqual([])
  })

  it('100 watched calls share one timer', () => {
    const clock = fakeClock()
    const breaker = make(clock)
    for (let call = 0; call < 100; call++) permitOf(breaker)
    expect(clock.timers).toHaveLength(1)
  })

  it('make the open event count what is still running', async () => {
    const clock = fakeClock()
    const breaker = make(clock, { minimumCalls: 2 })
    const events = record(breaker)
    await begin(breaker).succeed()
    begin(breaker)
    await clock.advance('1s')
    expect(events).toMatchObject([{ type: 'circuit.opened', calls: 1, slowCalls: 1, failures: 0 }])
  })
})
