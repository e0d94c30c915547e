import { describe, expect, it } from 'vitest'
import { admits, begin, fail, halfOpen, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

describe('admission to a half-open circuit', () => {
  it('24: of a thousand callers who come together, exactly n are let in', async () => {
    for (const halfOpenProbes of [1, 2, 7]) {
      const { breaker } = await halfOpen({ halfOpenProbes, successThreshold: halfOpenProbes })
      const events = record(breaker)
      const calls = Array.from({ length: 1_000 }, () => begin(breaker))
      expect(calls.filter(({ ran }) => ran)).toHaveLength(halfOpenProbes)
      await Promise.all(
        calls
          .filter(({ ran }) => !ran)
          .map(async ({ outcome }) => expect(await outcome).toMatchObject({ refusal: { code: 'ERR_CIRCUIT_OPEN' } })),
      )
      expect(breaker.status()).toMatchObject({ refusedTotal: 1_000 - halfOpenProbes, probes: { running: halfOpenProbes } })
      expect(typesOf(events)).toEqual(['half-opened'])
    }
  })

  it('24: two are let in when nothing is said', async () => {
    const { breaker } = await halfOpen()
    expect([permitOf(breaker), permitOf(breaker)].length).toBe(2)
    expect(breaker.tryAcquire().refused).toBe(true)
  })

  it('25: the first probe is one of the n, and no more run than can still decide', async () => {
    const { breaker } = await halfOpen({ successThreshold: 3 })
    const probes = [permitOf(breaker), permitOf(breaker), permitOf(breaker)]
    expect(admits(breaker)).toBe(false)
    probes[0]?.success()
    expect(admits(breaker)).toBe(false) // the two that run can complete the three
    probes[1]?.success()
    probes[2]?.success()
    expect(breaker.state).toBe('closed')
  })

  it('one at a time, so many must succeed one after another', async () => {
    const { breaker } = await halfOpen({ successThreshold: 3, halfOpenProbes: 1 })
    for (let probe = 0; probe < 3; probe++) {
      const permit = permitOf(breaker)
      expect(admits(breaker)).toBe(false)
      permit.success()
    }
    expect(breaker.state).toBe('closed')
  })

  it('more probes than needed keep one that hangs from delaying the recovery', async () => {
    const { breaker } = await halfOpen({ successThreshold: 2, halfOpenProbes: 3 })
    const [hanging, ...others] = [permitOf(breaker), permitOf(breaker), permitOf(breaker)]
    expect(admits(breaker)).toBe(false)
    for (const probe of others) probe.success()
    expect(breaker.state).toBe('closed')
    hanging?.failure(new Error('down'))
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0 })
  })

  it('36: a minimum of calls is no condition here', async () => {
    const { breaker, clock } = await halfOpen({ failureRatio: 0.5, minimumCalls: 100, successThreshold: 1 })
    await fail(breaker)
    expect(breaker.state).toBe('open')
    clock.tick('10s')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })
})

describe('the verdict of a half-open circuit', () => {
  it('35: any failure reopens, whatever succeeded before', async () => {
    const { breaker } = await halfOpen({ successThreshold: 3 })
    await succeed(breaker, 2)
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('35: by ratio, a failure is not forgotten by the successes after it', async () => {
    const options = { halfOpenFailureRatio: 0.5, halfOpenProbes: 4 }
    const { breaker } = await halfOpen(options)
    await fail(breaker)
    await succeed(breaker, 2)
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 0, successes: 2, failures: 1 } })
    await fail(breaker)
    expect(breaker.state).toBe('open')
    const other = await halfOpen(options)
    await fail(other.breaker)
    await succeed(other.breaker, 3)
    expect(other.breaker.state).toBe('closed')
  })

  it('34: falls as soon as the probes still running cannot change it', async () => {
    const failing = await halfOpen({ halfOpenFailureRatio: 0.5, halfOpenProbes: 4 })
    const probes = Array.from({ length: 4 }, () => permitOf(failing.breaker))
    probes[0]?.failure(new Error('down'))
    expect(failing.breaker.state).toBe('half-open')
    probes[1]?.failure(new Error('down'))
    expect(failing.breaker.state).toBe('open')

    const succeeding = await halfOpen({ halfOpenFailureRatio: 0.5, halfOpenProbes: 4 })
    const others = Array.from({ length: 4 }, () => permitOf(succeeding.breaker))
    for (const probe of others.slice(0, 3)) probe.success()
    expect(succeeding.breaker.state).toBe('closed')
  })

  it('34: agrees with the plain rule "failures / probes reaches the ratio" for every ratio and sample', async () => {
    for (const sample of [1, 2, 3, 7, 10, 29, 100]) {
      for (const ratio of [0.01, 0.07, 0.1, 0.29, 0.3, 0.33333333333333337, 1 / 3, 0.5, 2 / 3, 0.7, 0.9, 1]) {
        for (let failures = 0; failures <= sample; failures++) {
          const { breaker } = await halfOpen({ halfOpenFailureRatio: ratio, halfOpenProbes: sample })
          const probes = Array.from({ length: sample }, () => permitOf(breaker))
          for (const [index, probe] of probes.entries()) {
            if (index < failures) probe.failure(new Error('down'))
            else probe.success()
          }
          expect(breaker.state, `${failures} of ${sample} at ${ratio}`).toBe(failures / sample >= ratio ? 'open' : 'closed')
        }
      }
    }
  })

  it('37: a circuit whose traffic is mostly ignored still recovers', async () => {
    const { breaker } = await halfOpen({ ignore: [404] })
    for (let call = 0; call < 10; call++) {
      await fail(breaker, 4, { status: 404 })
      if (breaker.state === 'half-open') await succeed(breaker)
    }
    expect(breaker.state).toBe('closed')
  })

  it('14: a probe that is ignored gives its place back', async () => {
    const { breaker } = await halfOpen({ halfOpenProbes: 1, successThreshold: 1, ignore: [404] })
    await fail(breaker, 100, { status: 404 })
    expect(breaker.status()).toMatchObject({ state: 'half-open', ignoredTotal: 100, probes: { running: 0, successes: 0, failures: 0 } })
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })

  it('32: a probe that its caller cancels neither closes nor opens, and gives its place back', async () => {
    const { breaker } = await halfOpen({ halfOpenProbes: 1, successThreshold: 1 })
    for (let call = 0; call < 3; call++) {
      const caller = new AbortController()
      const probe = begin(breaker, { signal: caller.signal })
      expect(admits(breaker)).toBe(false)
      caller.abort()
      await probe.outcome
      expect(breaker.state).toBe('half-open')
      expect(admits(breaker)).toBe(true)
    }
    expect(breaker.status()).toMatchObject({ openedTotal: 1, ignoredTotal: 6 })
  })
})
