import { fallback, retry, type Call } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'

describe('a flow that has nothing to do when the first attempt succeeds', () => {
  it('goes by the settings a call began with, whatever is changed before its first attempt fails', async () => {
    const clock = fakeClock()
    const policy = retry({ maxAttempts: 3, backoff: 'constant', initialDelay: 10, idempotent: true, retryOn: () => true, clock })
    let calls = 0
    let fail = (_error: unknown): void => undefined
    const running = policy.execute(() => {
      calls++
      return calls === 1 ? new Promise((_resolve, reject) => (fail = reject)) : Promise.reject(new Error('again'))
    })
    policy.reconfigure({ maxAttempts: 1, idempotent: true, retryOn: () => true })
    fail(new Error('first'))
    await Promise.all([expect(running).rejects.toThrow('again'), clock.advance('1m')])
    expect(calls).toBe(3)
  })

  it('each attempt has its own call, numbered from 1', async () => {
    const clock = fakeClock()
    const seen: Call[] = []
    const running = retry({ maxAttempts: 3, idempotent: true, retryOn: () => true, clock }).execute((call) => {
      seen.push(call)
      if (seen.length < 3) throw new Error('at once')
      return 'third'
    })
    await clock.advance('1m')
    expect(await running).toBe('third')
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(seen).size).toBe(3)
  })

  it('111: calls side by side keep what is theirs apart', async () => {
    const clock = fakeClock()
    const policy = retry({
      maxAttempts: 2,
      backoff: 'constant',
      initialDelay: 1,
      jitter: 'none',
      idempotent: true,
      retryOn: () => true,
      clock,
    })
    const answers = Array.from({ length: 50 }, (_, index) =>
      policy.execute(async ({ attempt }) => {
        await Promise.resolve()
        if (index % 3 === 0 && attempt === 1) throw new Error('once')
        return `${index} at ${attempt}`
      }),
    )
    await clock.advance(1)
    expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `${index} at ${index % 3 === 0 ? 2 : 1}`))
    expect(policy.status()).toMatchObject({ calls: 50, totalRetries: 17, successfulRetries: 17 })
  })

  it('says in the first attempt that there must be no other', async () => {
    const clock = fakeClock()
    const error = new Error('sent')
    const running = retry({ maxAttempts: 3, idempotent: true, retryOn: () => true, clock }).execute(async (call) => {
      await Promise.resolve()
      call.doNotRetry()
      throw error
    })
    await expect(running).rejects.toBe(error)
  })

  it('a fallback within a fallback answers for what the inner one fails with', async () => {
    const inner = fallback(() => {
      throw new Error('inner')
    })
    const outer = fallback((error) => (error as Error).message)
    const fails = (): never => {
      throw new Error('function')
    }
    expect(await outer.execute(() => inner.execute(fails))).toBe('inner')
    expect(await outer.execute(() => inner.execute(() => Promise.resolve('fine')))).toBe('fine')
    expect([outer.status(), inner.status()]).toMatchObject([{ used: 1 }, { used: 0, failed: 1 }])
  })
})
