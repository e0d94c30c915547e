import * as fc from 'fast-check'
import { bulkhead, circuitBreaker, fallback, pipeline, rateLimiter, retry, timeout, type Call } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { transientError } from './deferred.fixture.ts'
import { expectNoUnhandledRejection } from '../support/unhandled-rejections.ts'

expectNoUnhandledRejection()

const call = fc.record({
  /** Attempts that fail before one succeeds. */
  failures: fc.nat(4),
  lastsMs: fc.constantFrom(0, 1, 30, 90, 400),
  startsAt: fc.nat(300),
  deadline: fc.constantFrom(undefined, 5_000, 60_000),
  readsSignal: fc.boolean(),
})

it('111: calls at the same time share a pipeline and no state: each has its own attempts, signals, deadline, key and answer', async () => {
  const property = fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 20 }), fc.integer(), async (calls, seed) => {
    const clock = fakeClock()
    const guarded = pipeline(
      fallback({ handler: (_error, { context }) => ({ insteadOf: context }), clock }),
      timeout({ after: '30s', clock }),
      retry({ maxAttempts: 4, initialDelay: 20, random: seededRandom(seed), clock }),
      circuitBreaker({ failureThreshold: 1_000, clock }),
      rateLimiter({ limit: 1_000, window: '1s', clock }),
      bulkhead({ maxConcurrent: 3, maxQueued: 100, clock }),
      timeout({ after: 200, clock }),
    )
    const seen = calls.map(() => [] as Call[])
    const signals = calls.map(() => new Set<AbortSignal>())
    const answers = calls.map(() => [] as unknown[])
    for (const [index, { failures, lastsMs, startsAt, deadline, readsSignal }] of calls.entries()) {
      const run = (inner: Call): Promise<unknown> => {
        seen[index]?.push(inner)
        if (readsSignal) signals[index]?.add(inner.signal)
        return new Promise((resolve, reject) => {
          const end = (): void => (inner.attempt > failures ? resolve({ of: index }) : reject(transientError(`of ${index}`)))
          clock.setTimer(end, lastsMs)
        })
      }
      const options = { key: `key ${index}`, context: index, deadline }
      clock.setTimer(() => {
        const deadlineAt = clock.now() + Math.min(deadline ?? Infinity, 30_000)
        void guarded.tryExecute(run, options).then(({ value }) => answers[index]?.push(value))
        for (const inner of seen[index] ?? []) expect(inner.deadlineAt).toBeLessThanOrEqual(deadlineAt)
      }, startsAt)
    }
    await clock.advance('2m')

    for (const [index, { failures, lastsMs, readsSignal }] of calls.entries()) {
      const comesThrough = failures < 4 && lastsMs < 200
      const attempts = lastsMs > 200 ? 4 : Math.min(failures + 1, 4)
      expect(seen[index]?.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4].slice(0, attempts))
      expect(seen[index]?.every(({ key, context }) => key === `key ${index}` && context === index)).toBe(true)
      expect(answers[index]).toEqual([comesThrough ? { of: index } : { insteadOf: index }])
      expect(signals[index]?.size).toBe(readsSignal ? attempts : 0)
    }
    const all = signals.flatMap((each) => [...each])
    expect(new Set(all).size).toBe(all.length)
  })
  await fc.assert(property, { seed: 111, numRuns: 150 })
})
