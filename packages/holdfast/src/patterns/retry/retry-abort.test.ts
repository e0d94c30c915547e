import { getEventListeners } from 'node:events'
import { pipeline, retry, timeout, type Clock } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'
import { flaky, transientError } from './retry.fixture.ts'

const keepsProcessAlive = (clock: FakeClock): boolean => clock.timers.some(({ ref }) => ref)

describe('55: an abort during the delay', () => {
  it("rejects at once with the caller's own reason", async () => {
    for (const reason of [new Error('user left'), 'a text', 0, null, { code: 7 }]) {
      const clock = fakeClock()
      const caller = new AbortController()
      const run = flaky(Infinity)
      const policy = retry({ initialDelay: '10s', jitter: 'none', clock })
      const outcome = policy.tryExecute(run, { signal: caller.signal })
      await clock.settle()
      expect(keepsProcessAlive(clock)).toBe(true)

      caller.abort(reason)
      expect(await outcome).toEqual({ ok: false, error: reason }) // no time has passed
      expect(keepsProcessAlive(clock)).toBe(false)
      expect(policy.status().waiting).toBe(0)

      await clock.advance('1h')
      expect(run.calls).toBe(1)
    }
  })

  it('is heard before a delay of 0 is over', async () => {
    const caller = new AbortController()
    const run = flaky(Infinity)
    const policy = retry({ initialDelay: 0, clock: fakeClock(), onRetry: () => caller.abort('left') })
    expect(await policy.tryExecute(run, { signal: caller.signal })).toEqual({ ok: false, error: 'left' })
    expect(run.calls).toBe(1)
    expect(policy.status().waiting).toBe(0)
  })

  it('in the very tick in which the delay ends is heard once, whichever comes first', async () => {
    for (const abortFirst of [true, false]) {
      const clock = fakeClock()
      const caller = new AbortController()
      const policy = retry({ initialDelay: '1s', jitter: 'none', clock })
      const run = flaky(Infinity)
      if (abortFirst) clock.setTimer(() => caller.abort('left'), 1_000)
      const outcome = policy.tryExecute(run, { signal: caller.signal })
      await clock.settle()
      if (!abortFirst) clock.setTimer(() => caller.abort('left'), 1_000)
      clock.tick('1s')
      expect(await outcome).toEqual({ ok: false, error: 'left' })
      await clock.advance('1h')
      expect(run.calls).toBe(abortFirst ? 1 : 2)
      expect(policy.status().waiting).toBe(0)
    }
  })

  it('leaves the delays of other calls on the same signal and policy alone', async () => {
    const clock = fakeClock()
    const [leaving, staying] = [new AbortController(), new AbortController()]
    const policy = retry({ initialDelay: '1s', jitter: 'none', clock })
    const runs = [flaky(1), flaky(1), flaky(1)]
    const outcomes = runs.map((run, index) => policy.tryExecute(run, { signal: (index === 1 ? leaving : staying).signal }))
    await clock.settle()
    leaving.abort('left')
    await clock.advance('1s')
    expect(await Promise.all(outcomes)).toEqual([
      { ok: true, value: 'done' },
      { ok: false, error: 'left' },
      { ok: true, value: 'done' },
    ])
  })
})

describe('an abort at another moment', () => {
  it('before the call: nothing runs', async () => {
    const run = flaky(0)
    const outcome = await retry({ clock: fakeClock() }).tryExecute(run, { signal: AbortSignal.abort('too late') })
    expect(outcome).toEqual({ ok: false, error: 'too late' })
    expect(run.calls).toBe(0)
  })

  it('during an attempt: the caller is told at once, and no other attempt is made', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const run = vi.fn(() => new Promise(() => undefined))
    const outcome = retry({ clock }).tryExecute(run, { signal: caller.signal })
    await clock.settle()
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    await clock.advance('1h')
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('with a reason that looks transient: it is not repeated', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const reason = transientError()
    const run = vi.fn(() => new Promise(() => undefined))
    const outcome = retry({ clock }).tryExecute(run, { signal: caller.signal })
    caller.abort(reason)
    expect(await outcome).toEqual({ ok: false, error: reason })
    await clock.advance('1h')
    expect(run).toHaveBeenCalledTimes(1)
  })

  it("from one of the user's functions: there is no delay any more", async () => {
    const named = {
      retryOn: (leave: () => void) => ({ retryOn: () => (leave(), true) }),
      backoff: (leave: () => void) => ({ backoff: () => (leave(), 1_000) }),
      onRetry: (leave: () => void) => ({ onRetry: leave }),
      retryOnResult: (leave: () => void) => ({ retryOnResult: () => (leave(), true) }),
    }
    for (const [name, options] of Object.entries(named)) {
      const clock = fakeClock()
      const caller = new AbortController()
      const count = countListeners(caller.signal)
      const run = vi.fn(() => (name === 'retryOnResult' ? Promise.resolve('unwanted') : Promise.reject(transientError())))
      const policy = retry({ clock, ...options(() => caller.abort('left')) })
      expect(await policy.tryExecute(run, { signal: caller.signal }), name).toEqual({ ok: false, error: 'left' })
      expect(run).toHaveBeenCalledTimes(1)
      expect(policy.status().waiting).toBe(0)
      expect(keepsProcessAlive(clock)).toBe(false)
      expect(count.removed).toBe(count.added)
    }
  })
})

