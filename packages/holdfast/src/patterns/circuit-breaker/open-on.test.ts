import { circuitBreaker, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, fail, permitOf, record } from './circuit-breaker.fixture.ts'

const make = (options: CircuitBreakerOptions<never>): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ failureThreshold: 1, clock: fakeClock(), ...options })

describe('47: an answer that says for how long', () => {
  const retryAfter = (seconds: number): Error & { status: number; seconds: number } =>
    Object.assign(new Error('429'), { status: 429, seconds })
  const openOn: CircuitBreakerOptions['openOn'] = ({ ok, value }) => {
    const { status, seconds } = (value ?? {}) as { status?: number; seconds?: number }
    return status === 429 ? `${seconds ?? (ok ? 5 : 7)}s` : undefined
  }

  it('opens for that long, at the first one, and does not count as a failure', async () => {
    const clock = fakeClock()
    const breaker = make({ failureThreshold: 5, openFor: '1h', openOn, clock })
    const events = record(breaker)
    await fail(breaker, 1, retryAfter(30))
    expect(breaker.status()).toMatchObject({
      state: 'open',
      failures: 0,
      failureTotal: 0,
      ignoredTotal: 1,
      lastFailureAt: null,
      nextAttemptAt: clock.wallNow() + 30_000,
    })
    expect(events).toMatchObject([{ type: 'circuit.opened', reason: { rule: 'asked' }, openForMs: 30_000 }])
    expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 30_000 })
    clock.tick('30s')
    expect(breaker.state).toBe('half-open')
  })

  it('may be a result as well as an error', async () => {
    const breaker = make({ openOn })
    expect(await breaker.execute(() => ({ status: 429 }))).toEqual({ status: 429 })
    expect(breaker.status()).toMatchObject({ state: 'open', successTotal: 0, ignoredTotal: 1 })
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 5_000 })
  })

  it('of many callers in flight, the first opens and the others count as nothing', async () => {
    const breaker = make({ openOn })
    const calls = Array.from({ length: 10 }, () => begin(breaker))
    for (const [index, call] of calls.entries()) await call.fail(retryAfter(index + 1))
    expect(breaker.status()).toMatchObject({ openedTotal: 1, failureTotal: 0, ignoredTotal: 10 })
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 1_000 })
  })

  it('is asked of a probe too, before the probe can count', async () => {
    const clock = fakeClock()
    const breaker = make({ openFor: '1s', successThreshold: 1, openOn, clock })
    await fail(breaker)
    clock.tick('1s')
    await fail(breaker, 1, retryAfter(60))
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 60_000 })
  })

  it('is cut to maxOpenFor, so that an absurd Retry-After locks nobody out', async () => {
    const breaker = make({ openOn, maxOpenFor: '5m' })
    await fail(breaker, 1, retryAfter(1e9))
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 300_000 })
  })

  it('that says 0 keeps the circuit as it is, and is not counted', async () => {
    const breaker = make({ openOn })
    await fail(breaker, 1, retryAfter(0))
    expect(breaker.status()).toMatchObject({ state: 'closed', failureTotal: 0, ignoredTotal: 1 })
  })

  it('that says 0 of a probe leaves the circuit half-open, and gives the place back', async () => {
    const clock = fakeClock()
    const breaker = make({ openFor: '1s', successThreshold: 1, openOn, clock })
    await fail(breaker)
    clock.tick('1s')
    await fail(breaker, 1, retryAfter(0))
    expect(breaker.status()).toMatchObject({ state: 'half-open', openedTotal: 1, probes: { running: 0, successes: 0, failures: 0 } })
  })

  it('is not asked about refusals and aborts', async () => {
    const breaker = make({ openOn: ({ ok }) => (ok ? undefined : '10s') })
    const caller = new AbortController()
    const call = begin(breaker, { signal: caller.signal })
    caller.abort()
    await call.outcome
    permitOf(breaker).ignore()
    expect(breaker.state).toBe('closed')
  })
})
