import type { LoadConfigOptions, LoadedConfig } from '../config/index.ts'

/** Where a configuration came from: with it, the server can load it anew. */
export interface ConfigOrigin extends LoadConfigOptions {
  /** Of the root file. */
  readonly path: string
  /** What the server starts with. */
  readonly loaded: LoadedConfig
}
