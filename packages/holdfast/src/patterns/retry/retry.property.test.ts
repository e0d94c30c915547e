import * as fc from 'fast-check'
import { isHoldfastError, retry, type RetryOptions } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { delaysOf, flaky, transientError } from './retry.fixture.ts'

const runs = { seed: 51, numRuns: 150 } as const

const delayMs = fc.oneof(
  fc.integer({ min: 0, max: 120_000 }),
  fc.double({ min: 0, max: 1e8, noNaN: true }),
  fc.constantFrom(0, Number.MIN_VALUE, 2 ** 31 - 1, 2 ** 31),
)

/** Any valid back-off, from the sensible to the absurd. */
const backoffOptions: fc.Arbitrary<RetryOptions> = fc
  .record({
    backoff: fc.constantFrom('exponential', 'linear', 'constant', 'decorrelated'),
    jitter: fc.constantFrom('full', 'equal', 'proportional', 'none'),
    jitterRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    factor: fc.double({ min: 1, max: 1_000, noNaN: true }),
    increment: delayMs,
    initialDelay: delayMs,
    maxDelay: delayMs,
  })
  .map(({ backoff, jitter, jitterRatio, factor, increment, initialDelay, maxDelay }) => ({
    backoff,
    initialDelay: Math.min(initialDelay, maxDelay),
    maxDelay,
    ...(backoff === 'exponential' ? { factor } : {}),
    ...(backoff === 'linear' ? { increment } : {}),
    ...(backoff === 'decorrelated' ? {} : { jitter }),
    ...(backoff !== 'decorrelated' && jitter === 'proportional' ? { jitterRatio } : {}),
  }))

describe('for any valid options', () => {
  it('no delay is NaN, negative or above the cap', async () => {
    const property = fc.asyncProperty(backoffOptions, fc.integer(), fc.integer({ min: 2, max: 40 }), async (options, seed, attempts) => {
      const { maxDelay } = options as { maxDelay: number }
      const delays = await delaysOf(attempts, { ...options, random: seededRandom(seed) })
      expect(delays.length).toBe(attempts - 1)
      for (const delay of delays) {
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(maxDelay)
      }
    })
    await fc.assert(property, runs)
  })

  it('a constant failure is met by exactly maxAttempts attempts', async () => {
    const options = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 250 }),
      initialDelay: fc.constantFrom(0, 1, 250),
      seed: fc.integer(),
    })
    const property = fc.asyncProperty(options, async ({ maxAttempts, initialDelay, seed }) => {
      const clock = fakeClock()
      const policy = retry({ maxAttempts, initialDelay, maxDelay: '1s', clock, random: seededRandom(seed) })
      const run = flaky(Infinity)
      const outcome = policy.tryExecute(run)
      await clock.advance('10m')
      expect(await outcome).toMatchObject({ ok: false, error: { message: `failure ${maxAttempts}` } })
      expect(run.calls).toBe(maxAttempts)
      expect(policy.status()).toMatchObject({ totalRetries: maxAttempts - 1, waiting: 0 })
    })
    await fc.assert(property, { ...runs, numRuns: 60 })
  })

  it('the time limits hold: no attempt begins after maxElapsed or the deadline, and the caller hears by the deadline', async () => {
    const options = fc.record({
      maxElapsed: fc.integer({ min: 0, max: 5_000 }),
      deadline: fc.integer({ min: 1, max: 5_000 }),
      minRemaining: fc.integer({ min: 0, max: 300 }),
      initialDelay: fc.integer({ min: 0, max: 2_000 }),
      backoff: fc.constantFrom('exponential', 'constant', 'decorrelated'),
      workMs: fc.integer({ min: 1, max: 1_500 }),
      hintMs: fc.option(fc.integer({ min: 0, max: 6_000 }), { nil: undefined }),
      seed: fc.integer(),
    })
    const property = fc.asyncProperty(
      options,
      async ({ maxElapsed, deadline, minRemaining, initialDelay, backoff, workMs, hintMs, seed }) => {
        const clock = fakeClock({ startMs: 0.25 })
        const startedAt = clock.now()
        const begunAt: number[] = []
        let toldAt = Infinity
        const policy = retry({ maxAttempts: 200, maxElapsed, minRemaining, initialDelay, backoff, clock, random: seededRandom(seed) })
        const outcome = policy
          .tryExecute(
            async () => {
              begunAt.push(clock.now() - startedAt)
              await new Promise<void>((resolve) => clock.setTimer(resolve, workMs))
              throw Object.assign(transientError(), hintMs === undefined ? {} : { retryAfterMs: hintMs })
            },
            { deadline },
          )
          .finally(() => (toldAt = clock.now() - startedAt))
        await clock.advance('1h')
        const { error } = await outcome

        expect(toldAt).toBeLessThanOrEqual(deadline + 1) // timers have whole milliseconds
        for (const at of begunAt.slice(1)) {
          expect(at).toBeLessThanOrEqual(maxElapsed + 1)
          expect(deadline - at).toBeGreaterThanOrEqual(minRemaining - 1)
        }
        for (const [index, at] of begunAt.entries()) {
          const before = begunAt[index - 1]
          if (before !== undefined && hintMs !== undefined) expect(at - before).toBeGreaterThanOrEqual(workMs + hintMs - 1e-6)
        }
        expect(isHoldfastError(error, 'ERR_DEADLINE_EXCEEDED') || (error as { code?: string }).code === 'ECONNRESET').toBe(true)
        expect(clock.timers.every(({ ref }) => !ref || toldAt === Infinity)).toBe(true)
      },
    )
    await fc.assert(property, runs)
  })
})
