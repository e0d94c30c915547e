import fc from 'fast-check'
import {
  circuitBreaker,
  circuitControl,
  circuitGroup,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitSnapshot,
} from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { admits, fail, halfOpen, newCircuit, permitOf, record, succeed, typesOf } from './circuit-breaker.fixture.ts'

const overTheWire = (snapshot: CircuitSnapshot): CircuitSnapshot => JSON.parse(JSON.stringify(snapshot)) as CircuitSnapshot

/** Another process, so long after the snapshot by the wall clock; its monotonic clock begins anew. */
function restarted(
  snapshot: CircuitSnapshot,
  afterMs: number,
  options: CircuitBreakerOptions<never> = {},
): { readonly clock: FakeClock; readonly breaker: CircuitBreaker } {
  const clock = fakeClock({ startMs: 77, wallMs: snapshot.savedAt + afterMs })
  return { clock, breaker: circuitBreaker({ failureThreshold: 1, openFor: '10s', clock, ...options }) }
}

describe('a snapshot', () => {
  it('is plain data that says when an open circuit lets a probe in', async () => {
    const { clock, breaker } = newCircuit({ openForFactor: 2 })
    await fail(breaker)
    clock.tick('4s')
    const wallNow = clock.wallNow()
    expect(overTheWire(breaker.snapshot())).toEqual({
      kind: 'circuit-breaker',
      version: 1,
      name: 'circuit-breaker',
      savedAt: wallNow,
      state: 'open',
      mode: 'enforce',
      openUntil: wallNow + 6_000,
      remainingMs: 6_000,
      openings: 1,
      consecutiveFailures: 1,
      lastFailureAt: wallNow - 4_000,
    })
  })

  it('of a fresh circuit says nothing', () => {
    const { breaker } = newCircuit()
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', openUntil: null, remainingMs: null, openings: 0, consecutiveFailures: 0 })
  })

  it('changes nothing, and looks beneath a shared hand', async () => {
    const control = circuitControl()
    const { breaker } = newCircuit({ control })
    await fail(breaker)
    control.isolate()
    const before = breaker.status()
    expect(breaker.snapshot().state).toBe('open')
    expect(breaker.status()).toEqual(before)
  })

  it('of a circuit that probes without end is that of the open one it is', async () => {
    const { clock, breaker } = await halfOpen({ probeTimeout: '5s', openForFactor: 2 })
    permitOf(breaker)
    clock.tick('6s')
    expect(breaker.snapshot()).toMatchObject({ state: 'open', remainingMs: 19_000, openings: 2 })
  })
})

