import { describe, expect, it } from 'vitest'
import { fail, halfOpen, newCircuit, permitOf } from './circuit-breaker.fixture.ts'

describe('permits taken by hand', () => {
  it('judge the call: success, failure, or nothing', () => {
    const { breaker } = newCircuit({ failureThreshold: 2, ignore: [404] })
    permitOf(breaker).success()
    permitOf(breaker).failure(new Error('down'))
    permitOf(breaker).failure({ status: 404 })
    permitOf(breaker).ignore()
    expect(breaker.status()).toMatchObject({ successTotal: 1, failureTotal: 1, ignoredTotal: 2, state: 'closed' })
    permitOf(breaker).failure(new Error('down'))
    expect(breaker.state).toBe('open')
  })

  it('count once, whatever is said afterwards', () => {
    const { breaker } = newCircuit({ failureThreshold: 1 })
    const permit = permitOf(breaker)
    permit.success()
    permit.failure(new Error('down'))
    permit.ignore()
    permit[Symbol.dispose]()
    expect(breaker.status()).toMatchObject({ successTotal: 1, failureTotal: 0, ignoredTotal: 0, state: 'closed' })
  })

  it('leave a `using` block without a verdict as ignored', async () => {
    const { breaker } = await halfOpen({ halfOpenProbes: 1, successThreshold: 1 })
    {
      using permit = permitOf(breaker)
      expect(permit.refused).toBe(false)
      expect(breaker.tryAcquire().refused).toBe(true)
    }
    {
      using permit = permitOf(breaker)
      permit.success()
    }
    expect(breaker.status()).toMatchObject({ state: 'closed', ignoredTotal: 1, successTotal: 1 })
  })

  it('are refused as data by tryAcquire and as an error by acquire', async () => {
    const { breaker } = newCircuit()
    const permit = await breaker.acquire()
    permit.failure(new Error('down'))
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, code: 'ERR_CIRCUIT_OPEN', policy: 'circuit-breaker', retryAfterMs: 10_000 })
    await expect(breaker.acquire()).rejects.toMatchObject({ name: 'HoldfastError', code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 10_000 })
  })

  it('are not given to a caller who has left or whose deadline has passed', async () => {
    const { breaker } = newCircuit()
    expect(breaker.tryAcquire({ signal: AbortSignal.abort() })).toMatchObject({ refused: true, code: 'ERR_CANCELLED' })
    expect(breaker.tryAcquire({ deadline: 0 })).toMatchObject({ refused: true, code: 'ERR_DEADLINE_EXCEEDED' })
    await expect(breaker.acquire({ signal: AbortSignal.abort('left') })).rejects.toBe('left')
    expect(breaker.status()).toMatchObject({ refusedTotal: 0, successTotal: 0, failureTotal: 0, ignoredTotal: 0 })
    expect(() => breaker.tryAcquire({ deadline: 'soon' as never })).toThrow("tryAcquire: option 'deadline' must be a duration")
  })

  it('of a caller who left meanwhile say nothing, unless they were a success', async () => {
    const { breaker } = newCircuit()
    const caller = new AbortController()
    const [failing, succeeding] = [permitOf(breaker, { signal: caller.signal }), permitOf(breaker, { signal: caller.signal })]
    caller.abort()
    failing.failure(new Error('aborted'))
    succeeding.success()
    expect(breaker.status()).toMatchObject({ state: 'closed', ignoredTotal: 1, successTotal: 1, failureTotal: 0 })
  })

  it('that are never given back keep a closed circuit from nothing', async () => {
    const { breaker } = newCircuit()
    for (let call = 0; call < 10_000; call++) permitOf(breaker)
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })
})
