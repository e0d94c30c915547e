import { getEventListeners } from 'node:events'
import { bulkhead, fallback, isHoldfastError, pipeline, retry, timeout, type Call } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'

const never = (): Promise<never> => new Promise(() => undefined)

describe('76: after a success', () => {
  it("nothing stays registered on the caller's signal, and a signal that was read is not aborted", async () => {
    const clock = fakeClock()
    const { signal } = new AbortController()
    const count = countListeners(signal)
    const guarded = pipeline(timeout({ after: '1m', clock }), retry({ clock }), timeout({ after: '1s', clock }))
    for (const policy of [timeout({ after: '1s', clock }), guarded]) {
      for (let call = 0; call < 20; call++) {
        let own: AbortSignal | undefined
        const answer = await policy.execute(
          async (inner) => {
            own = inner.signal
            await clock.settle()
            return 'done'
          },
          { signal },
        )
        expect(answer).toBe('done')
        expect(getEventListeners(signal, 'abort')).toEqual([])
        await clock.advance('1h')
        expect(own?.aborted).toBe(false)
      }
    }
    expect(count.added).toBeGreaterThan(0)
    expect(count.removed).toBe(count.added)
    expect(clock.timers.every(({ ref }) => !ref)).toBe(true)
  })

  it('a later abort by the caller does not reach the signal of a call that is over', async () => {
    const caller = new AbortController()
    const signals: AbortSignal[] = []
    const limit = timeout({ after: '1s', clock: fakeClock() })
    await limit.execute((call) => signals.push(call.signal), { signal: caller.signal })
    caller.abort('later')
    expect(signals[0]?.aborted).toBe(false)
  })

  it('while its body goes on, the signal still is the way to end it', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    let end: () => void = () => undefined
    let own: AbortSignal | undefined
    const answer = await timeout({ after: '1s', clock }).execute(
      (call) => {
        own = call.signal
        call.until(new Promise<void>((resolve) => (end = resolve)))
        return 'head'
      },
      { signal: caller.signal },
    )
    expect(answer).toBe('head')
    expect(getEventListeners(caller.signal, 'abort').length).toBe(1)
    caller.abort('stop the stream')
    expect(own?.reason).toBe('stop the stream')
    end()
    await clock.settle()
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })
})

describe('77: nested timeouts', () => {
  it('the outer one interrupts everything inside: inner timeout, retry and fallback', async () => {
    const clock = fakeClock()
    const outer = timeout({ name: 'outer', after: '1s', clock })
    const inner = timeout({ name: 'inner', after: '5s', clock })
    const handler = vi.fn(() => 'substitute')
    const repeat = retry({ clock })
    const run = vi.fn(never)
    const outcome = pipeline(outer, fallback(handler), repeat, inner).tryExecute(run)
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT', policy: 'outer' } })
    await clock.advance('1h')
    expect(handler).not.toHaveBeenCalled()
    expect(run).toHaveBeenCalledTimes(1)
    expect(inner.status().timeouts).toBe(0)
    expect(repeat.status()).toMatchObject({ totalRetries: 0, waiting: 0 })
    expect(clock.timers.every(({ ref }) => !ref)).toBe(true)
  })

  it('the outer one interrupts a fallback that is at work', async () => {
    const clock = fakeClock()
    const handler = vi.fn((_error: unknown, call: Call) => (void call.signal, never()))
    const outcome = pipeline(timeout({ name: 'outer', after: '1s', clock }), fallback(handler)).tryExecute(() =>
      Promise.reject(new Error('down')),
    )
    await clock.advance('999ms')
    expect(handler).toHaveBeenCalledTimes(1)
    expect(handler.mock.calls[0]?.[1].signal.aborted).toBe(false)
    await clock.advance('1ms')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT', policy: 'outer' } })
    expect(handler.mock.calls[0]?.[1].signal.aborted).toBe(true)
  })

  it('the inner one is an error like any other for what is outside of it', async () => {
    const clock = fakeClock()
    const inner = timeout({ name: 'inner', after: '1s', clock })
    const handler = vi.fn((error: unknown) => (error as { policy: string }).policy)
    const outcome = pipeline(
      timeout({ name: 'outer', after: '10s', clock }),
      fallback(handler),
      retry({ maxAttempts: 2, clock }),
      inner,
    ).tryExecute(never)
    await clock.advance('10s')
    expect(await outcome).toEqual({ ok: true, value: 'inner' })
    expect(inner.status().timeouts).toBe(2)
  })

  it('each attempt inside a retry has its own time and signal; a late answer reaches nobody', async () => {
    const clock = fakeClock()
    const signals: AbortSignal[] = []
    const guarded = pipeline(retry({ initialDelay: 0, clock }), timeout({ after: '1s', clock }))
    const answer = guarded.execute(({ attempt, signal }) => {
      signals.push(signal)
      const delayMs = attempt === 1 ? 1_500 : 800 // the first one answers while the second one works
      return new Promise((resolve) => clock.setTimer(() => resolve(`attempt ${attempt}`), delayMs))
    })
    await clock.advance('1h')
    expect(await answer).toBe('attempt 2')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })
})