describe('restore', () => {
  it('keeps an open circuit open for the time that is left, and lets exactly the probes in then', async () => {
    const { clock: before, breaker: saved } = newCircuit()
    await fail(saved)
    before.tick('4s')
    const { clock, breaker } = restarted(overTheWire(saved.snapshot()), 1_000)
    const events = record(breaker)
    expect(breaker.restore(overTheWire(saved.snapshot()))).toBe(true)
    expect(breaker.tryAcquire()).toMatchObject({ refused: true, retryAfterMs: 5_000 })
    clock.tick(4_999)
    expect(admits(breaker)).toBe(false)
    clock.tick(1)
    expect([permitOf(breaker), permitOf(breaker), breaker.tryAcquire()].map(({ refused }) => refused)).toEqual([false, false, true])
    await Promise.resolve()
    expect(typesOf(events)).toEqual(['restored', 'half-opened'])
    expect(events[0]).toMatchObject({ state: 'open' })
  })

  it.each([
    ['an hour back', -3_600_000, 6_000],
    ['back to the same instant', 0, 6_000],
    ['on by a part of the time left', 2_500, 3_500],
    ['on by just that', 6_000, undefined],
    ['on by an hour', 3_600_000, undefined],
  ])('with the wall clock set %s, the time left is never longer than it was', async (_, afterMs, remainingMs) => {
    const { clock: before, breaker: saved } = newCircuit()
    await fail(saved)
    before.tick('4s')
    const { breaker } = restarted(saved.snapshot(), afterMs)
    breaker.restore(saved.snapshot())
    const answer = breaker.tryAcquire()
    if (remainingMs === undefined) expect(answer.refused).toBe(false)
    else expect(answer).toMatchObject({ refused: true, retryAfterMs: remainingMs })
    expect(breaker.state).toBe(remainingMs === undefined ? 'half-open' : 'open')
    expect(breaker.status().timeSinceLastFailureMs).toBe(Math.max(0, afterMs + 4_000))
  })

  it('brings no probes back: the first call after it is the first probe', async () => {
    const { breaker: saved } = await halfOpen({ successThreshold: 2, halfOpenProbes: 1 })
    await succeed(saved)
    permitOf(saved)
    const snapshot = saved.snapshot()
    expect(snapshot).toMatchObject({ state: 'half-open', remainingMs: null })
    const { breaker } = restarted(snapshot, 0, { successThreshold: 2, halfOpenProbes: 1 })
    breaker.restore(snapshot)
    expect(breaker.status()).toMatchObject({ state: 'half-open', probes: { running: 0, successes: 0, failures: 0 } })
    await succeed(breaker)
    expect(breaker.state).toBe('half-open')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })

  it('goes on growing the open time', async () => {
    const { clock: before, breaker: saved } = newCircuit({ openForFactor: 2 })
    for (const openMs of [10_000, 20_000]) {
      await fail(saved)
      before.tick(openMs)
    }
    const { breaker } = restarted(saved.snapshot(), 0, { openForFactor: 2 })
    breaker.restore(saved.snapshot())
    await fail(breaker)
    expect(breaker.tryAcquire()).toMatchObject({ retryAfterMs: 40_000 })
  })

  it('goes on counting a row of failures', async () => {
    const rules = { failureThreshold: undefined, consecutiveFailures: 3 } as never
    const { breaker: saved } = newCircuit(rules)
    await fail(saved, 2)
    const { breaker } = restarted(saved.snapshot(), 0, rules)
    breaker.restore(saved.snapshot())
    expect(breaker.status()).toMatchObject({ consecutiveFailures: 2, failureTotal: 0 })
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('ends what was there: calls and probes that run now decide nothing', async () => {
    const { breaker, clock } = newCircuit()
    const closed = breaker.snapshot()
    const [failing, succeeding] = [permitOf(breaker), permitOf(breaker)]
    await fail(breaker)
    clock.tick('10s')
    const probe = permitOf(breaker)
    breaker.restore(closed)
    for (const permit of [failing, probe]) permit.failure(new Error('down'))
    succeeding.success()
    expect(breaker.status()).toMatchObject({ state: 'closed', consecutiveFailures: 0, openedTotal: 1 })
  })

  it.each([
    ['isolated', (breaker: CircuitBreaker) => breaker.isolate()],
    ['disabled', (breaker: CircuitBreaker) => breaker.disable()],
    ['open', (breaker: CircuitBreaker) => breaker.forceOpen(Infinity)],
  ] as const)('a hand that made it %s holds on, however old the snapshot is', (state, set) => {
    const { breaker: saved } = newCircuit()
    set(saved)
    const { clock, breaker } = restarted(overTheWire(saved.snapshot()), 90 * 86_400_000)
    expect(breaker.restore(overTheWire(saved.snapshot()))).toBe(true)
    clock.tick('30d')
    expect(breaker.status()).toMatchObject({ state, nextAttemptAt: null })
  })

  it('takes no notice of what time and results brought about too long ago', async () => {
    const { breaker: saved } = newCircuit()
    await fail(saved)
    const snapshot = saved.snapshot()
    for (const [maxAge, afterMs, expected] of [
      [undefined, 86_400_000, true],
      [undefined, 86_400_001, false],
      ['5s', 5_001, false],
      [Infinity, 1e12, true],
    ] as const) {
      const { breaker } = restarted(snapshot, afterMs)
      expect(breaker.restore(snapshot, maxAge === undefined ? {} : { maxAge })).toBe(expected)
      expect(breaker.state).toBe(expected ? 'half-open' : 'closed')
    }
  })

  it('the mode decides about what no hand has done', async () => {
    const open = newCircuit().breaker
    await fail(open)
    const disabledByMode = newCircuit({ mode: 'disabled' }).breaker
    const isolated = newCircuit().breaker
    isolated.isolate()
    const after = (saved: CircuitBreaker, mode: 'enforce' | 'metrics-only' | 'disabled'): string => {
      const { breaker } = restarted(saved.snapshot(), 0, { mode })
      breaker.restore(saved.snapshot())
      return breaker.state
    }
    expect([after(open, 'enforce'), after(open, 'metrics-only'), after(open, 'disabled')]).toEqual(['open', 'closed', 'disabled'])
    expect([after(disabledByMode, 'enforce'), after(disabledByMode, 'disabled')]).toEqual(['closed', 'disabled'])
    expect([after(isolated, 'metrics-only'), after(isolated, 'disabled')]).toEqual(['isolated', 'isolated'])
  })

  it.each([
    [null, 'a snapshot must be an object as snapshot() answers it, got null'],
    ['{}', 'a snapshot must be an object as snapshot() answers it, got "{}"'],
    [[], 'a snapshot must be an object as snapshot() answers it, got an array of 0'],
    [{}, "the snapshot's 'kind' must be 'circuit-breaker', got undefined"],
    [{ version: 2 }, "the snapshot's 'version' must be 1, the version this release reads, got 2"],
    [{ version: '1' }, `the snapshot's 'version' must be 1, the version this release reads, got "1"`],
    [{ name: 'other' }, `the snapshot's 'name' must be 'circuit-breaker', got "other"`],
    [{ state: 'ajar' }, `the snapshot's 'state' must be one of 'closed', 'open', 'half-open', 'isolated', 'disabled', got "ajar"`],
    [{ mode: 'off' }, `the snapshot's 'mode' must be one of 'enforce', 'metrics-only', 'disabled', got "off"`],
    [{ savedAt: -1 }, "the snapshot's 'savedAt' must be a number from 0 to 8640000000000000, got -1"],
    [{ savedAt: 'now' }, `the snapshot's 'savedAt' must be a number from 0 to 8640000000000000, got "now"`],
    [{ remainingMs: -5 }, "the snapshot's 'remainingMs' must be a number from 0 up, got -5"],
    [{ remainingMs: null }, "the snapshot's 'remainingMs' must be null where 'openUntil' is null, and only there, got null"],
    [{ openUntil: 5 }, "the snapshot's 'openUntil' must be 'savedAt' plus 'remainingMs', got 5"],
    [{ state: 'closed' }, "the snapshot's 'remainingMs' must be null unless 'state' is 'open', got 10000"],
    [{ openings: 1.5 }, "the snapshot's 'openings' must be a whole number from 0 to 1000000000, got 1.5"],
    [{ openings: Number.NaN }, "the snapshot's 'openings' must be a whole number from 0 to 1000000000, got NaN"],
    [{ consecutiveFailures: null }, "the snapshot's 'consecutiveFailures' must be a whole number from 0 to 9007199254740991, got null"],
    [{ lastFailureAt: {} }, "the snapshot's 'lastFailureAt' must be a number from"],
  ])('refuses %j, by name, and changes nothing', async (change, message) => {
    const { breaker: saved } = newCircuit()
    await fail(saved)
    const given =
      typeof change !== 'object' || change === null || Array.isArray(change) || Object.keys(change).length === 0
        ? change
        : { ...saved.snapshot(), ...change }
    const { breaker } = restarted(saved.snapshot(), 0)
    expect(() => breaker.restore(given as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(`circuit-breaker: ${message}`) as string }),
    )
    expect(breaker.status()).toMatchObject({ state: 'closed', lastFailureAt: null, openedTotal: 0 })
  })

  it('reads own fields only', () => {
    const { breaker } = newCircuit()
    expect(() => breaker.restore(Object.create(breaker.snapshot()) as never)).toThrow("'kind' must be")
  })

  it('whatever JSON comes, it is a named refusal or a circuit that works', async () => {
    const { breaker: saved } = newCircuit()
    await fail(saved)
    const fields = Object.keys(saved.snapshot())
    const change = fc.dictionary(
      fc.constantFrom(...fields),
      fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom('open', 'half-open', null)),
    )
    fc.assert(
      fc.property(change, fc.integer({ min: -1e9, max: 1e9 }), (changed, afterMs) => {
        const { breaker, clock } = restarted(saved.snapshot(), afterMs)
        try {
          breaker.restore({ ...saved.snapshot(), ...changed })
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
          expect(breaker.state).toBe('closed')
        }
        for (const figure of Object.values(breaker.status())) expect(figure).not.toBeNaN()
        clock.tick(Number.MAX_SAFE_INTEGER)
        if (breaker.state !== 'isolated' && breaker.status().nextAttemptAt === null && breaker.state !== 'open')
          expect(admits(breaker)).toBe(true)
      }),
      { numRuns: 1_000, seed: 11 },
    )
  })

  it('in any state is what restoring its own snapshot at once leaves as it is', async () => {
    const ways: readonly ((breaker: CircuitBreaker) => void | Promise<void>)[] = [
      () => undefined,
      (breaker) => fail(breaker),
      (breaker: CircuitBreaker) => breaker.isolate(),
      (breaker: CircuitBreaker) => breaker.disable(),
      (breaker: CircuitBreaker) => breaker.forceOpen(Infinity),
      (breaker) => breaker.forceOpen('5h'),
    ]
    for (const bring of ways) {
      const { breaker } = newCircuit({ failureThreshold: 1 })
      await bring(breaker)
      const { state, nextAttemptAt, since } = breaker.status()
      expect(breaker.restore(breaker.snapshot())).toBe(true)
      expect(breaker.status()).toMatchObject({ state, nextAttemptAt, since })
    }
  })

  it('into a group that has no place left stays closed, and says so', async () => {
    const clock = fakeClock()
    const group = circuitGroup({ maxOpen: 1 })
    const [a, b] = ['a', 'b'].map((name) => circuitBreaker({ name, failureThreshold: 1, group, clock })) as [CircuitBreaker, CircuitBreaker]
    await fail(b)
    const snapshot = b.snapshot()
    b.close()
    await fail(a)
    expect(b.restore(snapshot)).toBe(true)
    expect(b.status()).toMatchObject({ state: 'closed', ejectionsCappedTotal: 1 })
  })
})
