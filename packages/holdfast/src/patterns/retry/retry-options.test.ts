import { concurrentRetryBudget, isHoldfastError, retry, retryBudget } from 'holdfast'
import { describe, expect, it } from 'vitest'

function messageOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (isHoldfastError(error, 'ERR_INVALID_OPTION')) return error.message
    throw error
  }
  throw new Error('the options were accepted')
}

const duration = "a duration such as 250 (ms), '250ms', '30s', '5m', '2h' or '7d', 0 or more"

describe('a bad option is refused with its name, its value and what is allowed', () => {
  const refused: readonly (readonly [options: object | null, message: string])[] = [
    [{ maxAttempts: 0 }, "retry: option 'maxAttempts' must be a whole number from 1 up, or Infinity, got 0"],
    [{ maxAttempts: 1.5 }, "retry: option 'maxAttempts' must be a whole number from 1 up, or Infinity, got 1.5"],
    [{ maxAttempts: Number.NaN }, "retry: option 'maxAttempts' must be a whole number from 1 up, or Infinity, got NaN"],
    [{ maxAttempts: '3' }, 'retry: option \'maxAttempts\' must be a whole number from 1 up, or Infinity, got "3"'],
    [{ maxRetries: -1 }, "retry: option 'maxRetries' must be a whole number from 0 up, or Infinity, got -1"],
    [
      { maxAttempts: 3, maxRetries: 2 },
      "retry: option 'maxRetries' must be absent when maxAttempts is given (maxAttempts counts the first attempt), got 2",
    ],
    [{ initialDelay: -1 }, `retry: option 'initialDelay' must be ${duration}, got -1`],
    [{ initialDelay: '1 s' }, `retry: option 'initialDelay' must be ${duration}, got "1 s"`],
    [{ initialDelay: Infinity }, `retry: option 'initialDelay' must be ${duration}, got Infinity`],
    [{ initialDelay: '10s', maxDelay: '5s' }, 'retry: option \'initialDelay\' must be at most maxDelay (5000 ms), got "10s"'],
    [{ maxDelay: Number.NaN }, `retry: option 'maxDelay' must be ${duration}, got NaN`],
    [{ factor: 0.5 }, "retry: option 'factor' must be a number from 1 to 1000, got 0.5"],
    [{ backoff: 'fixed' }, "retry: option 'backoff' must be one of 'exponential', 'linear', 'constant', 'decorrelated', got \"fixed\""],
    [
      { backoff: 'expotential' },
      "retry: option 'backoff' must be one of 'exponential', 'linear', 'constant', 'decorrelated' (did you mean 'exponential'?), got \"expotential\"",
    ],
    [{ jitter: true }, "retry: option 'jitter' must be one of 'full', 'equal', 'proportional', 'none', got true"],
    [{ jitter: 'proportional', jitterRatio: 1.1 }, "retry: option 'jitterRatio' must be a share from 0 to 1 (0.5 is 50 %), got 1.1"],
    [{ maxElapsed: '-1s' }, `retry: option 'maxElapsed' must be ${duration}, or Infinity, got "-1s"`],
    [{ maxRetryAfter: 'soon' }, `retry: option 'maxRetryAfter' must be ${duration}, or Infinity, got "soon"`],
    [{ retryOn: 503 }, "retry: option 'retryOn' must be a list of error classes, codes and statuses, or a function, got 503"],
    [{ retryOn: [null] }, "retry: option 'retryOn' must be a list of error classes, codes and statuses, got null"],
    [{ retryOnResult: true }, "retry: option 'retryOnResult' must be a function, got true"],
    [{ onRetry: 'log' }, 'retry: option \'onRetry\' must be a function, got "log"'],
    [{ random: 4 }, "retry: option 'random' must be a function, got 4"],
    [{ budget: null }, "retry: option 'budget' must be a retryBudget() or a concurrentRetryBudget(), got null"],
    [{ budget: { ratio: 0.2 } }, "retry: option 'budget' must be a retryBudget() or a concurrentRetryBudget(), got an object"],
    [{ idempotent: 'yes' }, 'retry: option \'idempotent\' must be true or false, got "yes"'],
    [{ retryRefusals: 1 }, "retry: option 'retryRefusals' must be true or false, got 1"],
    [{ name: '' }, 'retry: option \'name\' must be a text of 1 to 200 characters, got ""'],
    [{ name: 'search', maxAttempts: 0 }, "search: option 'maxAttempts' must be a whole number from 1 up, or Infinity, got 0"],
    [null, 'retry: options must be an object, got null'],
  ]
  it.each(refused)('%j: %s', (options, message) => {
    expect(messageOf(() => retry(options as never))).toBe(message)
  })

  it('a misspelt name, with the one that was meant', () => {
    expect(messageOf(() => retry({ maxAttemps: 3 } as never))).toMatch(
      /^retry: there is no option 'maxAttemps' \(did you mean 'maxAttempts'\?\); allowed: /,
    )
    expect(messageOf(() => retry({ max_delay: 3 } as never))).toMatch(/did you mean 'maxDelay'\?/)
    expect(messageOf(() => retry(3 as never))).toBe('retry: options must be an object, got 3')
  })

  it('one that the back-off would not read', () => {
    for (const [options, message] of [
      [{ backoff: 'linear', factor: 3 }, "option 'factor' must be absent with the 'linear' back-off, which does not read it, got 3"],
      [
        { backoff: 'constant', increment: '1s' },
        "option 'increment' must be absent with the 'constant' back-off, which does not read it, got \"1s\"",
      ],
      [{ increment: 5 }, "option 'increment' must be absent with the 'exponential' back-off, which does not read it, got 5"],
      [
        { backoff: 'decorrelated', jitter: 'full' },
        "option 'jitter' must be absent with the 'decorrelated' back-off, which does not read it, got \"full\"",
      ],
      [
        { backoff: () => 5, initialDelay: '2s' },
        'option \'initialDelay\' must be absent with a back-off function, which does not read it, got "2s"',
      ],
      [{ jitterRatio: 0.5 }, "option 'jitterRatio' must be absent with the 'full' jitter; 'proportional' reads it, got 0.5"],
    ] as const) {
      expect(messageOf(() => retry(options as never))).toBe(`retry: ${message}`)
    }
  })

  it('of a budget', () => {
    expect(messageOf(() => retryBudget({ ratio: -1 }))).toBe("retry-budget: option 'ratio' must be a number from 0 to 1000, got -1")
    expect(messageOf(() => retryBudget({ minPerSecond: Number.NaN }))).toMatch(
      /'minPerSecond' must be a number from 0 to 1000000000, got NaN$/,
    )
    expect(messageOf(() => retryBudget({ ttl: 0 }))).toMatch(/^retry-budget: option 'ttl' must be a duration .* of at least 1 ms.*, got 0$/)
    expect(messageOf(() => retryBudget({ percent: 20 } as never))).toMatch(/^retryBudget: there is no option 'percent'/)
    expect(messageOf(() => concurrentRetryBudget({ maxRatio: 20 }))).toMatch(
      /'maxRatio' must be a share from 0 to 1 \(0\.5 is 50 %\), got 20$/,
    )
    expect(messageOf(() => concurrentRetryBudget({ minConcurrency: 0.5 }))).toMatch(
      /'minConcurrency' must be a whole number from 0 up, got 0\.5$/,
    )
  })
})

