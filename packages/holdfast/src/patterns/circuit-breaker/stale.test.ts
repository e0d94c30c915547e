import { describe, expect, it } from 'vitest'
import { admits, begin, fail, halfOpen, newCircuit, permitOf, succeed } from './circuit-breaker.fixture.ts'

describe('results that come too late', () => {
  it('27: successes of the closed state do not close a half-open circuit', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 2 })
    const late = [begin(breaker), begin(breaker), begin(breaker)]
    await fail(breaker)
    clock.tick('10s')
    const probe = permitOf(breaker)
    for (const call of late) await call.succeed()
    expect(breaker.status()).toMatchObject({ state: 'half-open', successTotal: 3, probes: { running: 1, successes: 0, failures: 0 } })
    probe.failure(new Error('down'))
    expect(breaker.state).toBe('open')
  })

  it('28: failures of the closed state do not reopen a half-open circuit, nor open the closed one after it', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 2 })
    const late = [begin(breaker), begin(breaker)]
    await fail(breaker)
    clock.tick('10s')
    await succeed(breaker)
    await late[0]?.fail()
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { successes: 1, failures: 0 } })
    await succeed(breaker)
    await late[1]?.fail()
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, failureTotal: 3 })
  })

  it('29: whatever late calls do, they make no places for probes', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 2, ignore: ['ignored'] })
    const late = Array.from({ length: 9 }, () => begin(breaker))
    const caller = new AbortController()
    const abandoned = begin(breaker, { signal: caller.signal })
    await fail(breaker)
    clock.tick('10s')
    const probes = [permitOf(breaker), permitOf(breaker)]
    for (const [index, call] of late.entries()) {
      if (index % 3 === 0) await call.succeed()
      else await call.fail(index % 3 === 1 ? new Error('down') : { code: 'ignored' })
      expect(admits(breaker)).toBe(false)
    }
    caller.abort()
    await abandoned.outcome
    expect(admits(breaker)).toBe(false)
    probes[0]?.ignore()
    probes[0]?.ignore() // given back twice
    probes[0]?.success()
    expect(breaker.status().probes).toEqual({ running: 1, successes: 0, failures: 0 })
  })

  it('30: a probe of one half-open state that ends in a later one decides nothing and gives back no place there', async () => {
    for (const verdict of ['success', 'failure', 'ignore'] as const) {
      const { clock, breaker } = await halfOpen({ successThreshold: 2, probeTimeout: '1h' })
      const old = permitOf(breaker)
      for (let period = 0; period < 2; period++) {
        await fail(breaker)
        clock.tick('10s')
      }
      const present = [permitOf(breaker), permitOf(breaker)]
      if (verdict === 'failure') old.failure(new Error('down'))
      else old[verdict]()
      expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 2, successes: 0, failures: 0 } })
      expect(admits(breaker)).toBe(false)
      for (const probe of present) probe.success()
      expect(breaker.state).toBe('closed')
    }
  })

  it('30: a probe that ends after the circuit was set by hand changes nothing any more', async () => {
    for (const hand of ['close', 'isolate', 'disable', 'forceOpen', 'reset'] as const) {
      const { breaker } = await halfOpen({ successThreshold: 1 })
      const [failing, succeeding] = [permitOf(breaker), begin(breaker)]
      breaker[hand]()
      const { state } = breaker
      failing.failure(new Error('down'))
      await succeeding.succeed()
      expect(breaker.state).toBe(state)
    }
  })
})
