import { retryManager, type RetryManager, type RetryManagerOptions } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

function rig(options: RetryManagerOptions = {}): { readonly clock: FakeClock; readonly manager: RetryManager } {
  const clock = fakeClock()
  const manager = retryManager({
    clock,
    defaults: { backoff: 'constant', initialDelay: 100, jitter: 'none', retryOn: () => true },
    ...options,
  })
  return { clock, manager }
}

/** Fails so often, and succeeds then. */
function failing(times: number): () => string {
  let left = times
  return () => {
    if (left-- > 0) throw new Error('down')
    return 'up'
  }
}

/** Runs to the end, whatever time it takes. */
async function outcome(clock: FakeClock, answer: Promise<unknown>): Promise<unknown> {
  const settled = answer.catch((error: unknown) => error)
  await clock.advance('1h')
  return settled
}

describe('retry manager', () => {
  it('retries as the configuration says, and counts as the specification does', async () => {
    const { clock, manager } = rig()
    manager.define('database', { maxAttempts: 3 })
    expect(await outcome(clock, manager.retry(failing(0), 'database'))).toBe('up')
    expect(await outcome(clock, manager.retry(failing(2), 'database'))).toBe('up')
    expect(await outcome(clock, manager.retry(failing(9), 'database'))).toEqual(new Error('down'))
    expect(manager.statistics('database')).toMatchObject({
      calls: 3,
      totalRetries: 4,
      successfulRetries: 1,
      failedRetries: 1,
      successRate: 0.5,
      averageRetryDelayMs: 100,
      budgetExhausted: 0,
    })
  })

  it('without retries has no rates and no delays', async () => {
    const { manager } = rig()
    await manager.retry(() => 'up')
    expect(manager.statistics()).toEqual({
      calls: 1,
      totalRetries: 0,
      successfulRetries: 0,
      failedRetries: 0,
      successRate: null,
      averageRetryDelayMs: null,
      retryDelayMs: null,
      budgetExhausted: 0,
    })
    expect(manager.names()).toEqual(['default'])
  })

  it('tells percentiles of the delays, by name and of all', async () => {
    const { clock, manager } = rig()
    manager.define('long', { backoff: 'constant', initialDelay: 10_000, maxDelay: '1m' })
    for (let call = 0; call < 99; call++) await outcome(clock, manager.retry(failing(1), { name: 'short' }))
    await outcome(clock, manager.retry(failing(1), 'long'))
    const near = (ms: number): unknown => expect.toSatisfy((value: number) => Math.abs(value - ms) <= ms * 0.031)
    expect(manager.statistics('short').retryDelayMs).toEqual({ p50: near(100), p95: near(100), p99: near(100), max: 100 })
    expect(manager.statistics('long')).toMatchObject({ averageRetryDelayMs: 10_000, retryDelayMs: { p50: near(10_000), max: 10_000 } })
    expect(manager.statistics()).toMatchObject({ averageRetryDelayMs: 199, retryDelayMs: { p50: near(100), p99: near(100), max: 10_000 } })
  })

  it('takes what a configuration does not say from the defaults, and attempts in either spelling', async () => {
    const { clock, manager } = rig({
      defaults: { maxAttempts: 2, retryOn: () => true, backoff: 'constant', initialDelay: 5, jitter: 'none' },
    })
    await outcome(clock, manager.retry(failing(9), { name: 'as usual' }))
    await outcome(clock, manager.retry(failing(9), { name: 'more', maxRetries: 4 }))
    expect([manager.statistics('as usual').totalRetries, manager.statistics('more').totalRetries]).toEqual([1, 4])
    expect(manager.policy('more').describe()).toMatchObject({ kind: 'retry', name: 'more', maxAttempts: 5, initialDelayMs: 5 })
  })

  it('a configuration given again holds from that call on; calls under way end by theirs', async () => {
    const { clock, manager } = rig()
    const first = manager.retry(failing(9), { name: 'a', maxAttempts: 5 }).catch(() => undefined)
    await clock.settle()
    const second = manager.retry(failing(9), { name: 'a', maxAttempts: 2 }).catch(() => undefined)
    await clock.advance('1m')
    await Promise.all([first, second])
    expect(manager.statistics('a')).toMatchObject({ calls: 2, totalRetries: 4 + 1, failedRetries: 2 })
    expect(() => manager.define('a', { maxAttempts: 0 })).toThrow("a: option 'maxAttempts' must be")
    expect(manager.policy('a').describe()).toMatchObject({ maxAttempts: 2 })
  })

  it("calls the user's own onRetry, and lets it fail on its own", async () => {
    const { clock, manager } = rig()
    const attempts: number[] = []
    const onRetry = ({ attempt }: { attempt: number }): void => {
      attempts.push(attempt)
      throw new Error('onRetry')
    }
    expect(await outcome(clock, manager.retry(failing(1), { onRetry }))).toBe('up')
    expect(attempts).toEqual([2])
    expect(manager.statistics().retryDelayMs?.max).toBe(100)
  })

  it('keeps so many configurations, drops the one used longest ago, and forgets none of its figures', async () => {
    const { clock, manager } = rig({ maxPolicies: 2 })
    for (const name of ['a', 'b', 'a', 'c']) await outcome(clock, manager.retry(failing(1), { name }))
    expect(manager.names()).toEqual(['a', 'c'])
    expect(() => manager.statistics('b')).toThrow(`retry-manager: there is no configuration "b"`)
    expect(manager.statistics()).toMatchObject({ calls: 4, totalRetries: 4, successfulRetries: 4 })
    expect([manager.remove('a'), manager.remove('a')]).toEqual([true, false])
    expect(manager.statistics()).toMatchObject({ calls: 4, totalRetries: 4, retryDelayMs: { max: 100 } })
  })

  it('thousands of names take the memory of maxPolicies', async () => {
    const { clock, manager } = rig({
      maxPolicies: 3,
      defaults: { backoff: 'constant', initialDelay: 0, jitter: 'none', retryOn: () => true },
    })
    for (let call = 0; call < 2_000; call++) await manager.retry(failing(1), { name: `tenant ${call}` })
    await clock.settle()
    expect(manager.names()).toHaveLength(3)
    expect(manager.statistics().totalRetries).toBe(2_000)
  })

  it('passes the options of a call on, and the events of all names', async () => {
    const { clock, manager } = rig()
    const types: string[] = []
    manager.on(({ type, policy }) => types.push(`${type} ${policy}`))
    const caller = new AbortController()
    const answer = manager.retry(failing(9), { name: 'a' }, { signal: caller.signal, key: 'k' })
    await clock.settle()
    caller.abort(new Error('left'))
    await expect(answer).rejects.toThrow('left')
    await clock.settle()
    expect(types).toEqual(['retry.scheduled a'])
    expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
  })

  it('refuses what makes no sense, as a rejection where a promise is awaited', async () => {
    const { manager } = rig()
    manager.define('database', {})
    await expect(manager.retry(() => 1, 'databse')).rejects.toThrow(
      `retry-manager: there is no configuration "databse" (did you mean 'database'?); define() it first`,
    )
    await expect(manager.retry(() => 1, 7 as never)).rejects.toThrow('retry-manager: a configuration must be a name or an object, got 7')
    await expect(manager.retry(() => 1, { onRetry: 7 as never })).rejects.toThrow("option 'onRetry' must be a function, got 7")
    expect(() => manager.define('', {})).toThrow("option 'name' must be a text of 1 to 200 characters")
    expect(() => retryManager({ maxPolicies: 0 })).toThrow("retry-manager: option 'maxPolicies' must be a whole number from 1 up, got 0")
    expect(() => retryManager({ defaults: { maxAttempts: -1 } })).toThrow("retry-manager: option 'maxAttempts' must be")
    expect(manager.names()).toEqual(['database'])
  })
})
