import { circuitBreaker, isHoldfastError, pipeline, retry, type CircuitBreakerOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { fail, newCircuit, record, succeed, type Rig } from './circuit-breaker.fixture.ts'

const rig = (options: CircuitBreakerOptions<never> = {}): Rig => newCircuit({ successThreshold: 1, ...options })

/** How long the circuit is open after each of so many openings in a row. */
async function openTimes({ clock, breaker }: Rig, openings: number): Promise<unknown[]> {
  const times: unknown[] = []
  for (let opening = 0; opening < openings; opening++) {
    await fail(breaker)
    const refused = breaker.tryAcquire()
    times.push(refused.refused ? refused.retryAfterMs : 'not open')
    clock.step(refused.refused ? (refused.retryAfterMs ?? 0) : 0)
  }
  return times
}

describe('an open circuit', () => {
  it('23: lets the first caller in at exactly the end of its time', async () => {
    const { clock, breaker } = rig()
    await fail(breaker)
    clock.tick(9_999)
    expect(breaker.state).toBe('open')
    expect(await breaker.tryExecute(() => 'early')).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN' } })
    clock.tick(1)
    expect(breaker.state).toBe('half-open')
    expect(await breaker.execute(() => 'in')).toBe('in')
  })

  it('does not call the function', async () => {
    const { breaker } = rig()
    await fail(breaker)
    let calls = 0
    await breaker.tryExecute(() => calls++)
    await breaker.execute(() => calls++).catch(() => undefined)
    expect(calls).toBe(0)
    expect(breaker.status()).toMatchObject({ refusedTotal: 2, successTotal: 0, ignoredTotal: 0 })
  })

  it('44: a refusal says in how long to come back, and never a negative time', async () => {
    const { clock, breaker } = rig()
    await fail(breaker)
    for (const waitedMs of [0, 4_000, 5_999.5]) {
      clock.step(waitedMs)
      const refused = breaker.tryAcquire()
      expect(refused).toMatchObject({
        refused: true,
        code: 'ERR_CIRCUIT_OPEN',
        policy: 'circuit-breaker',
        retryAfterMs: 10_000 - clock.now(),
      })
      const error: unknown = await breaker.execute(() => 1).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 10_000 - clock.now() })
    }
    clock.step(1_000)
    const probe = breaker.tryAcquire()
    const refused = breaker.tryAcquire()
    expect(probe.refused).toBe(false)
    // when the probe will have decided, nobody knows
    expect(refused).toEqual({ refused: true, code: 'ERR_CIRCUIT_OPEN', policy: 'circuit-breaker' })
  })

  it('45: a thousand refusals are a thousand small errors of their own', async () => {
    const { breaker } = rig()
    await fail(breaker)
    const errors = new Set<unknown>()
    for (let call = 0; call < 1_000; call++) await breaker.execute(() => 1).catch((error: unknown) => errors.add(error))
    expect(errors.size).toBe(1_000)
    for (const error of errors) {
      if (!isHoldfastError(error, 'ERR_CIRCUIT_OPEN')) throw error
      expect(error.message).toBe('circuit-breaker: the circuit breaker is open and lets no call through')
      expect(error.stack?.split('\n')).toHaveLength(1)
      expect(error.cause).toBe(undefined)
    }
  })

  it('46: is not tried again by a retry around it', async () => {
    const { clock, breaker } = rig()
    await fail(breaker)
    const guarded = pipeline(retry({ maxAttempts: 5, initialDelay: '1s', clock }), breaker)
    const outcome = guarded.tryExecute(() => 1) // no time passes
    expect(await outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_CIRCUIT_OPEN' } })
    expect(breaker.status().refusedTotal).toBe(1)
  })

  it('46: ends the retries of a call as soon as the call itself has opened it', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ failureThreshold: 2, clock })
    const guarded = pipeline(retry({ maxAttempts: 5, initialDelay: 0, clock }), breaker)
    let attempts = 0
    const outcome = await guarded.tryExecute(() => {
      attempts++
      throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    })
    expect(outcome.ok).toBe(false)
    expect(attempts).toBe(2)
  })
})

