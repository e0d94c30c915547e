import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, startServer, type RunningServer } from '@holdfast/server'
import { afterEach, expect, it } from 'vitest'
import { startReloadable } from '../support/reloadable-server.ts'
import { Cleanup } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const reloads = (lines: readonly string[]): number => lines.filter((line) => line.includes('loaded anew')).length

it('S77: a rapid double write is one reload; writing the same text again is none', async () => {
  const yaml = (connections: number): string => `upstreams:\n  a: { url: 'http://127.0.0.1:9', connections: ${connections} }\n`
  const server = await startReloadable(yaml(1), cleanup, { watch: true })
  await server.write(yaml(2))
  await server.write(yaml(3))
  await expect.poll(() => server.config().generation).toBe(2)
  expect(server.config().lastReload).toMatchObject({ trigger: 'watch', ok: true, changes: [{ before: '1', after: '3' }] })
  await server.write(yaml(3))
  await server.write(yaml(4))
  await expect.poll(() => server.config().generation).toBe(3)
  await server.write(yaml(4))
  await server.reload('signal')
  expect(reloads(server.lines)).toBe(3)
})

it('S77: a ConfigMap that is swapped is one reload, with all of its files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-configmap-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const mount = join(folder, 'config')
  const publish = (version: string, connections: number): void => {
    mkdirSync(join(mount, version), { recursive: true })
    writeFileSync(
      join(mount, version, 'reliability.yml'),
      `include: upstreams.yml\nserver:\n  dataDir: '${join(folder, 'data')}'\n  gateway: { port: 0 }\n  control: { port: 0 }\n  reload: { debounce: 30ms }\n`,
    )
    writeFileSync(join(mount, version, 'upstreams.yml'), `upstreams:\n  a: { url: 'http://127.0.0.1:9', connections: ${connections} }\n`)
    symlinkSync(version, join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
  }
  publish('..2026_01', 1)
  for (const name of ['reliability.yml', 'upstreams.yml']) symlinkSync(join('..data', name), join(mount, name))
  const path = join(mount, 'reliability.yml')
  const loaded = loadConfig(path, { env: {} })
  if (!loaded.ok) throw new Error('the configuration is wrong')
  const lines: string[] = []
  const server: RunningServer = await startServer(loaded.config, {
    log: { write: (line) => lines.push(line) },
    origin: { path, env: {}, loaded },
  })
  cleanup.add(() => server.close())
  for (const version of [2, 3]) {
    publish(`..2026_0${version}`, version)
    rmSync(join(mount, `..2026_0${version - 1}`), { recursive: true })
    await expect.poll(() => server.config().generation).toBe(version)
    expect(server.config().lastReload.changes).toEqual([
      { path: 'upstreams.a.connections', before: String(version - 1), after: String(version) },
    ])
  }
  expect(reloads(lines)).toBe(2)
})

it('S77: a file that is repaired after it was refused is loaded without being asked', async () => {
  const good = "upstreams:\n  a: { url: 'http://127.0.0.1:9' }\n"
  const server = await startReloadable(good, cleanup, { watch: true })
  await server.write(`include: more.yml\n`)
  await expect.poll(() => server.config().lastReload.ok).toBe(false)
  expect(server.config().generation).toBe(1)
  writeFileSync(join(server.folder, 'config', 'more.yml'), good)
  await expect.poll(() => server.config().lastReload.ok).toBe(true)
})
