import { isHoldfastError, setStackTraces, timeout, type TimeoutEvent } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'

/** Answers after so many milliseconds, whether or not somebody still waits. */
const answerAfter = (clock: FakeClock, delayMs: number, value: unknown): Promise<unknown> =>
  new Promise((resolve) => clock.setTimer(() => resolve(value), delayMs))

const failAfter = (clock: FakeClock, delayMs: number, error: Error): Promise<unknown> =>
  new Promise((_resolve, reject) => clock.setTimer(() => reject(error), delayMs))

const never = (): Promise<never> => new Promise(() => undefined)

describe('a call within its time', () => {
  it('answers as its function does', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    expect(await limit.execute(() => 5)).toBe(5)
    expect(await limit.execute(() => Promise.resolve('text'))).toBe('text')
    const failure = new Error('own')
    await expect(limit.execute(() => Promise.reject(failure))).rejects.toBe(failure)
    const thrown = limit.execute(() => {
      throw failure
    })
    await expect(thrown).rejects.toBe(failure)
    expect(limit.status()).toMatchObject({ timeouts: 0, abandoned: 0 })
  })

  it('may take until the last moment', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    const outcome = limit.tryExecute(() => answerAfter(clock, 999, 'just in time'))
    await clock.advance('1h')
    expect(await outcome).toEqual({ ok: true, value: 'just in time' })
  })

  it('protects a function under its own signature', async () => {
    const safe = timeout({ after: '1s', clock: fakeClock() }).wrap((a: number, b: number) => a + b)
    expect(await safe(2, 3)).toBe(5)
  })
})

describe('a call beyond its time', () => {
  it('rejects with ERR_TIMEOUT, the name of the policy and how long it waited', async () => {
    const clock = fakeClock()
    const limit = timeout({ name: 'search-timeout', after: '1s', clock })
    const outcome = limit.tryExecute(never)
    await clock.advance('999ms')
    expect(limit.status().timeouts).toBe(0)
    await clock.advance('1ms')
    const { error } = await outcome
    expect(isHoldfastError(error, 'ERR_TIMEOUT')).toBe(true)
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', policy: 'search-timeout', message: 'search-timeout: no answer within 1000 ms' })
    expect(limit.status()).toMatchObject({ timeouts: 1, abandoned: 1 })
  })

  it("aborts its function's signal, with the same error as reason", async () => {
    const clock = fakeClock()
    let signal: AbortSignal | undefined
    const outcome = timeout({ after: '1s', clock }).tryExecute((call) => {
      signal = call.signal
      return never()
    })
    await clock.advance('1s')
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toBe((await outcome).error)
  })

  it('ends for the caller although the function does not listen to its signal', async () => {
    const clock = fakeClock()
    const outcome = timeout({ after: '1s', clock }).tryExecute(() => answerAfter(clock, 3_600_000, 'late'))
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })

  it('makes an error without a stack, unless stacks are asked for', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: 1, clock })
    const errorOf = async (): Promise<Error> => {
      const outcome = limit.tryExecute(never)
      await clock.advance(1)
      return (await outcome).error as Error
    }
    expect((await errorOf()).stack).not.toMatch(/\n\s+at /)
    setStackTraces(true)
    expect((await errorOf()).stack).toMatch(/\n\s+at /)
  })
  afterEach(() => setStackTraces(false))
})