describe('the open time', () => {
  it('39: Infinity waits for a hand, and sets no timer', async () => {
    const { clock, breaker } = rig({ openFor: Infinity })
    const events = record(breaker)
    await fail(breaker)
    clock.step(1e15)
    expect(breaker.tryAcquire()).toEqual({ refused: true, code: 'ERR_CIRCUIT_OPEN', policy: 'circuit-breaker' })
    expect(breaker.status()).toMatchObject({ state: 'open', nextAttemptAt: null })
    expect(breaker.health()).toEqual({ status: 'warn', reason: "circuit breaker 'circuit-breaker' is open" })
    expect(events).toMatchObject([{ openForMs: null, nextAttemptAt: null }])
    expect(clock.timers).toEqual([])
    expect(await breaker.attemptReset(() => 'up')).toBe(true)
    expect(breaker.state).toBe('closed')
  })

  it('39: longer than the longest timer, it neither ends at once nor is cut', async () => {
    const { clock, breaker } = rig({ openFor: '60d' })
    await fail(breaker)
    clock.tick(2 ** 31)
    expect(breaker.state).toBe('open')
    clock.tick(60 * 86_400_000 - 2 ** 31)
    expect(breaker.state).toBe('half-open')
  })

  it('39: growth without an end of its own ends at an hour, however often the circuit opens', async () => {
    const times = await openTimes(rig({ openForFactor: 10 }), 1_200)
    expect(times.slice(0, 5)).toEqual([10_000, 100_000, 1_000_000, 3_600_000, 3_600_000])
    expect(times.slice(5).every((ms) => Math.abs(Number(ms) - 3_600_000) < 1)).toBe(true)
    expect((await openTimes(rig({ openFor: '2h', openForFactor: 2 }), 2)).at(-1)).toBe(7_200_000)
  })

  it('38: grows with every failed probe and starts anew once the circuit has closed', async () => {
    const it38 = rig({ openForFactor: 2, maxOpenFor: '30s' })
    expect(await openTimes(it38, 4)).toEqual([10_000, 20_000, 30_000, 30_000])
    await succeed(it38.breaker)
    expect(it38.breaker.state).toBe('closed')
    expect(await openTimes(it38, 2)).toEqual([10_000, 20_000])
  })

  it('38: a function hears the number of openings since the circuit was closed', async () => {
    const heard: number[] = []
    const it38 = rig({ openFor: (openings) => (heard.push(openings), openings * 1_000) })
    expect(await openTimes(it38, 3)).toEqual([1_000, 2_000, 3_000])
    await succeed(it38.breaker)
    expect(await openTimes(it38, 1)).toEqual([1_000])
    expect(heard).toEqual([1, 1, 2, 3, 1]) // once more at the start, where a bad answer is told
  })

  it('38: openings by hand and by openOn do not make it grow', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({
      failureThreshold: 1,
      openFor: '10s',
      openForFactor: 2,
      openOn: ({ value }) => (value === 429 ? '1s' : undefined),
      clock,
    })
    breaker.forceOpen()
    breaker.forceOpen()
    await fail(breaker)
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 10_000 })
    clock.tick('10s')
    await fail(breaker, 1, 429)
    clock.tick('1s')
    await fail(breaker)
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 20_000 })
  })

  it('a function that throws or answers with nonsense later on is told as an event; the first time holds', async () => {
    const { clock, breaker } = rig({
      openFor: (openings) => {
        if (openings === 2) throw new Error('no idea')
        return openings === 3 ? Number.NaN : '4s'
      },
    })
    const events = record(breaker)
    expect(await openTimes({ clock, breaker }, 3)).toEqual([4_000, 4_000, 4_000])
    expect(events.filter(({ type }) => type === 'circuit.callback-failed')).toMatchObject([
      { callback: 'openFor' },
      { callback: 'openFor' },
    ])
  })

  it('is varied within its jitter, and not beyond maxOpenFor', async () => {
    const chances = [0, 0.5, 0.999_999, 0]
    const random = (): number => chances.shift() ?? 0.5
    const times = await openTimes(rig({ openForJitter: 0.1, maxOpenFor: '10500ms', random }), 3)
    expect(times[0]).toBeCloseTo(9_000, 3)
    expect(times[1]).toBeCloseTo(10_000, 3)
    expect(times[2]).toBe(10_500)
  })

  it('without end stays so under jitter, unless maxOpenFor ends it', async () => {
    const random = (): number => 0
    expect(await openTimes(rig({ openFor: Infinity, openForJitter: 1, random }), 1)).toEqual([undefined])
    expect(await openTimes(rig({ openFor: () => Infinity, openForJitter: 1, random }), 1)).toEqual([undefined])
    expect(await openTimes(rig({ openFor: Infinity, maxOpenFor: '1h', random }), 1)).toEqual([3_600_000])
  })
})

it('40: there is no timer that could close a circuit behind the back of a hand, or keep the process alive', async () => {
  const { clock, breaker } = rig()
  await fail(breaker)
  expect(clock.timers).toEqual([])
  clock.tick('5s')
  breaker.isolate()
  await clock.advance('1h')
  expect(breaker.state).toBe('isolated')
  breaker.forceOpen('1h')
  await clock.advance('30m')
  expect(breaker.state).toBe('open')
  breaker.close()
  await clock.advance('1h')
  expect(breaker.state).toBe('closed')
  expect(clock.timers).toEqual([])
})
