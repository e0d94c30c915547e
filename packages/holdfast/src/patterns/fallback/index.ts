export {
  fallback,
  type Fallback,
  type FallbackEvent,
  type FallbackFailed,
  type FallbackOptions,
  type FallbackStatus,
  type FallbackUsed,
} from './fallback.ts'
