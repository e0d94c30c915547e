import { pipeline, retry, type RetryNotice } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { flaky, transientError } from './retry.fixture.ts'

describe('attempts', () => {
  it('51: maxRetries n makes n + 1 calls and n delays, none after the last failure', async () => {
    for (const maxRetries of [0, 1, 2, 7]) {
      const clock = fakeClock()
      const notices: RetryNotice[] = []
      const policy = retry({
        maxRetries,
        initialDelay: '1s',
        maxDelay: '1h',
        jitter: 'none',
        clock,
        onRetry: (notice) => notices.push(notice),
      })
      const run = flaky(Infinity)
      const outcome = policy.tryExecute(run)
      await clock.advance((2 ** maxRetries - 1) * 1_000) // the sum of the delays, to the millisecond

      expect(await outcome).toMatchObject({ ok: false, error: { message: `failure ${maxRetries + 1}` } })
      expect(run.calls).toBe(maxRetries + 1)
      expect(notices.map(({ attempt }) => attempt)).toEqual(Array.from({ length: maxRetries }, (_, index) => index + 2))
    }
  })

  it('51: maxAttempts counts the first attempt', async () => {
    const clock = fakeClock()
    for (const maxAttempts of [1, 2, 5]) {
      const run = flaky(Infinity)
      const outcome = retry({ maxAttempts, clock }).tryExecute(run)
      await clock.advance('1h')
      expect((await outcome).ok).toBe(false)
      expect(run.calls).toBe(maxAttempts)
    }
  })

  it('makes three attempts by default', async () => {
    const clock = fakeClock()
    const run = flaky(Infinity)
    const outcome = retry({ clock }).tryExecute(run)
    await clock.advance('1h')
    expect((await outcome).ok).toBe(false)
    expect(run.calls).toBe(3)
  })

  it('begins the next attempt when the delay is over and not before', async () => {
    const clock = fakeClock()
    const run = flaky(1)
    const answer = retry({ initialDelay: '200ms', jitter: 'none', clock }).execute(run)
    await clock.advance('199ms')
    expect(run.calls).toBe(1)
    await clock.advance('1ms')
    expect(run.calls).toBe(2)
    expect(await answer).toBe('done')
  })

  it('tells each attempt its number, also when calls of one policy overlap', async () => {
    const clock = fakeClock()
    const policy = retry({ maxAttempts: 4, clock, random: seededRandom(7) })
    const seen: number[][] = []
    const answers = Array.from({ length: 20 }, (_, caller) => {
      const numbers: number[] = (seen[caller] = [])
      return policy.tryExecute(({ attempt }) => {
        numbers.push(attempt)
        if (attempt <= caller % 5) throw transientError()
        return caller
      })
    })
    await clock.advance('1h')
    const outcomes = await Promise.all(answers)

    for (const [caller, outcome] of outcomes.entries()) {
      const failures = caller % 5
      expect(outcome.ok).toBe(failures < 4)
      expect(seen[caller]).toEqual(Array.from({ length: Math.min(failures + 1, 4) }, (_, index) => index + 1))
    }
  })

  it('stops at the first error that is not transient', async () => {
    const clock = fakeClock()
    const wrong = new TypeError('not a function')
    const run = vi.fn(() => Promise.reject(wrong))
    await expect(retry({ clock }).execute(run)).rejects.toBe(wrong)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('of a retry inside a retry multiply', async () => {
    const settings = { maxAttempts: 3, initialDelay: 0, clock: fakeClock() } as const
    const numbers: number[] = []
    const outcome = await pipeline(retry(settings), retry(settings)).tryExecute(({ attempt }) => {
      numbers.push(attempt)
      throw transientError()
    })
    expect(outcome.ok).toBe(false)
    expect(numbers).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
  })

  it('repeats no delay-free attempt in the stack of the one before', async () => {
    const clock = fakeClock()
    const policy = retry({ maxAttempts: 5_000, initialDelay: 0, clock })
    const run = vi.fn(() => {
      throw transientError()
    })
    const outcome = policy.tryExecute(run)
    await clock.advance('1s')
    expect((await outcome).ok).toBe(false)
    expect(run).toHaveBeenCalledTimes(5_000)
  })

  it('lets the event loop turn although attempts without end have no delay', async () => {
    const caller = new AbortController()
    setImmediate(() => caller.abort('enough'))
    const outcome = await retry({ maxAttempts: Infinity, initialDelay: 0 }).tryExecute(flaky(Infinity), { signal: caller.signal })
    expect(outcome).toEqual({ ok: false, error: 'enough' })
  })
})

describe('answers', () => {
  it('hands on the very error of the last attempt, without adding to it', async () => {
    const clock = fakeClock()
    const errors = [transientError('first'), transientError('second')]
    const before = errors.map((error) => Object.getOwnPropertyNames(error))
    const policy = retry({ maxAttempts: 2, clock })
    const caught = policy.execute(({ attempt }) => Promise.reject(errors[attempt - 1] as Error)).catch((error: unknown) => error)
    await clock.advance('1m')
    expect(await caught).toBe(errors[1])
    expect(errors.map((error) => Object.getOwnPropertyNames(error))).toEqual(before)
    expect(errors[1]?.cause).toBeUndefined()
  })

  it('hands on whatever was thrown, errors or not', async () => {
    for (const thrown of [undefined, null, 0, '', 'text', 5n, Symbol('thrown'), { status: 400 }, Object.create(null), () => 1]) {
      const seen: unknown[] = []
      const policy = retry({ clock: fakeClock() })
      await policy
        .execute(() => {
          throw thrown
        })
        .catch((error: unknown) => seen.push(error))
      expect(seen).toEqual([thrown])
    }
  })

  it('repeats what is no error as well, when asked to', async () => {
    for (const thrown of [undefined, null, 'text', Object.create(null)]) {
      const run = vi.fn(() => {
        throw thrown
      })
      const outcome = await retry({ initialDelay: 0, retryOn: () => true, clock: fakeClock() }).tryExecute(run)
      expect(outcome).toEqual({ ok: false, error: thrown })
      expect(run).toHaveBeenCalledTimes(3)
    }
  })

  it('takes functions that answer or throw at once', async () => {
    const clock = fakeClock()
    expect(await retry({ clock }).execute(() => 5)).toBe(5)
    let calls = 0
    const answer = retry({ initialDelay: 0, clock }).execute(() => {
      calls++
      if (calls === 1) throw transientError()
      return calls
    })
    expect(await answer).toBe(2)
  })

  it('counts an attempt once whose promise settles more than once', async () => {
    class Restless<T> extends Promise<T> {
      // oxlint-disable-next-line unicorn/no-thenable
      override then(resolved?: unknown, rejected?: unknown): never {
        ;(rejected as (error: unknown) => void)(transientError())
        ;(rejected as (error: unknown) => void)(transientError())
        ;(resolved as (value: unknown) => void)('late')
        return undefined as never
      }
    }
    const run = vi.fn(() => new Restless<string>(() => undefined))
    const policy = retry({ maxAttempts: 3, initialDelay: 0, clock: fakeClock() })
    expect((await policy.tryExecute(run)).ok).toBe(false)
    expect(run).toHaveBeenCalledTimes(3)
    expect(policy.status()).toMatchObject({ totalRetries: 2, failedRetries: 1, waiting: 0 })
  })

  it('repeats no call that has answered, although its body fails afterwards', async () => {
    const clock = fakeClock()
    const run = vi.fn((call: { until(ended: Promise<unknown>): void }) => {
      call.until(Promise.reject(transientError('body cut off')))
      return 'head'
    })
    expect(await retry({ clock }).execute(run)).toBe('head')
    await clock.advance('1h')
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('protects a function under its own signature', async () => {
    const clock = fakeClock()
    let calls = 0
    const safe = retry({ initialDelay: 0, clock }).wrap(function (this: { base: number }, more: number) {
      calls++
      if (calls === 1) throw transientError()
      return this.base + more
    })
    expect(await safe.call({ base: 40 }, 2)).toBe(42)
  })
})
