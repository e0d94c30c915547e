export {
  configJsonSchema,
  formatProblem,
  formatProvenance,
  loadConfig,
  redactedConfig,
  type ConfigProblem,
  type FailedConfig,
  type LoadConfigOptions,
  type LoadedConfig,
  type Provenance,
  type ReliabilityConfig,
  type ServerSettings,
  type UpstreamSettings,
} from './config/index.ts'
export { problem, refuseChange, tokenOf, type ControlEnvironment, type Role, type Token } from './control/index.ts'
export { version } from './package-files.ts'
export { ListenError } from './serve/listen.ts'
export type { LogOutput } from './serve/logging.ts'
export { DataDirectoryError, type RunFile } from './serve/run-file.ts'
export { startServer, type RunningServer, type StartServerOptions } from './serve/server.ts'
export type { UpstreamFigures } from './serve/upstream-figures.ts'
