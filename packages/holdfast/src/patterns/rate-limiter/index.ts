export {
  rateLimiter,
  type LearnedStatus,
  type LearnOptions,
  type LimitUsage,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimiterQueueOptions,
  type RateLimiterSettings,
  type RateLimiterStatus,
} from './rate-limiter.ts'
export type { LimiterCallbackFailed, LimiterPaused, LimiterRejected, LimiterResumed, RateLimiterEvent } from './events.ts'
export type { SentMark } from './learned-quotas.ts'
export type { LimitAlgorithmName, LimitOptions } from './limits.ts'
export type { Reservation, ReservationOptions, WaitingReservationOptions } from './reservation.ts'
export { tokensUsed } from './tokens-used.ts'
