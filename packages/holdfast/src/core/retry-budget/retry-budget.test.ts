import { retry, retryBudget, type RetryBudget, type RetryEvent } from 'holdfast'
import { fakeClock, seededRandom, type FakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { flaky, transientError } from '../../patterns/retry/retry.fixture.ts'

const ttlMs = 10_000

/** Withdraws as often as the budget allows right now. */
function drain(budget: RetryBudget): number {
  const call = budget.begin()
  let granted = 0
  while (call.tryRetry()) granted++
  call.end()
  return granted
}

function deposit(budget: RetryBudget, calls: number): void {
  for (let call = 0; call < calls; call++) budget.begin().end()
}

interface Outage {
  readonly callsAt: readonly number[]
  /** When leave for a retry was given. */
  readonly retriesAt: readonly number[]
  readonly attempts: number
}

/** Bursty traffic on a dependency that is down. */
async function outage(clock: FakeClock, budget: RetryBudget, seed: number, steps: number): Promise<Outage> {
  const random = seededRandom(seed)
  const callsAt: number[] = []
  const retriesAt: number[] = []
  let attempts = 0
  const onRetry = (): unknown => retriesAt.push(clock.now())
  const policy = retry({ maxAttempts: 4, backoff: 'constant', initialDelay: '300ms', random, budget, clock, onRetry })
  const outcomes: Promise<unknown>[] = []
  for (let step = 0; step < steps; step++) {
    const isQuiet = Math.floor(step / 40) % 3 === 2 // a third of the time nobody calls
    const calls = isQuiet ? 0 : Math.floor(random() * 6)
    for (let call = 0; call < calls; call++) {
      callsAt.push(clock.now())
      outcomes.push(
        policy.tryExecute(() => {
          attempts++
          throw transientError()
        }),
      )
    }
    await clock.advance(40 + random() * 30)
  }
  await clock.advance('1m')
  await Promise.all(outcomes)
  return { callsAt, retriesAt, attempts }
}

const countWithin = (instants: readonly number[], after: number, until: number): number =>
  instants.filter((at) => at > after && at <= until).length

describe('60: at 100 % failure', () => {
  it('the retries of any ttl are at most ratio times its calls, plus the reserve', async () => {
    for (const [seed, ratio, minPerSecond] of [
      [1, 0.2, 1],
      [2, 0.1, 0],
      [3, 0, 2],
      [4, 0.5, 0.5],
      [5, 1, 0],
    ] as const) {
      const clock = fakeClock()
      const budget = retryBudget({ ratio, minPerSecond, ttl: ttlMs, clock })
      const { callsAt, retriesAt, attempts } = await outage(clock, budget, seed, 800)
      expect(retriesAt.length).toBeGreaterThan(20)
      expect(attempts).toBe(callsAt.length + retriesAt.length)
      for (const at of retriesAt) {
        const allowed = (minPerSecond * ttlMs) / 1_000 + ratio * countWithin(callsAt, at - ttlMs, at)
        expect(countWithin(retriesAt, at - ttlMs, at)).toBeLessThanOrEqual(allowed + 1e-6)
      }
    }
  })

  it('three times the load without a budget become 1 + ratio', async () => {
    const clock = fakeClock()
    const budget = retryBudget({ ratio: 0.2, minPerSecond: 0, clock })
    const policy = retry({ maxAttempts: 3, backoff: 'constant', initialDelay: '100ms', budget, clock, random: seededRandom(9) })
    let attempts = 0
    const outcomes: Promise<unknown>[] = []
    for (let call = 0; call < 5_000; call++) {
      outcomes.push(
        policy.tryExecute(() => {
          attempts++
          throw transientError()
        }),
      )
      await clock.advance(20)
    }
    await clock.advance('1m')
    await Promise.all(outcomes)
    expect(attempts / 5_000).toBeLessThanOrEqual(1.2)
    expect(attempts / 5_000).toBeGreaterThan(1.17) // nor is it stingy
  })

  it('the reserve is not granted twice within a ttl, wherever in it it was spent', () => {
    for (let spentAt = 0; spentAt < 20_000; spentAt += 333) {
      const clock = fakeClock({ startMs: 77.7 })
      const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: ttlMs, clock })
      clock.step(spentAt)
      expect(drain(budget)).toBe(10)
      clock.step(ttlMs - 1)
      expect(drain(budget)).toBe(0)
      clock.step(ttlMs / 20 + 1)
      expect(drain(budget)).toBe(10)
    }
  })
})

