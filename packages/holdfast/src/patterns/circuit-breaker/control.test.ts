import { bulkhead, circuitBreaker, circuitControl, pipeline, type CircuitBreaker } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { admits, begin, fail, newCircuit, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

describe('by hand', () => {
  it('41: an isolated circuit survives successes in flight, failures and time; only a hand ends it', async () => {
    const { clock, breaker } = newCircuit({ openOn: ({ value }) => (value === 429 ? '1s' : undefined) })
    const inFlight = [begin(breaker), begin(breaker), begin(breaker)]
    breaker.isolate()
    await inFlight[0]?.succeed()
    await inFlight[1]?.fail()
    await inFlight[2]?.fail(429)
    await clock.advance('365d')
    expect(await breaker.attemptReset(() => 'up')).toBe(false)
    expect(breaker.status()).toMatchObject({ state: 'isolated', nextAttemptAt: null, probes: null })
    await expect(breaker.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED', policy: 'circuit-breaker' })
    expect(breaker.tryAcquire()).toEqual({ refused: true, code: 'ERR_CIRCUIT_ISOLATED', policy: 'circuit-breaker' })
    breaker.close()
    expect(await breaker.execute(() => 1)).toBe(1)
  })

  it('41: a circuit that is forced open without end survives successes in flight and time', async () => {
    const { clock, breaker } = newCircuit()
    const inFlight = begin(breaker)
    breaker.forceOpen(Infinity)
    await inFlight.succeed()
    await clock.advance('365d')
    expect(breaker.state).toBe('open')
    breaker.close()
    expect(breaker.state).toBe('closed')
  })

  it('forced open, it is so for the given time or the configured one; then probes decide', async () => {
    const { clock, breaker } = newCircuit({ successThreshold: 1 })
    const events = record(breaker)
    breaker.forceOpen('3s')
    expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 3_000 })
    breaker.forceOpen()
    expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 10_000 })
    clock.tick('10s')
    await succeed(breaker)
    expect(events).toMatchObject([
      { type: 'circuit.opened', reason: { rule: 'manual' }, openForMs: 3_000 },
      { type: 'circuit.opened', reason: { rule: 'manual' }, openForMs: 10_000 },
      { type: 'circuit.half-opened' },
      { type: 'circuit.closed', from: 'half-open', manual: false },
    ])
    for (const bad of [0, -1, Number.NaN, '3 s', null])
      expect(() => breaker.forceOpen(bad as never)).toThrow("circuit-breaker: option 'openFor' must be a duration")
  })

  it('closed, it begins with an empty window from any state', async () => {
    for (const hand of ['isolate', 'disable', 'forceOpen'] as const) {
      const { breaker } = newCircuit({ failureThreshold: 2 })
      const events = record(breaker)
      await fail(breaker)
      breaker[hand]()
      breaker.close()
      await breaker.tryExecute(() => 1)
      expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, consecutiveFailures: 0, failureTotal: 1 })
      expect(events.at(-1)).toMatchObject({ type: 'circuit.closed', manual: true })
      await fail(breaker)
      expect(breaker.state).toBe('closed')
    }
  })

  it('closed when it is closed, it forgets its window and says nothing', async () => {
    const { breaker } = newCircuit({ failureThreshold: 2 })
    const events = record(breaker)
    await fail(breaker)
    breaker.close()
    await fail(breaker)
    expect(breaker.state).toBe('closed')
    expect(events).toEqual([])
  })

  it('disabled, it lets everything through and counts nothing', async () => {
    const { clock, breaker } = newCircuit({
      isFailureResult: () => {
        throw new Error('nobody asks')
      },
    })
    const events = record(breaker)
    const before = begin(breaker)
    breaker.disable()
    const during = begin(breaker)
    await fail(breaker, 100)
    expect(await breaker.execute(() => 1)).toBe(1)
    expect(breaker.status()).toMatchObject({ state: 'disabled', failureTotal: 0, successTotal: 0, failures: 0 })
    expect(breaker.health()).toEqual({ status: 'pass' })
    clock.tick('1h')
    breaker.close()
    await during.fail()
    await before.fail()
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, failureTotal: 1 }) // that of before, in no window
    expect(typesOf(events)).toEqual(['disabled', 'closed'])
  })

  it("starts disabled in mode 'disabled'", async () => {
    const breaker = circuitBreaker({ mode: 'disabled', failureThreshold: 1, clock: fakeClock() })
    await fail(breaker, 3)
    expect(breaker.state).toBe('disabled')
    expect(breaker.describe()).toMatchObject({ mode: 'disabled' })
  })

  it('the same again says nothing', () => {
    const { breaker } = newCircuit()
    const events = record(breaker)
    for (const hand of ['isolate', 'isolate', 'disable', 'disable', 'close', 'close'] as const) breaker[hand]()
    return Promise.resolve().then(() => expect(typesOf(events)).toEqual(['isolated', 'disabled', 'closed']))
  })

  it('reset closes, and sets every figure to zero', async () => {
    const { breaker } = newCircuit({ ignore: ['ignored'] })
    const fresh = breaker.status()
    await succeed(breaker)
    await fail(breaker, 1, { code: 'ignored' })
    await fail(breaker)
    await succeed(breaker)
    expect(breaker.status()).toMatchObject({ successTotal: 1, ignoredTotal: 1, failureTotal: 1, refusedTotal: 1, openedTotal: 1 })
    breaker.reset()
    expect(breaker.status()).toEqual(fresh)
    expect(breaker.failureRate()).toBe(null)
  })
})

