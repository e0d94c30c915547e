import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { fallback, pipeline, retry, timeout, type Call, type PolicyLike } from 'holdfast'
import { fakeClock, seededRandom, type FakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'

/** What one attempt does: after a time, or never; alone or when it is told to stop. */
const attempt = fc.record({
  afterMs: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 400 }) }, { weight: 1, arbitrary: fc.constant(Infinity) }),
  ends: fc.constantFrom('answer', 'transient', 'lasting', 'throw at once', 'unwanted'),
  readsSignal: fc.boolean(),
  stopsWhenTold: fc.boolean(),
})

type Attempt = typeof attempt extends fc.Arbitrary<infer A> ? A : never

const call = fc.record({
  attempts: fc.array(attempt, { minLength: 1, maxLength: 6 }),
  startsAt: fc.integer({ min: 0, max: 300 }),
  abortAt: fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined, freq: 1 }),
  deadline: fc.option(fc.integer({ min: 0, max: 1_200 }), { nil: undefined, freq: 1 }),
})

const order = fc.shuffledSubarray(['fallback', 'total', 'retry', 'attempt'] as const, { minLength: 1 })

class Caller {
  readonly controller = new AbortController()
  attempts = 0
  outcomes = 0
  /** Listeners that the protected function itself has on the caller's signal. */
  ownListeners = 0
}

function perform(clock: FakeClock, script: readonly Attempt[], caller: Caller): (inner: Call) => unknown {
  return (inner) => {
    const { afterMs, ends, readsSignal, stopsWhenTold } = script[Math.min(caller.attempts++, script.length - 1)] as Attempt
    if (ends === 'throw at once') throw new TypeError('lasting')
    const signal = readsSignal || stopsWhenTold ? inner.signal : undefined
    expect(signal?.aborted ?? false).toBe(false) // no attempt begins for a caller who has left
    return new Promise((resolve, reject) => {
      const own = signal === caller.controller.signal ? 1 : 0
      const stop = (): void => {
        caller.ownListeners -= own
        signal?.removeEventListener('abort', stop)
        reject(signal?.reason as Error)
      }
      if (stopsWhenTold) {
        caller.ownListeners += own
        signal?.addEventListener('abort', stop)
      }
      if (afterMs === Infinity) return
      const end = (): void => {
        if (stopsWhenTold && signal?.aborted === false) {
          caller.ownListeners -= own
          signal?.removeEventListener('abort', stop)
        }
        if (ends === 'answer' || ends === 'unwanted') resolve(ends)
        else reject(Object.assign(new Error(ends), ends === 'transient' ? { code: 'ECONNRESET' } : {}))
      }
      if (afterMs === 0) end()
      else clock.setTimer(end, afterMs)
    })
  }
}

it('any script of successes, failures, hangs, aborts and time limits, in any order of policies, ends once and leaves nothing', async () => {
  const property = fc.asyncProperty(order, fc.array(call, { minLength: 1, maxLength: 5 }), fc.integer(), async (kinds, calls, seed) => {
    const clock = fakeClock({ startMs: 0.5 })
    const total = timeout({ name: 'total', after: 800, clock })
    const inner = timeout({ name: 'attempt', after: 150, clock })
    const repeat = retry({
      maxAttempts: 4,
      initialDelay: 50,
      clock,
      random: seededRandom(seed),
      retryOnResult: (value) => value === 'unwanted',
    })
    const substitute = fallback({ handler: () => new Promise((resolve) => clock.setTimer(() => resolve('substitute'), 100)), clock })
    const policies: Record<(typeof kinds)[number], PolicyLike> = { fallback: substitute, total, retry: repeat, attempt: inner }
    const guarded = pipeline(...kinds.map((kind) => policies[kind]))

    const callers = calls.map(({ attempts, startsAt, abortAt, deadline }) => {
      const caller = new Caller()
      const { signal } = caller.controller
      clock.setTimer(() => {
        const options = deadline === undefined ? { signal } : { signal, deadline }
        void guarded.tryExecute(perform(clock, attempts, caller), options).then(() => caller.outcomes++)
      }, startsAt)
      if (abortAt !== undefined) clock.setTimer(() => caller.controller.abort('left'), startsAt + abortAt)
      return caller
    })
    await clock.advance('1m')
    for (const { controller, outcomes, ownListeners } of callers) {
      if (outcomes === 1) expect(getEventListeners(controller.signal, 'abort').length).toBe(ownListeners)
      controller.abort('at the end') // ends what hangs without any time limit
    }
    await clock.advance('1m')

    for (const { attempts, outcomes, controller } of callers) {
      expect(outcomes).toBe(1)
      expect(attempts).toBeLessThanOrEqual(kinds.includes('retry') ? 4 : 1)
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
    expect(repeat.status().waiting).toBe(0)
    const hung = calls.some(({ attempts }) => attempts.some(({ afterMs }) => afterMs === Infinity))
    if (!hung) {
      expect(total.status().abandoned).toBe(0)
      expect(inner.status().abandoned).toBe(0)
    }
  })
  await fc.assert(property, { seed: 76, numRuns: 300 })
})