describe('61: what a budget holds', () => {
  it('at the start: the reserve of minPerSecond · ttl', () => {
    const clock = fakeClock()
    expect(drain(retryBudget({ clock }))).toBe(100)
    expect(drain(retryBudget({ minPerSecond: 0.5, ttl: '1m', clock }))).toBe(30)
    expect(drain(retryBudget({ minPerSecond: 0, clock }))).toBe(0)
  })

  it('what its calls deposit, to the last one', () => {
    for (const [ratio, calls] of [
      [0.2, 50],
      [0.1, 30],
      [0.29, 100],
      [0.7, 10],
      [1.5, 4],
      [1 / 3, 9],
    ] as const) {
      const budget = retryBudget({ ratio, minPerSecond: 0, clock: fakeClock() })
      deposit(budget, calls)
      expect(budget.status().available).toBe(Math.floor(ratio * calls + 1e-9))
    }
  })

  it('no deposit that is older than the ttl', () => {
    for (const startMs of [0, 123.4, 1e9, -5_000]) {
      const clock = fakeClock({ startMs })
      const budget = retryBudget({ ratio: 1, minPerSecond: 0, ttl: ttlMs, clock })
      deposit(budget, 5)
      clock.step(ttlMs / 2)
      expect(budget.status().available).toBe(5)
      clock.step(ttlMs / 2)
      expect(budget.begin().tryRetry()).toBe(true) // of its own deposit
      expect(budget.begin().tryRetry()).toBe(true)
      expect(drain(budget)).toBe(1)
      expect(drain(budget)).toBe(1)
    }
  })

  it('nothing of before, after an idle time of any length', () => {
    for (const idleMs of [10_001, 10_500, 11_000, 20_999, 21_000, 1e7, 1e12]) {
      const clock = fakeClock()
      const budget = retryBudget({ ratio: 1, minPerSecond: 0.1, ttl: ttlMs, clock })
      deposit(budget, 1_000)
      clock.step(idleMs)
      expect(budget.status().available).toBe(1)
    }
  })

  it('the same after the clock stepped back: nothing is forgotten, nothing is granted twice', () => {
    const clock = fakeClock({ startMs: 50_000 })
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: ttlMs, clock })
    expect(drain(budget)).toBe(10)
    clock.step(-20_000)
    expect(drain(budget)).toBe(0)
    clock.step(20_000)
    expect(drain(budget)).toBe(0)
    clock.step(10_500)
    expect(drain(budget)).toBe(10)
  })

  it('agrees with a recount of every call and retry after 20,000 random steps', () => {
    const random = seededRandom(23)
    const clock = fakeClock({ startMs: 3.3 })
    const budget = retryBudget({ ratio: 0.3, minPerSecond: 0.5, ttl: ttlMs, clock })
    const sliceOf = (at: number): number => Math.floor((at - 3.3) / (ttlMs / 20))
    const calls: number[] = []
    const retries: number[] = []
    for (let step = 0; step < 20_000; step++) {
      if (random() < 0.5) clock.step(random() < 0.01 ? random() * 30_000 : random() * 100)
      const now = clock.now()
      while (calls.length > 0 && sliceOf(now) - sliceOf(calls[0] as number) >= 20) calls.shift()
      while (retries.length > 0 && sliceOf(now) - sliceOf(retries[0] as number) >= 21) retries.shift()
      const call = budget.begin()
      calls.push(now)
      const expected = Math.max(0, Math.floor(5 + 0.3 * calls.length - retries.length + 1e-9))
      expect(budget.status().available).toBe(expected)
      if (random() < 0.5) expect(call.tryRetry()).toBe(expected > 0)
      else continue
      if (expected > 0) retries.push(now)
    }
  })
})

describe('63: a retry that the budget refuses', () => {
  it('leaves the caller its own error, untouched, and is told apart from a failure after all attempts', async () => {
    const clock = fakeClock()
    const budget = retryBudget({ name: 'search-budget', ratio: 0, minPerSecond: 0.1, ttl: '10s', clock })
    const policy = retry({ maxAttempts: 3, initialDelay: 0, budget, clock })
    const events: RetryEvent[] = []
    policy.on((event) => events.push(event))
    const errors = [transientError('first'), transientError('second')]
    const outcome = await policy.tryExecute(({ attempt }) => Promise.reject(errors[attempt - 1] as Error))

    expect(outcome).toEqual({ ok: false, error: errors[1] })
    expect((outcome as { error: unknown }).error).toBe(errors[1])
    expect(errors[1]?.cause).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual(['retry.scheduled', 'retry.budget-exhausted'])
    expect(events[1]).toMatchObject({ budget: 'search-budget', error: errors[1] })
    expect(policy.status()).toMatchObject({ totalRetries: 1, budgetExhausted: 1 })
    expect(budget.status()).toEqual({ name: 'search-budget', available: 0, granted: 1, exhausted: 1 })
  })

  it('is not asked for where no retry would be made anyway', async () => {
    const clock = fakeClock()
    const budget = retryBudget({ clock })
    await retry({ maxAttempts: 1, budget, clock }).tryExecute(flaky(1))
    await retry({ budget, clock }).tryExecute(() => Promise.reject(new TypeError('wrong')))
    await retry({ budget, clock }).tryExecute(flaky(1), { deadline: '1ms' })
    await retry({ budget, clock }).tryExecute(() =>
      Promise.reject(Object.assign(new Error('429'), { status: 429, headers: { 'retry-after': '600' } })),
    )
    expect(budget.status()).toMatchObject({ granted: 0, exhausted: 0 })
  })

  it('is counted for all policies that share the budget', async () => {
    const clock = fakeClock()
    const budget = retryBudget({ ratio: 0, minPerSecond: 0.2, ttl: '10s', clock })
    const policies = [1, 2, 3].map(() => retry({ maxAttempts: 2, initialDelay: 0, budget, clock }))
    for (const policy of policies) await policy.tryExecute(flaky(1))
    expect(policies.map((policy) => policy.status().budgetExhausted)).toEqual([0, 0, 1])
    expect(budget.status()).toMatchObject({ available: 0, granted: 2, exhausted: 1 })
  })
})
