export {
  rateLimiter,
  type LimitUsage,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimiterQueueOptions,
  type RateLimiterSettings,
  type RateLimiterStatus,
} from './rate-limiter.ts'
export type { LimiterPaused, LimiterRejected, LimiterResumed, RateLimiterEvent } from './events.ts'
export type { LimitOptions } from './limits.ts'
