import { concurrentRetryBudget, retry, retryBudget, type RetryBudget } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { transientError } from './retry.fixture.ts'

const constant = { backoff: 'constant', jitter: 'none', initialDelay: '1s' } as const

describe('retry.reconfigure', () => {
  it('lets calls under way end by the settings they began with', async () => {
    const clock = fakeClock()
    const policy = retry({ ...constant, maxAttempts: 4, clock })
    const attempts = { early: 0, late: 0 }
    const early = policy.tryExecute(() => {
      attempts.early++
      throw transientError()
    })
    policy.reconfigure({ ...constant, maxAttempts: 2, maxElapsed: '1h', retryOn: () => true })
    const late = policy.tryExecute(() => {
      attempts.late++
      throw new Error('any')
    })
    await clock.advance('10s')
    await Promise.all([early, late])
    expect(attempts).toEqual({ early: 4, late: 2 })
    expect(policy.status()).toMatchObject({ calls: 2, totalRetries: 4, failedRetries: 2 })
    expect(policy.describe()).toMatchObject({ maxAttempts: 2, maxElapsedMs: 3_600_000, retryOn: 'custom' })
  })

  it('changes nothing when a setting is wrong', () => {
    const policy = retry({ maxAttempts: 4 })
    const described = policy.describe()
    expect(() => policy.reconfigure({ maxAttempts: 2, maxRetries: 3 })).toThrow('maxRetries')
    expect(() => policy.reconfigure({ name: 'x' } as never)).toThrow("no option 'name'")
    expect(policy.describe()).toEqual(described)
  })
})

function drain(budget: RetryBudget): number {
  const call = budget.begin()
  let granted = 0
  while (granted < 10_000 && call.tryRetry()) granted++
  call.end()
  return granted
}

describe('retryBudget.reconfigure', () => {
  it('counts the calls and retries of before', () => {
    const clock = fakeClock()
    const budget = retryBudget({ ratio: 1, minPerSecond: 0, clock })
    for (let call = 0; call < 9; call++) budget.begin().end()
    expect(drain(budget)).toBe(10)
    budget.reconfigure({ ratio: 1, minPerSecond: 0 })
    expect(drain(budget)).toBe(1)
    budget.reconfigure({ ratio: 2, minPerSecond: 0 })
    expect(drain(budget)).toBe(13)
    budget.reconfigure({ ratio: 0.1, minPerSecond: 0 })
    expect(drain(budget)).toBe(0)
    expect(budget.status()).toMatchObject({ granted: 24, exhausted: 4 })
  })

  it.each(['5s', '20s', '10m'] as const)('gives no retry twice when calls count for %s instead of 10 s', (ttl) => {
    const clock = fakeClock()
    const budget = retryBudget({ ratio: 1, minPerSecond: 0, ttl: '10s', clock })
    for (let step = 0; step < 8; step++) {
      budget.begin().end()
      clock.tick('500ms')
    }
    expect(drain(budget)).toBe(9)
    budget.reconfigure({ ratio: 1, minPerSecond: 0, ttl })
    expect(drain(budget)).toBeLessThanOrEqual(1)
    clock.tick('1h')
    expect(drain(budget)).toBe(1)
    expect(budget.describe()).toMatchObject({ ratio: 1, minPerSecond: 0 })
  })

  it('changes nothing when a setting is wrong', () => {
    const budget = retryBudget({ ratio: 0.5 })
    expect(() => budget.reconfigure({ ratio: 0.1, ttl: 0 })).toThrow("option 'ttl'")
    expect(budget.describe()).toMatchObject({ ratio: 0.5 })
  })
})

it('a concurrent budget keeps count of the calls in flight', () => {
  const budget = concurrentRetryBudget({ maxRatio: 0, minConcurrency: 1 })
  const calls = [budget.begin(), budget.begin()]
  expect(calls.map((call) => call.tryRetry())).toEqual([true, false])
  budget.reconfigure({ maxRatio: 0, minConcurrency: 2 })
  expect(calls[1]!.tryRetry()).toBe(true)
  expect(() => budget.reconfigure({ maxRatio: 2 })).toThrow("option 'maxRatio'")
  expect(budget.describe()).toMatchObject({ minConcurrency: 2 })
})
