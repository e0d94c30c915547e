export {
  timeout,
  type Timeout,
  type TimeoutEvent,
  type TimeoutFired,
  type TimeoutLate,
  type TimeoutOptions,
  type TimeoutSettings,
  type TimeoutStatus,
} from './timeout.ts'