describe('describe()', () => {
  it('says what holds, defaults included, as data that survives JSON', () => {
    const description = retry().describe()
    expect(description).toEqual({
      kind: 'retry',
      name: 'retry',
      maxAttempts: 3,
      backoff: 'exponential',
      initialDelayMs: 1_000,
      maxDelayMs: 30_000,
      factor: 2,
      jitter: 'full',
      minRemainingMs: 10,
      maxRetryAfterMs: 60_000,
      idempotent: true,
      retryRefusals: false,
      retryOn: 'transient',
    })
    expect(JSON.parse(JSON.stringify(description))).toEqual(description)
  })

  it('leaves out the limits that there are not', () => {
    const description = retry({ maxAttempts: Infinity, maxElapsed: Infinity, maxRetryAfter: Infinity }).describe()
    expect(JSON.parse(JSON.stringify(description))).toEqual(description)
    for (const limit of ['maxAttempts', 'maxElapsedMs', 'maxRetryAfterMs']) expect(description).not.toHaveProperty(limit)
  })

  it('says what each back-off reads', () => {
    expect(retry({ backoff: 'linear', increment: '2s' }).describe()).toMatchObject({
      backoff: 'linear',
      initialDelayMs: 1_000,
      incrementMs: 2_000,
    })
    expect(retry({ backoff: 'decorrelated' }).describe()).not.toHaveProperty('jitter')
    expect(retry({ backoff: () => 5, maxDelay: '1m' }).describe()).toMatchObject({ backoff: 'function', maxDelayMs: 60_000 })
    expect(retry({ jitter: 'proportional' }).describe()).toMatchObject({ jitter: 'proportional', jitterRatio: 0.1 })
  })

  it('says maxRetries as attempts, and includes the budget', () => {
    const budget = retryBudget({ name: 'shared', ratio: 0.1 })
    expect(retry({ maxRetries: 2, maxElapsed: '1m', retryOn: [503], idempotent: () => true, budget }).describe()).toMatchObject({
      maxAttempts: 3,
      maxElapsedMs: 60_000,
      retryOn: 'custom',
      idempotent: 'per call',
      budget: { kind: 'retry-budget', name: 'shared', ratio: 0.1, minPerSecond: 10, ttlMs: 10_000 },
    })
    expect(concurrentRetryBudget().describe()).toEqual({
      kind: 'concurrent-retry-budget',
      name: 'retry-budget',
      maxRatio: 0.2,
      minConcurrency: 3,
    })
  })
})
