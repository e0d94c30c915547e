import { circuitBreaker, type CircuitBreakerSettings } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { admits, begin, fail, halfOpen, newCircuit, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

describe('reconfigure', () => {
  it('keeps an open circuit open, for the time it has left; the new time holds from the next opening', async () => {
    const { clock, breaker } = newCircuit()
    await fail(breaker)
    clock.tick('4s')
    const { nextAttemptAt, since } = breaker.status()
    breaker.reconfigure({ failureThreshold: 1, openFor: '1s', successThreshold: 1 })
    expect(breaker.status()).toMatchObject({ state: 'open', nextAttemptAt, since, failureTotal: 1, openedTotal: 1 })
    clock.tick(5_999)
    expect(admits(breaker)).toBe(false)
    clock.tick(1)
    await fail(breaker)
    expect(breaker.status()).toMatchObject({ state: 'open', nextAttemptAt: clock.wallNow() + 1_000 })
  })

  it('judges the next failure by the new threshold, with the failures it remembers', async () => {
    const { breaker } = newCircuit({ failureThreshold: 10 })
    await fail(breaker, 4)
    breaker.reconfigure({ failureThreshold: 5 })
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('opens by itself neither when the threshold falls below what it remembers, nor closes', async () => {
    const { breaker } = newCircuit({ failureThreshold: 10 })
    await fail(breaker, 4)
    breaker.reconfigure({ failureThreshold: 2 })
    expect(breaker.state).toBe('closed')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('remembers the latest failures when it is to count more of them', async () => {
    const { breaker } = newCircuit({ failureThreshold: 3 })
    await fail(breaker, 2)
    breaker.reconfigure({ failureThreshold: 4 })
    await fail(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('applies another window of time to the failures it remembers', async () => {
    const { clock, breaker } = newCircuit({ failureThreshold: 3, failureWindow: '60s' })
    await fail(breaker, 2)
    clock.tick('20s')
    breaker.reconfigure({ failureThreshold: 3, failureWindow: '10s' })
    await fail(breaker)
    expect(breaker.state).toBe('closed')
    expect(breaker.status().failures).toBe(1)
  })

  it.each([
    ['a longer window of calls', { windowCalls: 40 }, { calls: 20, failures: 6 }],
    ['a shorter window of calls, of which the latest are kept', { windowCalls: 12 }, { calls: 12, failures: 6 }],
  ])('keeps outcomes in %s', async (_, window, expected) => {
    const { breaker } = newCircuit({ failureThreshold: undefined, failureRatio: 1, windowCalls: 20, minimumCalls: 5 } as never)
    await succeed(breaker, 20)
    await fail(breaker, 6)
    breaker.reconfigure({ failureRatio: 0.9, minimumCalls: 5, ...window })
    expect(breaker.status()).toMatchObject(expected)
  })

  it.each([
    ['20s', { calls: 4, failures: 2 }],
    ['60s', { calls: 8, failures: 4 }],
    ['600s', { calls: 8, failures: 4 }],
  ])('keeps outcomes that are not too old when the window of time becomes %s', async (failureWindow, expected) => {
    const { clock, breaker } = newCircuit({ failureThreshold: undefined, failureRatio: 1, failureWindow: '50s', minimumCalls: 3 } as never)
    for (let step = 0; step < 4; step++) {
      await succeed(breaker)
      await fail(breaker)
      clock.tick('9s')
    }
    breaker.reconfigure({ failureRatio: 0.9, minimumCalls: 100, failureWindow: failureWindow as '20s' })
    expect(breaker.status()).toMatchObject(expected)
    await succeed(breaker)
    expect(breaker.status()).toMatchObject({ calls: expected.calls + 1 })
    clock.tick('600s')
    expect(breaker.status()).toMatchObject({ calls: 0, failures: 0 })
  })

  it('begins an empty window when calls are counted in another way', async () => {
    const { breaker } = newCircuit({ failureThreshold: undefined, failureRatio: 1, windowCalls: 20, minimumCalls: 2 } as never)
    await succeed(breaker)
    await fail(breaker, 3)
    breaker.reconfigure({ failureRatio: 0.5, minimumCalls: 2 })
    expect(breaker.status()).toMatchObject({ calls: 0, failures: 0, failureTotal: 3 })
    await fail(breaker, 2)
    expect(breaker.state).toBe('open')
  })

  it('counts calls under way in the state they began in', async () => {
    const { breaker } = newCircuit({ failureThreshold: 2 })
    const running = begin(breaker)
    breaker.reconfigure({ failureThreshold: 1 })
    await running.fail()
    expect(breaker.state).toBe('open')
  })

  it('lets a half-open circuit decide by the rules under which it became so', async () => {
    const { breaker } = await halfOpen({ successThreshold: 2 })
    await succeed(breaker)
    breaker.reconfigure({ failureThreshold: 1, successThreshold: 5 })
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })

  it('judges calls that were under way by the duration that is slow now', async () => {
    const { clock, breaker } = newCircuit({
      failureThreshold: undefined,
      slowCallRatio: 1,
      slowCallDuration: '1s',
      minimumCalls: 2,
    } as never)
    const calls = [begin(breaker), begin(breaker)]
    clock.tick(999)
    breaker.reconfigure({ slowCallRatio: 1, slowCallDuration: '5s', minimumCalls: 2 })
    clock.tick(2_000)
    for (const call of calls) await call.succeed()
    expect(breaker.status()).toMatchObject({ state: 'closed', slowCallRate: 0, calls: 2 })
    const later = [begin(breaker), begin(breaker)]
    clock.tick(5_000)
    for (const call of later) await call.succeed()
    expect(breaker.status()).toMatchObject({ calls: 4 })
    expect(breaker.status().slowCallRate).toBe(0.5)
  })

  it('forgets which calls were slow when slow means something else', async () => {
    const { clock, breaker } = newCircuit({
      failureThreshold: undefined,
      slowCallRatio: 1,
      slowCallDuration: '1s',
      minimumCalls: 10,
    } as never)
    const call = begin(breaker)
    clock.tick('2s')
    await call.succeed()
    expect(breaker.status().slowCallRate).toBe(1)
    breaker.reconfigure({ slowCallRatio: 1, slowCallDuration: '3s', minimumCalls: 10 })
    expect(breaker.status()).toMatchObject({ calls: 1, slowCallRate: 0 })
  })

  it('disables with its mode, and closes with another one; what a hand has set stays', async () => {
    const { breaker } = newCircuit()
    const events = record(breaker)
    breaker.reconfigure({ failureThreshold: 1, mode: 'disabled' })
    await fail(breaker, 3)
    expect(breaker.state).toBe('disabled')
    breaker.reconfigure({ failureThreshold: 1 })
    expect(breaker.state).toBe('closed')
    breaker.isolate()
    breaker.reconfigure({ failureThreshold: 2, mode: 'metrics-only' })
    expect(breaker.state).toBe('isolated')
    await new Promise(setImmediate)
    expect(typesOf(events)).toEqual(['disabled', 'closed', 'isolated'])
  })

  it('replaces the functions that judge', async () => {
    const { breaker } = newCircuit({ ignore: () => true })
    await fail(breaker, 5)
    expect(breaker.state).toBe('closed')
    breaker.reconfigure({ failureThreshold: 1 })
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('describes what is in force', () => {
    const { breaker } = newCircuit()
    breaker.reconfigure({ consecutiveFailures: 7, openFor: '3s' })
    expect(breaker.describe()).toMatchObject({ consecutiveFailures: 7, openForMs: 3_000 })
    expect(breaker.describe()).not.toHaveProperty('failureThreshold')
  })

  it.each([
    [{ failureThreshold: 0 }, 'failureThreshold'],
    [{ failureThreshold: 3, minimumCalls: 2 }, 'minimumCalls'],
    [{ name: 'other' } as CircuitBreakerSettings, "no option 'name'"],
    [{ fallback: 1 } as CircuitBreakerSettings, "no option 'fallback'"],
  ])('changes nothing when the settings %j are wrong', async (settings, message) => {
    const { breaker } = newCircuit({ failureThreshold: 2 })
    const described = breaker.describe()
    expect(() => breaker.reconfigure(settings)).toThrow(message)
    expect(breaker.describe()).toEqual(described)
    await fail(breaker, 2)
    expect(breaker.state).toBe('open')
  })

  it('keeps its own fallback', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, fallback: 'instead' })
    await breaker.tryExecute(() => Promise.reject(new Error('down')))
    breaker.reconfigure({ failureThreshold: 3 })
    expect(await breaker.execute(() => 'real')).toBe('instead')
  })
})
