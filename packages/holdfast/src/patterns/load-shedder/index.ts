export type { LoadCallbackFailed, LoadShed, LoadShedderEvent, LoadSheddingEnded, LoadSheddingStarted } from './events.ts'
export {
  loadShedder,
  type DelayModeSettings,
  type LoadModeSettings,
  type LoadShedder,
  type LoadShedderOptions,
  type LoadShedderSettings,
  type LoadShedderStatus,
  type ThrottleModeSettings,
} from './load-shedder.ts'
export { cpuUsage, eventLoopDelay, eventLoopUtilization, memoryUsage, type LoadSource } from './load-sources.ts'
