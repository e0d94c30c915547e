import { retry, type BackoffInput, type RetryOptions } from 'holdfast'
import { fakeClock, seededRandom } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { delaysOf, flaky, transientError } from './retry.fixture.ts'

const plain = { initialDelay: '1s', maxDelay: '1h', jitter: 'none' } as const

describe('growth', () => {
  it('exponential doubles by default: 1, 2, 4, 8, 16 s', async () => {
    expect(await delaysOf(6, plain)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
    expect(await delaysOf(4, { ...plain, factor: 10 })).toEqual([1_000, 10_000, 100_000])
    expect(await delaysOf(4, { ...plain, factor: 1 })).toEqual([1_000, 1_000, 1_000])
  })

  it('linear adds its increment, which is the initial delay by default: 1, 2, 3, 4 s', async () => {
    expect(await delaysOf(5, { ...plain, backoff: 'linear' })).toEqual([1_000, 2_000, 3_000, 4_000])
    expect(await delaysOf(4, { ...plain, backoff: 'linear', increment: '250ms' })).toEqual([1_000, 1_250, 1_500])
    expect(await delaysOf(4, { ...plain, backoff: 'linear', increment: 0 })).toEqual([1_000, 1_000, 1_000])
  })

  it('constant stays: 5, 5, 5 s', async () => {
    expect(await delaysOf(4, { ...plain, backoff: 'constant', initialDelay: '5s' })).toEqual([5_000, 5_000, 5_000])
  })

  it('starts at 1 s, or at maxDelay if that is less', async () => {
    expect(await delaysOf(3, { jitter: 'none' })).toEqual([1_000, 2_000])
    expect(await delaysOf(3, { jitter: 'none', maxDelay: '300ms' })).toEqual([300, 300])
  })

  it('never waits with an initial delay of 0', async () => {
    for (const backoff of ['exponential', 'constant', 'decorrelated'] as const) {
      expect(await delaysOf(4, { backoff, initialDelay: 0 })).toEqual([0, 0, 0])
    }
  })

  it('a function decides by attempt, error and the delay before', async () => {
    const inputs: BackoffInput[] = []
    const backoff = (input: BackoffInput): number => {
      inputs.push(input)
      return 100 * input.attempt + input.previousDelayMs
    }
    expect(await delaysOf(4, { backoff, maxDelay: '500ms' })).toEqual([100, 300, 500])
    expect(inputs).toMatchObject([
      { attempt: 1, error: { message: 'failure 1' }, previousDelayMs: 0 },
      { attempt: 2, error: { message: 'failure 2' }, previousDelayMs: 100 },
      { attempt: 3, error: { message: 'failure 3' }, previousDelayMs: 300 },
    ])
  })

  it('a function may answer with a duration text', async () => {
    expect(await delaysOf(2, { backoff: () => '2s' })).toEqual([2_000])
  })

  it('waits maxDelay where a function answers with no duration', async () => {
    for (const answer of [Number.NaN, -1, Infinity, '5 s', undefined, null, {}]) {
      expect(await delaysOf(2, { backoff: () => answer as never, maxDelay: '3s' })).toEqual([3_000])
    }
  })

  it('keeps the delays of concurrent calls apart', async () => {
    const clock = fakeClock()
    const delays: number[] = []
    const policy = retry({ ...plain, maxAttempts: 3, clock, onRetry: ({ delayMs }) => delays.push(delayMs) })
    const first = policy.tryExecute(flaky(Infinity))
    await clock.advance('1s')
    const second = policy.tryExecute(flaky(Infinity))
    await clock.advance('1h')
    await Promise.all([first, second])
    expect(delays).toEqual([1_000, 2_000, 1_000, 2_000])
  })
})

describe('jitter', () => {
  const spreadOf = async (options: RetryOptions): Promise<{ least: number; most: number; mean: number }> => {
    const delays = await delaysOf(2_001, { backoff: 'constant', initialDelay: '1s', random: seededRandom(11), ...options })
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length
    return { least: Math.min(...delays), most: Math.max(...delays), mean }
  }

  it('full spreads from 0 to the delay, and is the default', async () => {
    for (const options of [{}, { jitter: 'full' }] as const) {
      const { least, most, mean } = await spreadOf(options)
      expect(least).toBeLessThan(20)
      expect(most).toBeGreaterThan(980)
      expect(most).toBeLessThanOrEqual(1_000)
      expect(Math.abs(mean - 500)).toBeLessThan(25)
    }
  })

  it('equal spreads over the upper half', async () => {
    const { least, most, mean } = await spreadOf({ jitter: 'equal' })
    expect(least).toBeGreaterThanOrEqual(500)
    expect(least).toBeLessThan(510)
    expect(most).toBeLessThanOrEqual(1_000)
    expect(Math.abs(mean - 750)).toBeLessThan(13)
  })

  it('proportional varies by a tenth, or by its ratio, to both sides', async () => {
    const tenth = await spreadOf({ jitter: 'proportional' })
    expect(tenth.least).toBeGreaterThanOrEqual(900)
    expect(tenth.least).toBeLessThan(902)
    expect(tenth.most).toBeLessThanOrEqual(1_100)
    expect(tenth.most).toBeGreaterThan(1_098)
    const half = await spreadOf({ jitter: 'proportional', jitterRatio: 0.5 })
    expect(half.least).toBeLessThan(510)
    expect(half.most).toBeGreaterThan(1_490)
  })

  it('53: the cap holds after jitter', async () => {
    const highest = (): number => 1 - 2 ** -53
    for (const jitter of ['full', 'equal', 'proportional', 'none'] as const) {
      for (const backoff of ['exponential', 'linear', 'constant'] as const) {
        const ratio = jitter === 'proportional' ? { jitterRatio: 1 } : {}
        const delays = await delaysOf(6, { backoff, jitter, ...ratio, initialDelay: '4s', maxDelay: '5s', random: highest })
        expect(Math.max(...delays)).toBeLessThanOrEqual(5_000)
        expect(Math.max(...delays)).toBeGreaterThan(3_999)
      }
    }
    const decorrelated = await delaysOf(6, { backoff: 'decorrelated', initialDelay: '4s', maxDelay: '5s', random: highest })
    expect(Math.max(...decorrelated)).toBeLessThanOrEqual(5_000)
  })

  it('the same seed brings the same delays', async () => {
    for (const backoff of ['exponential', 'decorrelated'] as const) {
      const first = await delaysOf(8, { backoff, random: seededRandom(3) })
      expect(await delaysOf(8, { backoff, random: seededRandom(3) })).toEqual(first)
      expect(await delaysOf(8, { backoff, random: seededRandom(4) })).not.toEqual(first)
    }
  })
})

describe('extremes', () => {
  it('52: no delay is negative, NaN or infinite at attempt 1,024 and later', async () => {
    for (const backoff of ['exponential', 'linear', 'decorrelated'] as const) {
      const jitter = backoff === 'decorrelated' ? {} : ({ jitter: 'equal' } as const)
      const delays = await delaysOf(1_200, { backoff, ...jitter, initialDelay: '1s', maxDelay: '30s', random: seededRandom(5) })
      expect(delays.every((delay) => delay >= 0 && delay <= 30_000)).toBe(true)
      expect(Math.min(...delays.slice(1_000))).toBeGreaterThanOrEqual(15_000) // it never starts to hammer
    }
    const steep = await delaysOf(1_200, { factor: 1_000, initialDelay: '1s', maxDelay: '30s', jitter: 'none' })
    expect(new Set(steep.slice(2))).toEqual(new Set([30_000]))
  })

  it('52: the greatest allowed delays stay numbers', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const clock = fakeClock()
    for (const backoff of ['exponential', 'linear', 'constant', 'decorrelated'] as const) {
      const delays: number[] = []
      const policy = retry({ backoff, initialDelay: most, maxDelay: most, clock, onRetry: ({ delayMs }) => delays.push(delayMs) })
      const caller = new AbortController()
      const outcome = policy.tryExecute(() => Promise.reject(transientError()), { signal: caller.signal })
      await clock.settle()
      caller.abort('enough')
      expect((await outcome).ok).toBe(false)
      expect(delays.length).toBe(1)
      expect(delays[0]).toBeGreaterThanOrEqual(0)
      expect(delays[0]).toBeLessThanOrEqual(most)
    }
  })

  it('waits a delay beyond the longest timer in full', async () => {
    const clock = fakeClock()
    const run = flaky(1)
    const answer = retry({ initialDelay: '60d', maxDelay: '90d', jitter: 'none', clock }).execute(run)
    await clock.advance(60 * 86_400_000 - 1)
    expect(run.calls).toBe(1)
    await clock.advance(1)
    expect(await answer).toBe('done')
  })
})

it('54: the median of decorrelated delay t is initialDelay · 2^t, ± 10 %, over 10,000 seeds', async () => {
  const delays: number[][] = [[], [], [], [], [], []]
  const clock = fakeClock()
  const outcomes = Array.from({ length: 10_000 }, (_, seed) => {
    const onRetry = ({ attempt, delayMs }: { attempt: number; delayMs: number }): unknown => delays[attempt - 2]?.push(delayMs)
    const options = { backoff: 'decorrelated', initialDelay: '1s', maxDelay: '1h', maxAttempts: delays.length + 1 } as const
    return retry({ ...options, random: seededRandom(seed), clock, onRetry }).tryExecute(() => {
      throw transientError()
    })
  })
  for (let timers = clock.timers.length; timers > 0; timers = clock.timers.length) await clock.advance('1s')
  await Promise.all(outcomes)

  for (const [t, column] of delays.entries()) {
    expect(column.length).toBe(10_000)
    const median = column.toSorted((a, b) => a - b)[5_000] as number
    expect(median / (1_000 * 2 ** t)).toBeGreaterThan(0.9)
    expect(median / (1_000 * 2 ** t)).toBeLessThan(1.1)
  }
})