describe('78: deadlines', () => {
  it("a call's deadline is the earliest of all around it", async () => {
    const clock = fakeClock({ startMs: 1_000 })
    const seen: number[] = []
    const remember = (call: Call): unknown => seen.push(call.deadlineAt, call.remainingMs())
    const limit = timeout({ after: '2s', clock })
    await limit.execute(remember)
    await limit.execute(remember, { deadline: '1s' })
    await limit.execute(remember, { deadline: '5s' })
    await pipeline(timeout({ after: '1500ms', clock }), limit).execute(remember)
    await timeout({ after: Infinity, clock }).execute(remember)
    expect(seen).toEqual([3_000, 2_000, 2_000, 1_000, 3_000, 2_000, 2_500, 1_500, Infinity, Infinity])
  })

  it('the deadline that passes first tells whose it was', async () => {
    for (const [deadline, code] of [
      ['1s', 'ERR_DEADLINE_EXCEEDED'],
      ['3s', 'ERR_TIMEOUT'],
    ] as const) {
      const clock = fakeClock()
      const limit = timeout({ after: '2s', clock })
      const outcome = limit.tryExecute(never, { deadline })
      await clock.advance('5s')
      expect(await outcome).toMatchObject({ ok: false, error: { code } })
      expect(limit.status().timeouts).toBe(code === 'ERR_TIMEOUT' ? 1 : 0)
    }
  })

  it('one that has passed on arrival is refused before any work, and is no timeout of the policy', async () => {
    const clock = fakeClock()
    const limit = timeout({ name: 'attempt', after: '2s', clock })
    const gate = bulkhead({ maxConcurrent: 1, maxQueued: 1, clock })
    let leave: (value: unknown) => void = () => undefined
    void gate.tryExecute(() => new Promise((resolve) => (leave = resolve)))
    const run = vi.fn()
    const outcome = pipeline(gate, limit).tryExecute(run, { deadline: '1s' })
    await clock.settle()
    clock.step(5_000) // the event loop was blocked, so the timer of the deadline is late
    leave(undefined)
    await clock.settle()
    expect(await outcome).toMatchObject({ ok: false, refusal: { code: 'ERR_DEADLINE_EXCEEDED', policy: 'attempt' } })
    expect(run).not.toHaveBeenCalled()
    expect(limit.status().timeouts).toBe(0)
    expect(gate.status()).toMatchObject({ running: 0, failed: 0 })
  })

  it('a deadline of 0 is refused before any work', async () => {
    const run = vi.fn()
    const outcome = await timeout({ after: '2s', clock: fakeClock() }).tryExecute(run, { deadline: 0 })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_DEADLINE_EXCEEDED' } })
    expect(run).not.toHaveBeenCalled()
  })

  it('no step of the wall clock lets one pass: of 100 calls under way none is refused', async () => {
    const clock = fakeClock()
    const guarded = pipeline(retry({ maxAttempts: 2, initialDelay: '100ms', clock }), timeout({ after: '1s', clock }))
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      guarded.tryExecute(
        ({ attempt }) => {
          if (index % 2 === 0 && attempt === 1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
          return new Promise((resolve) => clock.setTimer(() => resolve(index), 500))
        },
        { deadline: '2s' },
      ),
    )
    clock.stepWall(86_400_000)
    await clock.advance('50ms')
    clock.stepWall(-7 * 86_400_000)
    await clock.advance('2s')
    expect((await Promise.all(outcomes)).every(({ ok }) => ok)).toBe(true)
  })

  it('an invalid one is an error that names it', async () => {
    const outcome = await timeout({ after: '2s', clock: fakeClock() })
      .execute(() => 1, { deadline: '5 s' as never })
      .catch((error: unknown) => error)
    expect(isHoldfastError(outcome, 'ERR_INVALID_OPTION')).toBe(true)
    expect((outcome as Error).message).toMatch(/^execute: option 'deadline' must be a duration .*, got "5 s"$/)
  })
})
