import type { Clock } from 'holdfast'
import {
  configChanges,
  exposureProblem,
  pathText,
  type ConfigInForce,
  type ConfigProblem,
  type FailedConfig,
  type LoadedConfig,
  type ReliabilityConfig,
} from '../config/index.ts'
import type { ConfigView } from '../wire.ts'
import type { ConfigOrigin } from './config-origin.ts'
import { needsRestart, withRunningSettings } from './restart-settings.ts'

export type ReloadTrigger = 'watch' | 'signal' | 'api'

export type LastReload = ConfigView['lastReload']

export interface ConfigReloaderOptions {
  readonly config: ReliabilityConfig
  /** Absent: the configuration is no file, and cannot be loaded anew. */
  readonly origin: ConfigOrigin | undefined
  readonly clock: Clock
  /** Reads and checks everything; what it answers may come later. `size`: characters that were read the last time. */
  readonly load: (origin: ConfigOrigin, size: number) => Promise<LoadedConfig | FailedConfig>
  /** Puts a configuration into force, in one step. */
  readonly apply: (config: ReliabilityConfig) => void
  /** Told of every reload, once its outcome is in the view. */
  readonly onReload: (reload: LastReload, view: ConfigView) => void
  /** Told of the files that make up the configuration, missing ones included, as they were when they were read. */
  readonly onFiles: (stamps: LoadedConfig['stamps']) => void
}

/** Least time from the beginning of one reload to that of the next, in ms: nobody can keep the server busy with loading. */
const leastIntervalMs = 250

const nothing = {
  circuitBreakers: {},
  retryPolicies: {},
  timeouts: {},
  bulkheads: {},
  rateLimiters: {},
  loadShedders: {},
  hedges: {},
  throttlers: {},
  adaptiveLimits: {},
  fallbacks: {},
  healthChecks: {},
  upstreams: {},
}

/** A configuration that is no file cannot be loaded anew. */
export class NotReloadable extends Error {}
Object.defineProperty(NotReloadable.prototype, 'name', { value: 'NotReloadable' })

/**
 * Knows the configuration in force, and replaces it: a new one is loaded and checked completely, then put into force in one step. One
 * that has errors changes nothing. Requests for a reload that come while one runs lead to one more.
 */
export class ConfigReloader {
  private readonly options: ConfigReloaderOptions
  private inForce: ConfigInForce
  private generation = 1
  private loadedAt: number
  private files: readonly string[]
  private lastReload: LastReload
  private lastOk: { readonly at: number; readonly ok: boolean }
  /** What was read last, in force or not. */
  private digest: string | undefined
  private size: number
  private running: Promise<void> | undefined = undefined
  private next: { trigger: ReloadTrigger; readonly done: Promise<void> } | undefined = undefined
  private beganAt = -Infinity
  private closed = false

  constructor(options: ConfigReloaderOptions) {
    const { config, origin, clock } = options
    this.options = options
    this.inForce = { config, provenance: origin?.loaded.provenance }
    this.loadedAt = clock.wallNow()
    this.files = origin?.loaded.files ?? []
    this.digest = origin?.loaded.digest
    this.size = origin?.loaded.size ?? 0
    this.lastReload = { at: this.loadedAt, trigger: 'start', ok: true, problems: [], changes: [], needsRestart: [] }
    this.lastOk = { at: this.loadedAt, ok: true }
  }

  get config(): ReliabilityConfig {
    return this.inForce.config
  }

  get current(): ConfigInForce {
    return this.inForce
  }

  /** Whether the last reload succeeded, and when one last did. */
  get success(): { readonly isLast: boolean; readonly lastAt: number } {
    return { isLast: this.lastReload.ok, lastAt: this.lastOk.at }
  }

  get view(): ConfigView {
    const { generation, loadedAt, files, lastReload } = this
    return { generation, loadedAt, files, lastReload }
  }

  get canReload(): boolean {
    return this.options.origin !== undefined
  }

  /**
   * Loads the configuration anew, after the reload that runs already. Resolves when that is done, whatever came of it.
   * @throws NotReloadable
   */
  async reload(trigger: ReloadTrigger): Promise<ConfigView> {
    if (this.options.origin === undefined) throw new NotReloadable('this configuration does not come from a file: it cannot be loaded anew')
    if (this.running === undefined) {
      this.running = this.run(() => trigger)
      await this.running
    } else await this.after(trigger)
    return this.view
  }

