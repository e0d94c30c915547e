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
  type RetrySettings,
  type RetryStatistics,
} from './retry.ts'
export type { BackoffInput, BackoffKind, BackoffOptions, JitterKind } from './backoff.ts'
export { isTransient, wasNeverSent } from './classify.ts'
export { parseRetryAfter, serverHint, type ServerHint } from './retry-after.ts'
export {
  retryManager,
  type RetryConfig,
  type RetryManager,
  type RetryManagerOptions,
  type RetryManagerStatistics,
} from './retry-manager.ts'
