import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fileStamp, noFile } from '../config/index.ts'
import { ConfigWatcher } from './config-watcher.ts'

const debounceMs = 40

let folder = ''
let changes = 0
let watchers: ConfigWatcher[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-'))
  changes = 0
  watchers = []
})

afterEach(() => {
  for (const watcher of watchers) watcher.close()
  rmSync(folder, { recursive: true, force: true })
})

/** `looks`: finds changes by looking only. */
async function follow(paths: readonly string[], { looks = false, debounce = debounceMs } = {}): Promise<ConfigWatcher> {
  const watcher = new ConfigWatcher({
    onChange: () => changes++,
    onTrouble: () => undefined,
    lookEveryMs: looks ? { watched: 20, unwatched: 20 } : { watched: 3_600_000, unwatched: 3_600_000 },
  })
  watchers.push(watcher)
  await watcher.follow(stampsOf(paths), debounce)
  return watcher
}

function stampsOf(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false })
      return [path, found === undefined ? noFile : fileStamp(found)] as const
    }),
  )
}

/** How many changes are told: once there are so many, and a further one would have been, too. */
async function told(count: number): Promise<number> {
  await expect.poll(() => changes).toBe(count)
  const quiet = performance.now() + 4 * debounceMs
  await expect.poll(() => performance.now() > quiet, { interval: 10 }).toBe(true)
  return changes
}

it('S77: a rapid double write is one change', async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  await follow([path], { debounce: 500 })
  for (const text of ['b', 'c']) {
    writeFileSync(path, text)
    await new Promise(setImmediate)
    await new Promise(setImmediate) // the system has told of this write by now
  }
  expect(await told(1)).toBe(1)
})

it('S77: a ConfigMap whose link is swapped is one change, and its next swap is another', async () => {
  const mount = join(folder, 'config')
  const publish = (version: string): void => {
    mkdirSync(join(mount, version), { recursive: true })
    writeFileSync(join(mount, version, 'reliability.yml'), version)
    symlinkSync(version, join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
  }
  publish('..2026_01')
  symlinkSync(join('..data', 'reliability.yml'), join(mount, 'reliability.yml'))
  const path = join(mount, 'reliability.yml')
  const watcher = await follow([path])
  publish('..2026_02')
  rmSync(join(mount, '..2026_01'), { recursive: true })
  expect(await told(1)).toBe(1)
  await watcher.follow(stampsOf([path]), debounceMs)
  publish('..2026_03')
  expect(await told(2)).toBe(2)
})

it("notices an editor's write to another file that is renamed", async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  await follow([path])
  writeFileSync(`${path}~`, 'b')
  renameSync(`${path}~`, path)
  expect(await told(1)).toBe(1)
})

it('notices a file that is missing now, in a folder that is missing too', async () => {
  const path = join(folder, 'secrets', 'key')
  const watcher = await follow([path])
  mkdirSync(join(folder, 'secrets'))
  await watcher.follow(stampsOf([path]), debounceMs)
  writeFileSync(path, 'k')
  expect(await told(1)).toBe(1)
})

it('passes over other files of the folder', async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  await follow([path])
  writeFileSync(join(folder, 'server.log'), 'x')
  writeFileSync(path, 'b')
  expect(await told(1)).toBe(1)
})

it('tells of changes that do not end', async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  await follow([path])
  let count = 0
  const writing = setInterval(() => writeFileSync(path, String(count++)), debounceMs / 8)
  await expect.poll(() => changes, { timeout: 5_000 }).toBeGreaterThan(0)
  clearInterval(writing)
})

it('finds changes by looking, where the system tells of none', async () => {
  const target = join(folder, 'v1')
  mkdirSync(target)
  const path = join(target, 'reliability.yml')
  writeFileSync(path, 'a')
  const watcher = await follow([path], { looks: true })
  for (const each of (watcher as unknown as { watchers: Map<string, { close(): void }> }).watchers.values()) each.close()
  writeFileSync(path, 'bb')
  expect(await told(1)).toBe(1)
})

it('tells of what has changed before it was told to watch', async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  const before = stampsOf([path])
  writeFileSync(path, 'b')
  const watcher = await follow([])
  await watcher.follow(before, debounceMs)
  expect(await told(1)).toBe(1)
})

it('is silent once it is closed', async () => {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, 'a')
  const first = await follow([path])
  await follow([path])
  writeFileSync(path, 'b')
  first.close()
  expect(await told(1)).toBe(1)
})