  /** No reload changes anything any more. */
  close(): void {
    this.closed = true
  }

  private after(trigger: ReloadTrigger): Promise<void> {
    if (this.next !== undefined) {
      if (this.next.trigger === 'watch') this.next.trigger = trigger // somebody waits for an answer
      return this.next.done
    }
    const running = this.running as Promise<void>
    const next: { trigger: ReloadTrigger; readonly done: Promise<void> } = {
      trigger,
      done: running
        .catch(() => undefined)
        .then(() => {
          this.next = undefined
          this.running = this.run(() => next.trigger)
          return this.running
        }),
    }
    this.next = next
    return next.done
  }

  private async run(trigger: () => ReloadTrigger): Promise<void> {
    const { origin, clock, load } = this.options
    if (origin === undefined) return
    try {
      await pause(clock, this.beganAt + leastIntervalMs - clock.now())
      this.beganAt = clock.now()
      const loaded = await load(origin, this.size)
      if (!this.closed) this.take(loaded, trigger())
    } catch (error) {
      const message = `could not be loaded: ${error instanceof Error ? error.message : String(error)}`
      if (!this.closed) this.refuse([{ file: origin.path, line: 1, column: 1, path: '', message }], trigger())
    } finally {
      if (this.next === undefined) this.running = undefined
    }
  }

  private take(loaded: LoadedConfig | FailedConfig, trigger: ReloadTrigger): void {
    const isUnchanged = loaded.digest === this.digest
    this.digest = loaded.digest
    this.size = loaded.size
    if (!isUnchanged || trigger !== 'watch') {
      if (loaded.ok) this.use(loaded, trigger)
      else this.refuse(loaded.errors, trigger)
    }
    this.options.onFiles(loaded.stamps)
  }

  private use(loaded: LoadedConfig, trigger: ReloadTrigger): void {
    const { apply, clock, origin } = this.options
    const before = this.inForce
    const config = withRunningSettings(loaded.config, before.config.server)
    const exposed = exposureProblem(config.server.control, config.server.tokens.length > 0)
    if (exposed !== undefined) {
      this.refuse([wholeFile(loaded, `${exposed} (what needs a restart is still as before)`)], trigger)
      return
    }
    // nothing but these can differ
    const waiting = configChanges({ ...nothing, server: config.server }, { ...nothing, server: loaded.config.server }).map(
      ({ path }) => path,
    )
    const changes = configChanges(before.config, config)
    try {
      if (changes.length > 0) apply(config)
    } catch (error) {
      apply(before.config)
      this.refuse([wholeFile(loaded, `could not be put into force: ${error instanceof Error ? error.message : String(error)}`)], trigger)
      return
    }
    const started = origin?.loaded.provenance
    this.inForce = {
      config,
      provenance: (path) => {
        const isAsStarted = waiting.includes(typeof path === 'string' ? path : pathText(path))
        return isAsStarted && started !== undefined ? started(path) : loaded.provenance(path)
      },
    }
    if (changes.length > 0) this.generation++
    this.loadedAt = clock.wallNow()
    this.files = loaded.files
    this.lastOk = { at: this.loadedAt, ok: true }
    this.tell({ at: this.loadedAt, trigger, ok: true, problems: [], changes: [...changes], needsRestart: waiting.filter(needsRestart) })
  }

  private refuse(errors: readonly ConfigProblem[], trigger: ReloadTrigger): void {
    const problems = errors.map(({ file, line, column, path, message, suggestion }) => ({
      file,
      line,
      column,
      path,
      message: suggestion === undefined ? message : `${message} (did you mean '${suggestion}'?)`,
    }))
    this.tell({ at: this.options.clock.wallNow(), trigger, ok: false, problems, changes: [], needsRestart: this.lastReload.needsRestart })
  }

  private tell(reload: LastReload): void {
    this.lastReload = reload
    this.options.onReload(reload, this.view)
  }
}

function wholeFile({ files }: LoadedConfig, message: string): ConfigProblem {
  return { file: files[0] ?? '', line: 1, column: 1, path: '', message }
}

function pause(clock: Clock, ms: number): Promise<void> | undefined {
  if (ms <= 0) return undefined
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms)
  })
}
