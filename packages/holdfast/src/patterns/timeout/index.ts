export {
  timeout,
  type Timeout,
  type TimeoutEvent,
  type TimeoutFired,
  type TimeoutLate,
  type TimeoutOptions,
  type TimeoutStatus,
} from './timeout.ts'