describe('56: listeners on a signal that outlives its calls', () => {
  it('20 calls of 2 retries each remove as many as they add', async () => {
    const clock = fakeClock()
    const { signal } = new AbortController()
    const count = countListeners(signal)
    const policy = retry({ maxRetries: 2, clock })
    for (let call = 0; call < 20; call++) {
      const outcome = policy.tryExecute(flaky(call % 4), { signal })
      await clock.advance('1h')
      await outcome
    }
    expect(count.added).toBeGreaterThan(0)
    expect(count.removed).toBe(count.added)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('20 calls at once share one listener', async () => {
    const clock = fakeClock()
    const { signal } = new AbortController()
    const count = countListeners(signal)
    const policy = retry({ maxRetries: 2, clock })
    const outcomes = Array.from({ length: 20 }, (_, call) => policy.tryExecute(flaky(call % 4), { signal }))
    await clock.settle()
    expect(getEventListeners(signal, 'abort').length).toBe(1)
    await clock.advance('1h')
    await Promise.all(outcomes)
    expect(count.removed).toBe(count.added)
  })

  it('attempts that read their signal leave none either', async () => {
    const clock = fakeClock()
    const { signal } = new AbortController()
    const count = countListeners(signal)
    const policies = [
      retry({ maxRetries: 2, clock }),
      retry({ maxRetries: 2, clock, retryOnResult: () => false }),
      retry({ maxRetries: 2, clock, retryOnResult: () => true }),
      pipeline(timeout({ after: '1h', clock }), retry({ maxRetries: 2, clock }), timeout({ after: '1s', clock })),
    ]
    for (const policy of policies) {
      for (const failures of [0, 1, 2, 3]) {
        const outcome = policy.tryExecute(
          ({ attempt, signal: own }) => {
            expect(own.aborted).toBe(false)
            if (attempt <= failures) throw transientError()
            return 'done'
          },
          { signal },
        )
        await clock.advance('10m')
        await outcome
      }
    }
    expect(count.added).toBeGreaterThan(0)
    expect(count.removed).toBe(count.added)
  })

  it('an attempt whose result is not accepted has its own signal aborted, and no other', async () => {
    const signals: AbortSignal[] = []
    const policy = retry({ initialDelay: 0, retryOnResult: (value) => value !== 3, clock: fakeClock() })
    await policy.execute(({ attempt, signal }) => {
      signals.push(signal)
      return attempt
    })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false])
  })
})

it('1,000 delays at a time share one timer', async () => {
  const inner = fakeClock({ startMs: 0.123 })
  let timersSet = 0
  const clock: Clock = {
    now: () => inner.now(),
    wallNow: () => inner.wallNow(),
    setTimer: (run, delayMs) => {
      timersSet++
      return inner.setTimer(run, delayMs)
    },
  }
  const policy = retry({ initialDelay: 1_000.5, jitter: 'none', clock })
  const outcomes = Array.from({ length: 1_000 }, () => policy.tryExecute(flaky(1)))
  await inner.settle()
  expect(policy.status().waiting).toBe(1_000)
  expect(timersSet).toBe(1)
  await inner.advance('2s')
  expect((await Promise.all(outcomes)).every(({ ok }) => ok)).toBe(true)
})
