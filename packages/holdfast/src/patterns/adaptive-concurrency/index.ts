export { adaptiveConcurrency } from './adaptive-concurrency.ts'
export type {
  AdaptiveConcurrency,
  AdaptiveConcurrencyOptions,
  AdaptiveConcurrencySettings,
  AdaptiveConcurrencyStatus,
} from './adaptive-concurrency.ts'
export type { ConcurrencyAlgorithm, ConcurrencySample, LimitBounds } from './algorithm.ts'
export type { AdaptiveConcurrencyEvent, ConcurrencyCallbackFailed, ConcurrencyLimitChanged, ConcurrencyRejected } from './events.ts'
export type { CallOutcome } from './outcome.ts'
