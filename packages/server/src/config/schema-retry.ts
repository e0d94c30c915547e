import * as z from 'zod'
import { boolean, choice, duration, integer, number, ratio } from './scalars.ts'
import { section } from './section.ts'

/** The settings of a retry as `retry()` takes them, but for `budget`; durations in ms. */
export interface RetrySettings {
  readonly name: string
  readonly maxAttempts: number
  readonly backoff: 'exponential' | 'linear' | 'constant' | 'decorrelated'
  readonly initialDelay: number
  readonly maxDelay: number
  readonly factor?: number
  readonly increment?: number
  readonly jitter?: 'full' | 'equal' | 'proportional' | 'none'
  readonly jitterRatio?: number
  readonly maxElapsed?: number
  readonly minRemaining: number
  readonly maxRetryAfter: number
  readonly retryRefusals: boolean
  /** Options of `retryBudget()`; everything that uses this definition shares the budget. */
  readonly budget?: RetryBudgetSettings
}

export interface RetryBudgetSettings {
  readonly ratio: number
  readonly minPerSecond: number
  readonly ttl: number
}

const budget = section({
  ratio: number({ max: 1_000 }).prefault(0.2).describe('Retries allowed per call: 0.2 is one retry for five calls.'),
  minPerSecond: number().prefault(10).describe('Retries per second that are always allowed.'),
  ttl: duration({ min: '1ms', max: '1d' }).prefault('10s').describe('How long a call adds to the budget.'),
})

const statusesElsewhere = "what is repeated is set per upstream: 'retryStatuses' and 'retryMethods'"

const settings = section(
  {
    maxAttempts: integer({ min: 1, max: 100 }).prefault(3).describe('Attempts in all, the first included.'),
    backoff: choice(['exponential', 'linear', 'constant', 'decorrelated'])
      .prefault('exponential')
      .describe('How the delay grows from attempt to attempt.'),
    initialDelay: duration().exactOptional().describe('Delay before the first retry. 1s, or maxDelay if that is less, when left out.'),
    maxDelay: duration().prefault('30s').describe('No delay is longer, jitter included.'),
    factor: number({ min: 1, max: 1_000 }).exactOptional().describe('Growth of the exponential back-off. 2 when left out.'),
    increment: duration().exactOptional().describe('Growth of the linear back-off. initialDelay when left out.'),
    jitter: choice(['full', 'equal', 'proportional', 'none'])
      .exactOptional()
      .describe(
        "How delays are spread: from 0 (full, the default) or half (equal) to the whole delay, or jitterRatio around it (proportional). Not with 'decorrelated'.",
      ),
    jitterRatio: ratio().exactOptional().describe('Share by which proportional jitter varies the delay. 0.1 when left out.'),
    maxElapsed: duration({ min: '1ms' }).exactOptional().describe('No further attempt begins after this time. No limit when left out.'),
    minRemaining: duration()
      .prefault('10ms')
      .describe("A further attempt begins only if the request's deadline leaves this much time for it."),
    maxRetryAfter: duration().prefault('60s').describe('A Retry-After longer than this ends the retrying.'),
    retryRefusals: boolean()
      .prefault(false)
      .describe('Whether refusals of the policies inside (open circuit, full bulkhead, used-up limit) are repeated.'),
    budget: budget
      .exactOptional()
      .describe('Limits how many calls may be retries at all, so that retries cannot multiply an outage. Strongly recommended.'),
  },
  {
    aliases: {
      maxRetries: { key: 'maxAttempts', convert: (retries) => (typeof retries === 'number' ? retries + 1 : retries) },
      retries: { key: 'maxAttempts', convert: (retries) => (typeof retries === 'number' ? retries + 1 : retries) },
      attempts: 'maxAttempts',
      timeout: 'maxElapsed',
      baseDelay: 'initialDelay',
      backoffMultiplier: 'factor',
      multiplier: 'factor',
      exponentialBase: 'factor',
      backoffStrategy: 'backoff',
      strategy: 'backoff',
    },
    values: { backoff: { fixed: 'constant' }, jitter: { true: 'full', false: 'none' } },
    elsewhere: {
      retryOn: statusesElsewhere,
      retryOnStatus: statusesElsewhere,
      retryableStatusCodes: statusesElsewhere,
      idempotent: "which requests may be repeated is set per upstream: 'retryMethods'",
      name: "a definition's name is its key",
    },
  },
)

/** A retry's settings without its name. */
export const retrySchema: z.ZodType<Omit<RetrySettings, 'name'>> = settings
  .transform((given) => {
    const { backoff } = given
    return {
      ...(backoff === 'exponential' ? { factor: 2 } : {}),
      ...(backoff === 'decorrelated' ? {} : { jitter: 'full' as const }),
      ...(given.jitter === 'proportional' ? { jitterRatio: 0.1 } : {}),
      initialDelay: Math.min(1_000, given.maxDelay),
      ...given,
    }
  })
  .meta({ id: 'retryPolicy' })
