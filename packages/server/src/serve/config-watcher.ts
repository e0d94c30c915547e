import { watch, type FSWatcher } from 'node:fs'
import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileStamp, noFile } from '../config/index.ts'

export interface ConfigWatcherOptions {
  /** One of the files may have changed. */
  readonly onChange: () => void
  /** Changes are found by looking only, and later. Told once. */
  readonly onTrouble: (reason: string) => void
  /** How often files are looked at, in ms: where directories can be watched, and where they cannot. */
  readonly lookEveryMs?: { readonly watched: number; readonly unwatched: number }
}

const lookEvery = { watched: 10_000, unwatched: 2_000 }

/** Changes that do not end are told after this many times the debounce. */
const longestDebounces = 10

/**
 * Notices changes of files: new content, replacement by renaming, symbolic links that point elsewhere, files that appear. It watches
 * the directories, since a file's own watch ends with the file, and looks at the files every few seconds besides: network file systems
 * tell of nothing, and systems run out of watches.
 */
export class ConfigWatcher {
  private readonly options: ConfigWatcherOptions
  private readonly watchers = new Map<string, FSWatcher>()
  private stamps: ReadonlyMap<string, string> = new Map()
  private names: ReadonlySet<string> = new Set()
  private debounceMs = 0
  private looking: NodeJS.Timeout | undefined = undefined
  private waiting: NodeJS.Timeout | undefined = undefined
  private waitingSince = 0
  private isTroubled = false
  /** Counts calls of follow: an earlier one that is still looking has nothing to say. */
  private round = 0

  constructor(options: ConfigWatcherOptions) {
    this.options = options
  }

  /** Watches files from now on, missing ones included. What has changed since they got their stamps is told, too. */
  async follow(stamps: ReadonlyMap<string, string>, debounceMs: number): Promise<void> {
    const round = ++this.round
    const paths = [...stamps.keys()]
    this.stamps = stamps
    this.names = new Set(paths.map((path) => basename(path)))
    this.debounceMs = debounceMs
    const directories = await directoriesOf(paths)
    if (round !== this.round) return
    for (const [key, watcher] of this.watchers) if (!directories.has(key)) this.unwatch(key, watcher)
    for (const [key, directory] of directories) if (!this.watchers.has(key)) this.watch(key, directory)
    await this.look(round)
  }

  close(): void {
    this.round++
    for (const [key, watcher] of this.watchers) this.unwatch(key, watcher)
    clearTimeout(this.looking)
    clearTimeout(this.waiting)
    this.waiting = undefined
  }

  private watch(key: string, directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || this.concerns(name)) this.changed()
      })
      watcher.on('error', (error) => {
        this.unwatch(key, watcher)
        this.trouble(error)
      })
      this.watchers.set(key, watcher)
    } catch (error) {
      this.trouble(error)
    }
  }

  private unwatch(key: string, watcher: FSWatcher): void {
    watcher.close()
    this.watchers.delete(key)
  }

  /** Beside the files: links of mounted volumes (`..data`), and files that an include's pattern may match. */
  private concerns(name: string): boolean {
    return this.names.has(name) || name.startsWith('..') || /\.(ya?ml|json)$/i.test(name)
  }

  private changed(): void {
    const now = performance.now()
    if (this.waiting === undefined) this.waitingSince = now
    clearTimeout(this.waiting)
    const longestMs = this.waitingSince + longestDebounces * this.debounceMs - now
    this.waiting = setTimeout(
      () => {
        this.waiting = undefined
        this.options.onChange()
      },
      Math.max(0, Math.min(this.debounceMs, longestMs)),
    ).unref()
  }

  private lookLater(): void {
    const { watched, unwatched } = this.options.lookEveryMs ?? lookEvery
    clearTimeout(this.looking)
    this.looking = setTimeout(() => void this.look(this.round), this.isTroubled ? unwatched : watched).unref()
  }

  private async look(round: number): Promise<void> {
    const seen = await stampsOf([...this.stamps.keys()])
    if (round !== this.round) return
    const hasChanged = [...seen].some(([path, stamp]) => stamp !== this.stamps.get(path))
    this.stamps = seen
    if (hasChanged) this.changed()
    this.lookLater()
  }

  private trouble(error: unknown): void {
    if (this.isTroubled) return
    this.isTroubled = true
    const { code, message } = error as NodeJS.ErrnoException
    this.options.onTrouble(code ?? message)
  }
}

async function stampsOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const stamps = paths.map(async (path): Promise<readonly [string, string]> => {
    const found = await stat(path, { bigint: true }).catch(() => undefined)
    return [path, found === undefined ? noFile : fileStamp(found)]
  })
  return new Map(await Promise.all(stamps))
}

/** The directories in which a change of the files shows, by path and identity: one that was replaced has to be watched anew. */
async function directoriesOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const directories = new Set<string>()
  for (const path of paths) {
    directories.add(dirname(path))
    const real = await realpath(path).catch(() => undefined)
    if (real !== undefined) directories.add(dirname(real))
    for (let part = dirname(path); part !== dirname(part); part = dirname(part)) {
      const found = await lstat(part).catch(() => undefined)
      if (found?.isSymbolicLink() === true) directories.add(dirname(part))
    }
  }
  const byIdentity = new Map<string, string>()
  for (const directory of directories) {
    const existing = await nearestExisting(directory)
    byIdentity.set(`${existing.path} ${existing.ino}`, existing.path)
  }
  return byIdentity
}

async function nearestExisting(directory: string): Promise<{ readonly path: string; readonly ino: bigint }> {
  for (let path = directory; ; path = dirname(path)) {
    const found = await stat(path, { bigint: true }).catch(() => undefined)
    if (found?.isDirectory() === true) return { path, ino: found.ino }
    if (path === dirname(path)) return { path, ino: 0n }
  }
}
