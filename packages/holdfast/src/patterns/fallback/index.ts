export {
  fallback,
  type Fallback,
  type FallbackEvent,
  type FallbackFailed,
  type FallbackOptions,
  type FallbackSettings,
  type FallbackStatus,
  type FallbackUsed,
} from './fallback.ts'
