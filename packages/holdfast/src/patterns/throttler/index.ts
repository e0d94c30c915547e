export {
  throttler,
  type Throttler,
  type ThrottlerEvent,
  type ThrottlerOptions,
  type ThrottlerSettings,
  type ThrottlerStatus,
} from './throttler.ts'
