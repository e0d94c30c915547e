export {
  rateLimiter,
  type LimiterPaused,
  type LimiterRejected,
  type LimiterResumed,
  type LimitUsage,
  type RateLimiter,
  type RateLimiterEvent,
  type RateLimiterOptions,
  type RateLimiterQueueOptions,
  type RateLimiterStatus,
} from './rate-limiter.ts'
export type { LimitOptions } from './limits.ts'
