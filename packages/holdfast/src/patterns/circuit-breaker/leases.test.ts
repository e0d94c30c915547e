import { circuitBreaker, pipeline, timeout } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { admits, begin, fail, halfOpen, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

describe('31: a probe that never ends', () => {
  it('counts as failed when its lease is over, and the circuit goes on', async () => {
    const { breaker, clock } = await halfOpen({ successThreshold: 1, probeTimeout: '5s' })
    const events = record(breaker)
    const hanging = permitOf(breaker)
    clock.tick(4_999)
    expect(breaker.state).toBe('half-open')
    clock.tick(1)
    expect(breaker.state).toBe('open')
    clock.tick('10s')
    expect(breaker.state).toBe('half-open')
    await succeed(breaker)
    const leaseEnded = clock.wallNow() - 10_000
    expect(breaker.status()).toMatchObject({ state: 'closed', failureTotal: 2, successTotal: 1, openedTotal: 2, lastFailureAt: leaseEnded })
    expect(typesOf(events)).toEqual(['half-opened', 'probe-expired', 'opened', 'half-opened', 'closed'])
    hanging.success()
    expect(breaker.status()).toMatchObject({ failureTotal: 2, successTotal: 1, ignoredTotal: 0 }) // it was counted already
  })

  it('has 30 s by default, or as long as the circuit is open if that is longer', async () => {
    for (const [openFor, leaseMs] of [
      ['10s', 30_000],
      ['1m', 60_000],
      [Infinity, 30_000],
    ] as const) {
      const clock = fakeClock()
      const breaker = circuitBreaker({ openFor, clock })
      expect(breaker.describe()).toMatchObject({ probeTimeoutMs: leaseMs })
      breaker.forceOpen(1)
      clock.tick(1)
      permitOf(breaker)
      clock.tick(leaseMs - 1)
      expect(breaker.state).toBe('half-open')
      clock.tick(1)
      expect(breaker.state).toBe('open')
    }
  })

  it('reads as open from the moment its lease is over, whether or not a call has come, and counts so', async () => {
    const { breaker, clock } = await halfOpen({ successThreshold: 1, probeTimeout: '5s' })
    permitOf(breaker)
    clock.tick('7s')
    const wallNow = clock.wallNow()
    expect(breaker.status()).toMatchObject({ state: 'open', since: wallNow - 2_000, nextAttemptAt: wallNow + 8_000, probes: null })
    expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'circuit-breaker' is open, next attempt in 8 s" })
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, retryAfterMs: 8_000 })
    expect(breaker.status()).toMatchObject({ state: 'open', nextAttemptAt: wallNow + 8_000 })
    clock.tick('8s')
    expect(breaker.status()).toMatchObject({ state: 'half-open', since: clock.wallNow(), nextAttemptAt: null, probes: { running: 0 } })
  })

  it('ends the same whether somebody looked in between or not, and whatever it brings afterwards', async () => {
    for (const end of ['success', 'failure', 'ignore'] as const) {
      for (const looks of [true, false]) {
        const { breaker, clock } = await halfOpen({ successThreshold: 1, probeTimeout: '5s' })
        const probe = permitOf(breaker)
        clock.tick('6s')
        if (looks) admits(breaker)
        if (end === 'failure') probe.failure(new Error('down'))
        else probe[end]()
        expect(breaker.status(), `${end}, ${looks}`).toMatchObject({
          state: 'open',
          openedTotal: 2,
          failureTotal: 2,
          successTotal: 0,
          nextAttemptAt: clock.wallNow() + 9_000,
        })
      }
    }
  })

  it('keeps the varied open time that was shown while nobody had called', async () => {
    let chance = 0
    const { breaker, clock } = await halfOpen({
      successThreshold: 1,
      probeTimeout: '5s',
      openForJitter: 0.5,
      random: () => (chance = (chance + 0.37) % 1),
    })
    clock.tick('10s')
    permitOf(breaker)
    clock.tick('6s')
    const shown = breaker.status().nextAttemptAt
    admits(breaker)
    expect(breaker.status().nextAttemptAt).toBe(shown)
  })

  it('of several at a time, as many as decide reopen; the moment is that of the one that decided', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenFailureRatio: 0.5, halfOpenProbes: 4, probeTimeout: '5s' })
    const events = record(breaker)
    const probes = []
    for (let probe = 0; probe < 4; probe++) {
      probes.push(permitOf(breaker))
      clock.tick('1s')
    }
    clock.tick('1s') // at 5 s the first lease is over
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 3, successes: 0, failures: 1 } })
    clock.tick('3s') // and the others until 8 s
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, retryAfterMs: 8_000 })
    await clock.settle()
    expect(typesOf(events)).toEqual(['half-opened', 'probe-expired', 'probe-expired', 'opened'])
    for (const probe of probes) probe.success()
    expect(breaker.status()).toMatchObject({ state: 'open', failureTotal: 3, successTotal: 2 })
  })

  it('frees its place for the probes that are still needed', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenFailureRatio: 1, halfOpenProbes: 2, probeTimeout: '5s' })
    permitOf(breaker)
    const second = permitOf(breaker)
    clock.tick('4s')
    second.ignore()
    clock.tick('1s')
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 0, failures: 1 } })
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })
})

describe('31: the lease of a probe whose caller gave a deadline', () => {
  it('ends with that deadline, also beyond the default', async () => {
    for (const deadline of ['2s', '5m'] as const) {
      const { breaker, clock } = await halfOpen({ successThreshold: 1 })
      permitOf(breaker, { deadline })
      clock.tick(deadline)
      expect(breaker.state).toBe('open')
      clock.step(-1)
      expect(breaker.state).toBe('half-open')
    }
  })

  it('ends earlier when a probe timeout is set', async () => {
    const { breaker, clock } = await halfOpen({ successThreshold: 1, probeTimeout: '5s' })
    permitOf(breaker, { deadline: '1h' })
    clock.tick('5s')
    expect(breaker.state).toBe('open')
  })

  it('holds for permits that are waited for, too', async () => {
    const { breaker, clock } = await halfOpen({ successThreshold: 1 })
    const permit = await breaker.acquire({ deadline: '2s' })
    await clock.advance('2s')
    expect(breaker.state).toBe('open')
    permit.success()
    expect(breaker.status()).toMatchObject({ state: 'open', openedTotal: 2, successTotal: 0 })
  })

  it('a probe that its own deadline or an outer timeout ends has failed, not expired', async () => {
    for (const how of ['deadline', 'timeout'] as const) {
      const { breaker, clock } = await halfOpen({ successThreshold: 1 })
      const events = record(breaker)
      const probe = how === 'deadline' ? begin(breaker, { deadline: '2s' }) : begin(pipeline(timeout({ after: '2s', clock }), breaker))
      await clock.advance('2s')
      await probe.outcome
      expect(events.slice(1)).toMatchObject([{ type: 'circuit.opened', reason: { rule: 'probe-failed' } }])
      expect(breaker.status()).toMatchObject({ state: 'open', failureTotal: 2 })
    }
  })
})

it('leases own no timer', async () => {
  const { breaker, clock } = await halfOpen({ probeTimeout: '5s' })
  permitOf(breaker)
  await begin(breaker).succeed()
  await fail(breaker)
  expect(clock.timers).toEqual([])
})
