import { circuitBreaker } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, fail, halfOpen, newCircuit, permitOf, record, succeed } from './circuit-breaker.fixture.ts'

describe('status', () => {
  it('of a fresh circuit has no rate, no failure and no next attempt', () => {
    const clock = fakeClock()
    const fresh = {
      kind: 'circuit-breaker',
      name: 'circuit-breaker',
      state: 'closed',
      mode: 'enforce',
      since: clock.wallNow(),
      calls: null,
      failures: 0,
      failureRate: null,
      slowCallRate: null,
      consecutiveFailures: 0,
      probes: null,
      successTotal: 0,
      failureTotal: 0,
      ignoredTotal: 0,
      refusedTotal: 0,
      openedTotal: 0,
      wouldHaveOpenedTotal: 0,
      ejectionsCappedTotal: 0,
      lastFailureAt: null,
      timeSinceLastFailureMs: null,
      nextAttemptAt: null,
    }
    expect(circuitBreaker({ clock }).status()).toEqual(fresh)
    const byRatio = circuitBreaker({ failureRatio: 0.5, slowCallRatio: 0.5, slowCallDuration: '1s', clock })
    expect(byRatio.status()).toEqual({ ...fresh, calls: 0 })
    expect(byRatio.failureRate()).toBe(null)
  })

  it('is plain data', async () => {
    const { breaker, clock } = await halfOpen({ failureRatio: 0.5 })
    for (const look of [
      () => undefined,
      () => permitOf(breaker),
      () => breaker.forceOpen(Infinity),
      () => breaker.isolate(),
      () => clock.tick('1h'),
    ]) {
      look()
      const status = breaker.status()
      expect(JSON.parse(JSON.stringify(status))).toEqual(status)
    }
  })

  it('an open circuit still shows what opened it, for as long as the window remembers', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureRatio: 0.5, minimumCalls: 4, failureWindow: '20s', openFor: '1h', clock })
    await succeed(breaker)
    await fail(breaker, 3)
    clock.tick('5s')
    expect(breaker.status()).toMatchObject({
      state: 'open',
      since: clock.wallNow() - 5_000,
      calls: 4,
      failures: 3,
      failureRate: 0.75,
      consecutiveFailures: 3,
      lastFailureAt: clock.wallNow() - 5_000,
      timeSinceLastFailureMs: 5_000,
      nextAttemptAt: clock.wallNow() + 3_595_000,
    })
    clock.tick('15s')
    expect(breaker.status()).toMatchObject({ calls: 0, failures: 0, failureRate: null, timeSinceLastFailureMs: 20_000 })
  })

  it('without a window, the rate is that of all calls ever', async () => {
    const { breaker, clock } = newCircuit({ failureThreshold: 10 })
    await succeed(breaker, 3)
    await fail(breaker)
    clock.tick('365d')
    expect(breaker.status()).toMatchObject({ failures: 0, failureRate: 0.25, successTotal: 3, failureTotal: 1 })
  })

  it('43: an open circuit whose time is over reads as half-open, and reading it changes nothing', async () => {
    const { breaker, clock } = await halfOpen()
    const events = record(breaker)
    clock.tick('5s')
    for (let look = 0; look < 3; look++) {
      expect(breaker.state).toBe('half-open')
      expect(breaker.status()).toMatchObject({
        state: 'half-open',
        since: clock.wallNow() - 5_000,
        nextAttemptAt: null,
        probes: { running: 0, successes: 0, failures: 0 },
      })
      expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'circuit-breaker' is half-open" })
      expect(breaker.describe()).toEqual(breaker.describe())
      expect(breaker.failureRate()).toBe(1)
    }
    await clock.settle()
    expect(events).toEqual([]) // its event comes with the first probe
    await succeed(breaker)
    expect(events).toMatchObject([{ type: 'circuit.half-opened', at: clock.wallNow() }])
  })

  it('43: a clock that is only read gives back the same state, forwards and backwards', async () => {
    const { breaker, clock } = await halfOpen({ probeTimeout: '5s', successThreshold: 1 })
    const permit = permitOf(breaker)
    const states: string[] = []
    for (const stepMs of [0, 5_000, 10_000, -15_000]) {
      clock.step(stepMs)
      states.push(breaker.state)
    }
    expect(states).toEqual(['half-open', 'open', 'half-open', 'half-open'])
    permit.success()
    expect(breaker.state).toBe('closed')
  })

  it('a half-open circuit shows its probes', async () => {
    const { breaker } = await halfOpen({ halfOpenFailureRatio: 0.5, halfOpenProbes: 6 })
    const running = begin(breaker)
    await succeed(breaker, 2)
    await fail(breaker)
    expect(breaker.status().probes).toEqual({ running: 1, successes: 2, failures: 1 })
    await running.succeed()
    expect(breaker.status().probes).toEqual({ running: 0, successes: 3, failures: 1 })
  })
})

describe('health', () => {
  it('an open circuit is a warning with its reason, never a failure', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ name: 'search', failureThreshold: 1, openFor: '30s', clock })
    expect(breaker.health()).toEqual({ status: 'pass' })
    await fail(breaker)
    expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'search' is open, next attempt in 30 s" })
    clock.tick(29_001)
    expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'search' is open, next attempt in 1 s" })
    breaker.isolate()
    expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'search' is isolated" })
    breaker.disable()
    expect(breaker.health()).toEqual({ status: 'pass' })
  })
})

describe('the description', () => {
  it('names the rules that hold, and no others, in milliseconds', () => {
    expect(circuitBreaker().describe()).toEqual({
      kind: 'circuit-breaker',
      name: 'circuit-breaker',
      failureThreshold: 5,
      failureWindowMs: 60_000,
      successThreshold: 2,
      halfOpenProbes: 2,
      probeTimeoutMs: 60_000,
      openForMs: 60_000,
      mode: 'enforce',
      trips: 'any',
      hasFallback: false,
    })
    const all = circuitBreaker({
      name: 'all',
      consecutiveFailures: 3,
      failureRatio: 0.5,
      slowCallRatio: 0.8,
      slowCallDuration: '2s',
      windowCalls: 50,
      openFor: () => '1m',
      maxOpenFor: '10m',
      openForJitter: 0.2,
      halfOpenFailureRatio: 0.3,
      probeTimeout: '5s',
      mode: 'metrics-only',
      fallback: null,
    })
    expect(all.describe()).toEqual({
      kind: 'circuit-breaker',
      name: 'all',
      consecutiveFailures: 3,
      failureRatio: 0.5,
      slowCallRatio: 0.8,
      slowCallMs: 2_000,
      minimumCalls: 20,
      windowCalls: 50,
      halfOpenProbes: 10,
      halfOpenFailureRatio: 0.3,
      probeTimeoutMs: 5_000,
      openForMs: 60_000,
      openForIsComputed: true,
      maxOpenForMs: 600_000,
      openForJitter: 0.2,
      mode: 'metrics-only',
      trips: 'any',
      hasFallback: true,
    })
  })

  it('is plain JSON, also without an end of the open time, and cannot be changed', () => {
    for (const options of [{}, { openFor: Infinity }, { openFor: '1s', openForFactor: 2 }, { failureRatio: 0.5 }] as const) {
      const description = circuitBreaker(options).describe()
      expect(JSON.parse(JSON.stringify(description))).toEqual(description)
      expect(() => Object.assign(description, { name: 'other' })).toThrow(TypeError)
    }
  })
})
