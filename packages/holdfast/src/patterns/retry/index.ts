export {
  retry,
  type Retry,
  type RetryBudgetExhausted,
  type RetryCallbackFailed,
  type RetryEvent,
  type RetryExhausted,
  type RetryNotice,
  type RetryOptions,
  type RetryScheduled,
  type RetryStatistics,
} from './retry.ts'
export type { BackoffInput, BackoffKind, BackoffOptions, JitterKind } from './backoff.ts'
export { retryBudget, type RetryBudget, type RetryBudgetCall, type RetryBudgetOptions, type RetryBudgetStatus } from './budget.ts'
export { concurrentRetryBudget, type ConcurrentRetryBudgetOptions } from './concurrent-budget.ts'
export { isTransient, wasNeverSent } from './classify.ts'
export { parseRetryAfter, serverHint, type ServerHint } from './retry-after.ts'
