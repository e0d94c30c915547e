export {
  hedge,
  type Hedge,
  type HedgeCallbackFailed,
  type HedgeEvent,
  type HedgeOptions,
  type HedgeSettings,
  type HedgeStarted,
  type HedgeStatus,
  type HedgeSuppressed,
  type HedgeWon,
} from './hedge.ts'
