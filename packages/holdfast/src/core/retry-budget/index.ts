export {
  retryBudget,
  type RateRetryBudget,
  type RetryBudget,
  type RetryBudgetCall,
  type RetryBudgetOptions,
  type RetryBudgetSettings,
  type RetryBudgetStatus,
} from './retry-budget.ts'
export {
  concurrentRetryBudget,
  type ConcurrentRetryBudget,
  type ConcurrentRetryBudgetOptions,
  type ConcurrentRetryBudgetSettings,
} from './concurrent-retry-budget.ts'
