import { isHoldfastError, retry, timeout, pipeline } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { flaky, transientError } from './retry.fixture.ts'

describe("57: the caller's deadline", () => {
  it('clips the delay, so that the next attempt still has its minimum of time', async () => {
    const clock = fakeClock()
    const remaining: number[] = []
    const policy = retry({ initialDelay: '10s', jitter: 'none', minRemaining: '200ms', clock })
    const answer = policy.execute(
      (call) => {
        remaining.push(call.remainingMs())
        if (call.attempt === 1) throw transientError()
        return 'just in time'
      },
      { deadline: '1s' },
    )
    await clock.advance('1s')
    expect(await answer).toBe('just in time')
    expect(remaining).toEqual([1_000, 200])
  })

  it('allows no retry that would have less than the minimum', async () => {
    const clock = fakeClock()
    const failure = transientError()
    const policy = retry({ initialDelay: 0, minRemaining: '200ms', clock })
    const run = vi.fn(async () => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 801))
      throw failure
    })
    const outcome = policy.tryExecute(run, { deadline: '1s' })
    await clock.advance('801ms')
    expect(await outcome).toEqual({ ok: false, error: failure }) // told at once, and not with the deadline's error
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('allows one that has just the minimum', async () => {
    const clock = fakeClock()
    const policy = retry({ initialDelay: 0, minRemaining: '200ms', maxAttempts: 2, clock })
    const run = vi.fn(async () => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 800))
      throw transientError()
    })
    const outcome = policy.tryExecute(run, { deadline: '1s' })
    await clock.advance('1s')
    const { error } = await outcome
    expect(run).toHaveBeenCalledTimes(2)
    expect(isHoldfastError(error, 'ERR_DEADLINE_EXCEEDED')).toBe(true)
  })

  it('ends the delay when it passes', async () => {
    const clock = fakeClock()
    const policy = retry({ initialDelay: '10s', jitter: 'none', minRemaining: 0, clock })
    const outcome = policy.tryExecute(flaky(Infinity), { deadline: '1s' })
    await clock.advance('999ms')
    expect(policy.status().waiting).toBe(1)
    await clock.advance('1ms')
    expect((await outcome).ok).toBe(false)
    expect(clock.timers.every(({ ref }) => !ref)).toBe(true)
  })

  it('makes the attempt after a clipped delay the last one', async () => {
    const clock = fakeClock()
    const run = flaky(Infinity)
    const outcome = retry({ maxAttempts: 50, initialDelay: '10s', jitter: 'none', minRemaining: '200ms', clock }).tryExecute(run, {
      deadline: '1s',
    })
    await clock.advance('800ms')
    expect(await outcome).toMatchObject({ ok: false, error: { message: 'failure 2' } })
    expect(run.calls).toBe(2)
  })

  it('is that of a timeout outside as well', async () => {
    const clock = fakeClock()
    const remaining: number[] = []
    const guarded = pipeline(timeout({ after: '1s', clock }), retry({ initialDelay: '10s', jitter: 'none', minRemaining: '100ms', clock }))
    const outcome = guarded.tryExecute((call) => {
      remaining.push(call.remainingMs())
      throw transientError()
    })
    await clock.advance('1s')
    expect((await outcome).ok).toBe(false)
    expect(remaining).toEqual([1_000, 100])
  })

  it('begins no attempt that its timer brings too late', async () => {
    const clock = fakeClock()
    const failure = transientError()
    const run = vi.fn(() => Promise.reject(failure))
    const outcome = retry({ initialDelay: '500ms', jitter: 'none', clock }).tryExecute(run, { deadline: '1s' })
    await clock.settle()
    clock.step(5_000) // the event loop was blocked
    await clock.advance(1)
    expect((await outcome).ok).toBe(false)
    expect(run).toHaveBeenCalledTimes(1)
  })
})

describe('maxElapsed', () => {
  it('begins no attempt after it', async () => {
    const begun: number[] = []
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed)
      const clock = fakeClock()
      const policy = retry({ maxAttempts: Infinity, initialDelay: '50ms', maxElapsed: '2s', clock, random })
      const outcome = policy.tryExecute(async () => {
        begun.push(clock.now())
        await new Promise<void>((resolve) => clock.setTimer(resolve, random() * 300))
        throw transientError()
      })
      await clock.advance('10s')
      expect((await outcome).ok).toBe(false)
    }
    expect(begun.length).toBeGreaterThan(400)
    expect(Math.max(...begun)).toBeLessThanOrEqual(2_000)
  })

  it('counts from the first attempt of each call', async () => {
    const clock = fakeClock()
    const policy = retry({ maxAttempts: 2, initialDelay: '1s', jitter: 'none', maxElapsed: '2s', clock })
    for (let call = 0; call < 3; call++) {
      const outcome = policy.tryExecute(flaky(1))
      await clock.advance('1h')
      expect((await outcome).ok).toBe(true)
    }
  })

  it('gives the last error when its timer comes too late', async () => {
    const clock = fakeClock()
    const failure = transientError()
    const run = vi.fn(() => Promise.reject(failure))
    const outcome = retry({ initialDelay: '1s', jitter: 'none', maxElapsed: '2s', clock }).tryExecute(run)
    await clock.settle()
    clock.step(60_000)
    await clock.advance(1)
    expect(await outcome).toEqual({ ok: false, error: failure })
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('and the deadline: the earlier one counts', async () => {
    for (const [maxElapsed, deadline] of [
      ['1s', '5s'],
      ['5s', '1s'],
    ] as const) {
      const clock = fakeClock()
      const begun: number[] = []
      const policy = retry({
        maxAttempts: 9,
        initialDelay: '300ms',
        backoff: 'constant',
        jitter: 'none',
        maxElapsed,
        minRemaining: 0,
        clock,
      })
      const outcome = policy.tryExecute(
        () => {
          begun.push(clock.now())
          throw transientError()
        },
        { deadline },
      )
      await clock.advance('1h')
      expect((await outcome).ok).toBe(false)
      expect(begun.slice(0, 4)).toEqual([0, 300, 600, 900])
      expect(Math.max(...begun)).toBeLessThanOrEqual(1_000)
    }
  })

  it('is kept by the monotonic clock, whatever the wall clock does', async () => {
    const clock = fakeClock()
    const run = flaky(2)
    const answer = retry({ initialDelay: '1s', jitter: 'none', maxElapsed: '5s', clock }).execute(run)
    await clock.advance('500ms')
    clock.stepWall(-3_600_000)
    await clock.advance('1s')
    clock.stepWall(86_400_000)
    await clock.advance('2s')
    expect(await answer).toBe('done')
  })
})
