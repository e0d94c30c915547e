export {
  configChanges,
  configJsonSchema,
  effectiveConfig,
  formatProblem,
  formatProvenance,
  loadConfig,
  printConfig,
  redactedConfig,
  settingViews,
  type ConfigChange,
  type ConfigProblem,
  type FailedConfig,
  type LoadConfigOptions,
  type LoadedConfig,
  type Provenance,
  type ReliabilityConfig,
  type ServerSettings,
  type UpstreamSettings,
} from './config/index.ts'
export { AuditLog } from './audit/index.ts'
export { jsonBody, problem, type ControlEnvironment } from './control/index.ts'
export { DatabaseError } from './state/index.ts'
export { version } from './package-files.ts'
export type { ConfigOrigin } from './serve/config-origin.ts'
export { NotReloadable } from './serve/config-reloader.ts'
export { TracingUnavailableError } from './gateway/index.ts'
export { ListenError } from './serve/listen.ts'
export type { LogOutput } from './serve/logging.ts'
export { DataDirectoryError, type RunFile } from './serve/run-file.ts'
export { startServer, type RunningServer, type StartServerOptions, type UpstreamFigures } from './serve/server.ts'