describe('42: a circuitControl', () => {
  it('drives many breakers, also those made later, and lets each go on where it was', async () => {
    const control = circuitControl()
    const [closed, open] = [newCircuit({ control }), newCircuit({ control })]
    await fail(open.breaker)
    control.isolate()
    const late = newCircuit({ control })
    for (const { breaker } of [closed, open, late]) {
      expect(breaker.state).toBe('isolated')
      expect(breaker.health().status).toBe('warn')
      expect(breaker.tryAcquire()).toMatchObject({ code: 'ERR_CIRCUIT_ISOLATED' })
    }
    closed.breaker.close() // one breaker's own hand does not overrule the shared one
    expect(closed.breaker.state).toBe('isolated')
    control.close()
    expect([closed, open, late].map(({ breaker }) => breaker.state)).toEqual(['closed', 'open', 'closed'])
    expect(admits(late.breaker)).toBe(true)
  })

  it('can start isolated, and lets calls that run end as they do', async () => {
    const control = circuitControl({ isolated: true })
    const { breaker } = newCircuit({ control })
    expect(control.isolated).toBe(true)
    expect(admits(breaker)).toBe(false)
    control.close()
    const inFlight = begin(breaker)
    control.isolate()
    expect(await inFlight.succeed('done')).toEqual({ ok: true, value: 'done' })
    expect(breaker.status()).toMatchObject({ state: 'isolated', successTotal: 1, refusedTotal: 1 })
  })

  it('reaches calls that wait further inside, as isolating the breaker itself does', async () => {
    const control = circuitControl()
    for (const isolates of [control, newCircuit().breaker]) {
      const { breaker, clock } =
        isolates === control ? newCircuit({ control }) : { breaker: isolates as CircuitBreaker, clock: fakeClock() }
      const guarded = pipeline(breaker, bulkhead({ maxConcurrent: 1, maxQueued: 1, clock }))
      const [running, waiting] = [begin(guarded), begin(guarded)]
      isolates.isolate()
      expect(await running.succeed('done')).toEqual({ ok: true, value: 'done' })
      expect(await waiting.outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_ISOLATED', policy: 'circuit-breaker' } })
      expect(waiting.ran).toBe(false)
    }
  })

  it('refuses options it does not know', () => {
    expect(() => circuitControl({ isolate: true } as never)).toThrow(
      "circuitControl: there is no option 'isolate' (did you mean 'isolated'?); allowed: isolated",
    )
    expect(() => circuitControl({ isolated: 'yes' as never })).toThrow(
      'circuitControl: option \'isolated\' must be true or false, got "yes"',
    )
  })
})
