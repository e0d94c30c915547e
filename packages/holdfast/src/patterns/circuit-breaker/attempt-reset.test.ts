import { circuitBreaker } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { fail, halfOpen, newCircuit, permitOf, record, typesOf } from './circuit-breaker.fixture.ts'

describe('attemptReset', () => {
  it('probes an open circuit at once, and counts like any probe', async () => {
    const { breaker } = newCircuit({ successThreshold: 2 })
    const events = record(breaker)
    await fail(breaker)
    expect(await breaker.attemptReset(() => 'up')).toBe(true)
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { successes: 1 } })
    expect(await breaker.attemptReset(async () => 'up')).toBe(true)
    expect(breaker.state).toBe('closed')
    expect(typesOf(events)).toEqual(['opened', 'half-opened', 'closed'])
  })

  it('that fails opens the circuit for its full time', async () => {
    for (const check of [
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down')
      },
    ]) {
      const { clock, breaker } = newCircuit({ successThreshold: 1 })
      await fail(breaker)
      clock.tick('9s')
      expect(await breaker.attemptReset(check)).toBe(false)
      expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 10_000 })
    }
  })

  it('asks isFailureResult and isFailure like every call', async () => {
    const { breaker } = newCircuit({ successThreshold: 1, isFailureResult: (value) => value === 'unwell', isFailure: [500] })
    await fail(breaker, 1, { status: 500 })
    expect(await breaker.attemptReset(() => 'unwell')).toBe(false)
    expect(breaker.state).toBe('open')
    expect(await breaker.attemptReset(() => Promise.reject(Object.assign(new Error(), { status: 404 })))).toBe(true)
    expect(breaker.state).toBe('closed')
  })

  it('on a closed circuit is a call like any other', async () => {
    const { breaker } = newCircuit({ failureThreshold: 2 })
    expect(await breaker.attemptReset(() => 'up')).toBe(true)
    expect(await breaker.attemptReset(() => Promise.reject(new Error('down')))).toBe(false)
    expect(breaker.status()).toMatchObject({ state: 'closed', successTotal: 1, failures: 1 })
  })

  it('does not run beyond the probes, nor when it is isolated, and a fallback does not answer for it', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureThreshold: 1, halfOpenProbes: 1, successThreshold: 1, fallback: 'cached', clock })
    let checks = 0
    const check = (): number => checks++
    await fail(breaker)
    clock.tick('60s')
    permitOf(breaker)
    expect(await breaker.attemptReset(check)).toBe(false)
    breaker.isolate()
    expect(await breaker.attemptReset(check)).toBe(false)
    expect(checks).toBe(0)
  })

  it('does not wait for the lease of a probe that hangs, once that is over', async () => {
    const { clock, breaker } = await halfOpen({ halfOpenProbes: 1, successThreshold: 1, probeTimeout: '5s' })
    permitOf(breaker)
    clock.tick('5s') // reads as open again
    expect(await breaker.attemptReset(() => 'up')).toBe(true)
    expect(breaker.state).toBe('closed')
  })

  it('needs a function, and a mistake is no probe', async () => {
    const { breaker } = await halfOpen()
    await expect(breaker.attemptReset('ping' as never)).rejects.toThrow('circuit-breaker: attemptReset needs a function, got "ping"')
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 0, failures: 0 } })
  })
})
