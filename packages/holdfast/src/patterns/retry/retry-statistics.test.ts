import { retry } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { flaky } from './retry.fixture.ts'

describe('statistics', () => {
  it('are null where there is no data, never 0', () => {
    expect(retry({ clock: fakeClock() }).status()).toEqual({
      kind: 'retry',
      name: 'retry',
      calls: 0,
      totalRetries: 0,
      successfulRetries: 0,
      failedRetries: 0,
      successRate: null,
      totalDelayMs: 0,
      averageDelayMs: null,
      longestDelayMs: null,
      budgetExhausted: 0,
      waiting: 0,
    })
  })

  it('count calls, retries, their outcomes and their delays in a fixed number of figures', async () => {
    const clock = fakeClock()
    const policy = retry({ maxAttempts: 3, initialDelay: '100ms', jitter: 'none', clock })
    const figures = Object.keys(policy.status()).length
    const outcomes = [0, 0, 1, 2, 9].map((failures) => policy.tryExecute(flaky(failures)))
    await clock.settle()
    expect(policy.status()).toMatchObject({ calls: 5, totalRetries: 0, waiting: 3 })
    await clock.advance('1m')
    await Promise.all(outcomes)
    expect(policy.status()).toMatchObject({
      calls: 5,
      totalRetries: 5, // 1 + 2 + 2
      successfulRetries: 2,
      failedRetries: 1,
      successRate: 2 / 3,
      totalDelayMs: 700,
      averageDelayMs: 140,
      longestDelayMs: 200,
      waiting: 0,
    })
    expect(Object.keys(policy.status()).length).toBe(figures)
  })

  it('count no retry that was never made, since its caller left during the delay', async () => {
    const clock = fakeClock()
    const caller = new AbortController()
    const policy = retry({ initialDelay: '1s', jitter: 'none', clock })
    const outcome = policy.tryExecute(flaky(Infinity), { signal: caller.signal })
    await clock.settle()
    caller.abort('left')
    await outcome
    expect(policy.status()).toMatchObject({ calls: 1, totalRetries: 0, failedRetries: 0, successRate: null, waiting: 0 })
  })
})
