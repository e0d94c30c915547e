import { concurrentRetryBudget, retry, type RetryBudget } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { flaky, transientError } from '../../patterns/retry/retry.fixture.ts'

/** Begins so many calls, and returns how many of them may retry at the same time. */
function retriesAmong(budget: RetryBudget, calls: number): number {
  const begun = Array.from({ length: calls }, () => budget.begin())
  const granted = begun.filter((call) => call.tryRetry()).length
  for (const call of begun) call.end()
  return granted
}

describe('62: a budget by concurrency', () => {
  it('always allows minConcurrency retries at low traffic', () => {
    const budget = concurrentRetryBudget({ maxRatio: 0.2, minConcurrency: 3 })
    for (const calls of [1, 2, 3]) expect(retriesAmong(budget, calls)).toBe(calls)
    expect(retriesAmong(budget, 10)).toBe(3)
  })

  it('allows maxRatio of the calls in flight at high traffic', () => {
    const budget = concurrentRetryBudget({ maxRatio: 0.2, minConcurrency: 3 })
    expect(retriesAmong(budget, 100)).toBe(20)
    expect(retriesAmong(budget, 24)).toBe(4)
  })

  it('may be closed altogether, or open altogether', () => {
    expect(retriesAmong(concurrentRetryBudget({ maxRatio: 0, minConcurrency: 0 }), 50)).toBe(0)
    expect(retriesAmong(concurrentRetryBudget({ maxRatio: 1, minConcurrency: 0 }), 50)).toBe(50)
  })

  it('gives the place back on every way a call can end', async () => {
    const clock = fakeClock()
    const budget = concurrentRetryBudget({ maxRatio: 0, minConcurrency: 1 })
    const policy = retry({ maxAttempts: 3, initialDelay: '1s', jitter: 'none', budget, clock })
    const caller = new AbortController()
    const ends = {
      success: () => policy.tryExecute(flaky(1)),
      failure: () => policy.tryExecute(flaky(Infinity)),
      'an error that is not transient': () =>
        policy.tryExecute(({ attempt }) => Promise.reject(attempt === 1 ? transientError() : new TypeError('wrong'))),
      deadline: () => policy.tryExecute(flaky(Infinity), { deadline: '1500ms' }),
      'deadline of a hung attempt': () =>
        policy.tryExecute(({ attempt }) => (attempt === 1 ? Promise.reject(transientError()) : new Promise(() => undefined)), {
          deadline: '5s',
        }),
      'abort during the delay': () => {
        clock.setTimer(() => caller.abort('left'), 500)
        return policy.tryExecute(flaky(Infinity), { signal: caller.signal })
      },
    }
    for (const [way, end] of Object.entries(ends)) {
      const outcome = end()
      await clock.settle()
      expect(budget.status().available, way).toBe(0)
      await clock.advance('1m')
      await outcome
      expect(budget.status().available, way).toBe(1)
    }
    expect(budget.status().exhausted).toBe(0)
  })

  it('one call needs one place for all its retries, and each of them is counted', async () => {
    const clock = fakeClock()
    const budget = concurrentRetryBudget({ maxRatio: 0, minConcurrency: 1 })
    const outcome = retry({ maxAttempts: 4, budget, clock }).tryExecute(flaky(3))
    await clock.advance('1m')
    expect(await outcome).toEqual({ ok: true, value: 'done' })
    expect(budget.status()).toEqual({ name: 'retry-budget', available: 1, granted: 3, exhausted: 0 })
  })

  it('refuses the retry beyond its limit, and the caller has its own error', async () => {
    const clock = fakeClock()
    const budget = concurrentRetryBudget({ maxRatio: 0, minConcurrency: 1 })
    const policy = retry({ maxAttempts: 2, budget, clock })
    const first = policy.tryExecute(flaky(1))
    const second = policy.tryExecute(flaky(1))
    expect(await second).toMatchObject({ ok: false, error: { message: 'failure 1' } })
    await clock.advance('1m')
    expect(await first).toEqual({ ok: true, value: 'done' })
    expect(policy.status().budgetExhausted).toBe(1)
  })

  it('never exceeds its limit and always returns to rest, over 200 random scripts', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed)
      const budget = concurrentRetryBudget({ maxRatio: 0.3, minConcurrency: 2 })
      const open: { call: ReturnType<RetryBudget['begin']>; retrying: boolean }[] = []
      for (let step = 0; step < 200; step++) {
        const choice = random()
        const one = open[Math.floor(random() * open.length)]
        if (choice < 0.4 || one === undefined) open.push({ call: budget.begin(), retrying: false })
        else if (choice < 0.7) {
          const retrying = open.filter((each) => each.retrying).length
          const granted = one.call.tryRetry()
          expect(granted).toBe(one.retrying || retrying < Math.max(2, Math.floor(open.length * 0.3)))
          one.retrying ||= granted
        } else {
          one.call.end()
          one.call.end() // twice is once
          expect(one.call.tryRetry()).toBe(false)
          open.splice(open.indexOf(one), 1)
        }
      }
      for (const { call } of open) call.end()
      expect(budget.status().available).toBe(2)
    }
  })
})
