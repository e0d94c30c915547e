import { circuitBreaker } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { admits, fail, halfOpen, newCircuit, permitOf, succeed } from './circuit-breaker.fixture.ts'

describe('statistics', () => {
  it('are the totals, with rates and the settings that matter', async () => {
    const { breaker, clock } = newCircuit({ failureThreshold: 5 })
    await succeed(breaker, 6)
    await fail(breaker, 2)
    clock.tick('3s')
    expect(breaker.statistics()).toEqual({
      name: 'circuit-breaker',
      state: 'closed',
      totalCalls: 8,
      successCount: 6,
      failureCount: 2,
      successRate: 0.75,
      failureRate: 0.25,
      refusedCount: 0,
      timeSinceLastFailureMs: 3_000,
      recoveryTimeoutMs: 10_000,
      failureThreshold: 5,
    })
  })

  it('have no rates without calls, and no figures for what is not set', () => {
    expect(circuitBreaker({ consecutiveFailures: 1, openFor: Infinity }).statistics()).toMatchObject({
      totalCalls: 0,
      successRate: null,
      failureRate: null,
      timeSinceLastFailureMs: null,
      recoveryTimeoutMs: null,
      failureThreshold: null,
    })
  })

  it('end with a reset', async () => {
    const { breaker } = newCircuit()
    await fail(breaker)
    admits(breaker)
    breaker.reset()
    expect(breaker.statistics()).toMatchObject({ state: 'closed', totalCalls: 0, refusedCount: 0, timeSinceLastFailureMs: null })
  })
})

describe('44: a refusal while all probes run', () => {
  it('says when the first of them ends at the latest, where a time for probes was set', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenProbes: 2, probeTimeout: '5s' })
    permitOf(breaker)
    clock.tick('1s')
    permitOf(breaker)
    clock.tick('1s')
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 3_000 })
  })

  it('says nothing where only the default holds, which is no estimate', async () => {
    const { breaker } = await halfOpen({ halfOpenProbes: 1 })
    permitOf(breaker)
    expect(breaker.tryAcquire()).not.toHaveProperty('retryAfterMs')
  })
})

describe('breakers whose options say the same', () => {
  it('have nothing in common but their settings', async () => {
    const options = { failureThreshold: 1, openFor: '1h' } as const
    const [one, other] = [circuitBreaker({ ...options, name: 'one' }), circuitBreaker({ ...options, name: 'other' })]
    await fail(one)
    one.reconfigure({ failureThreshold: 7 })
    expect([one.state, other.state]).toEqual(['open', 'closed'])
    expect([one.describe()['failureThreshold'], other.describe()['failureThreshold']]).toEqual([7, 1])
    expect([one.name, other.name]).toEqual(['one', 'other'])
  })

  it('are told from those whose options only look the same', () => {
    expect(circuitBreaker({ openFor: Infinity }).describe()).toMatchObject({ openForMs: null })
    for (const openFor of [Number.NaN, 'Infinity', null, '1s;openForFactor=2;'])
      expect(() => circuitBreaker({ openFor: openFor as never }), String(openFor)).toThrow("option 'openFor'")
    expect(() => circuitBreaker({ failureThreshold: '5' as never })).toThrow("option 'failureThreshold'")
    expect(circuitBreaker({ failureThreshold: 5 }).describe()).toMatchObject({ failureThreshold: 5 })
  })
})