describe('73: timeout and abort', () => {
  it("an abort keeps the caller's reason, and is no timeout", async () => {
    for (const reason of [new Error('user left'), 'text', 0, null, new DOMException('like a timeout', 'TimeoutError')]) {
      const clock = fakeClock()
      const caller = new AbortController()
      const limit = timeout({ after: '1s', clock })
      const outcome = limit.tryExecute(never, { signal: caller.signal })
      await clock.settle()
      caller.abort(reason)
      expect(await outcome).toEqual({ ok: false, error: reason })
      await clock.advance('1h')
      expect(limit.status().timeouts).toBe(0)
    }
  })

  it('in one tick: whichever comes first decides, and the function sees the same reason as the caller', async () => {
    for (const abortFirst of [true, false]) {
      const clock = fakeClock()
      const caller = new AbortController()
      const limit = timeout({ after: '1s', clock })
      const abort = (): void => caller.abort('left')
      let signal: AbortSignal | undefined
      if (abortFirst) clock.setTimer(abort, 1_000)
      const outcome = limit.tryExecute(
        (call) => {
          signal = call.signal
          return never()
        },
        { signal: caller.signal },
      )
      if (!abortFirst) clock.setTimer(abort, 1_000)
      clock.tick('1s') // both, with no microtask between
      const { error } = await outcome
      if (abortFirst) expect(error).toBe('left')
      else expect(isHoldfastError(error, 'ERR_TIMEOUT')).toBe(true)
      expect(signal?.reason).toBe(error)
      expect(limit.status().timeouts).toBe(abortFirst ? 0 : 1)
    }
  })

  it('an abort by the function itself is told at once', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const run = (): Promise<never> => {
      caller.abort('from inside')
      return never()
    }
    expect(await timeout({ after: '1s', clock }).tryExecute(run, { signal: caller.signal })).toEqual({ ok: false, error: 'from inside' })
  })

  it('an abort before the call: nothing runs', async () => {
    const run = vi.fn()
    const outcome = await timeout({ after: '1s', clock: fakeClock() }).tryExecute(run, { signal: AbortSignal.abort('early') })
    expect(outcome).toEqual({ ok: false, error: 'early' })
    expect(run).not.toHaveBeenCalled()
  })
})

describe('74: what an abandoned function brings', () => {
  it('reaches nobody: neither its result nor its error, and no rejection is left unhandled', async () => {
    const clock = fakeClock()
    for (const answer of [() => answerAfter(clock, 2_000, 'late'), () => failAfter(clock, 3_000, new Error('late'))]) {
      const settled = vi.fn()
      const outcome = timeout({ after: '1s', clock }).tryExecute(answer)
      void outcome.then(settled)
      await clock.advance('1s')
      expect(settled).toHaveBeenCalledTimes(1)
      await clock.advance('10s')
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
      expect(settled).toHaveBeenCalledTimes(1)
    }
  })

  it('reaches nobody either when it comes from the listener of the signal', async () => {
    const clock = fakeClock()
    const outcome = timeout({ after: '1s', clock }).tryExecute(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('cleaned up'))),
    )
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })

  it('is counted until it ends, and its end is an event', async () => {
    const clock = fakeClock()
    const limit = timeout({ after: '1s', clock })
    const events: TimeoutEvent[] = []
    limit.on((event) => events.push(event))
    const outcomes = [2_000, 3_000].map((delayMs) => limit.tryExecute(() => answerAfter(clock, delayMs, 'late')))
    await clock.advance('1s')
    await Promise.all(outcomes)
    expect(limit.status()).toMatchObject({ timeouts: 2, abandoned: 2 })
    await clock.advance('1s')
    expect(limit.status()).toMatchObject({ timeouts: 2, abandoned: 1 })
    await clock.advance('1s')
    expect(limit.status()).toMatchObject({ timeouts: 2, abandoned: 0 })
    const at = clock.wallNow()
    expect(events).toEqual([
      { type: 'timeout.fired', policy: 'timeout', at: at - 2_000, afterMs: 1_000 },
      { type: 'timeout.fired', policy: 'timeout', at: at - 2_000, afterMs: 1_000 },
      { type: 'timeout.late', policy: 'timeout', at: at - 1_000 },
      { type: 'timeout.late', policy: 'timeout', at },
    ])
  })
})

it('a call that is begun because of a timeout has its own full time', async () => {
  const clock = fakeClock()
  const limit = timeout({ after: '1s', clock })
  const told: number[] = []
  const again = (depth: number): Promise<unknown> =>
    limit
      .tryExecute(({ signal }) => {
        signal.addEventListener('abort', () => {
          if (depth > 1) void again(depth - 1) // from inside the timer
        })
        return never()
      })
      .then(() => told.push(clock.now()))
  void again(3)
  await clock.advance('1m')
  expect(told).toEqual([1_000, 2_000, 3_000])
  expect(limit.status().timeouts).toBe(3)
})

it('1,000 calls at once: each has its own time, in the order of their calls', async () => {
  const clock = fakeClock()
  const limit = timeout({ after: '1s', clock })
  const told: number[] = []
  const outcomes: Promise<unknown>[] = []
  for (let call = 0; call < 1_000; call++) {
    outcomes.push(limit.tryExecute(never).then(() => told.push(clock.now())))
    await clock.advance(1)
  }
  expect(clock.timers.length).toBe(1)
  await clock.advance('1s')
  await Promise.all(outcomes)
  expect(told).toEqual(Array.from({ length: 1_000 }, (_, call) => call + 1_000))
})
