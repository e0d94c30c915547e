import { fakeClock, type FakeClock } from 'holdfast/testing'
import { afterEach, expect, it } from 'vitest'
import { loaded, workspace, type Workspace } from '../config/config.fixture.ts'
import type { FailedConfig, LoadedConfig, ReliabilityConfig } from '../config/index.ts'
import { ConfigReloader, NotReloadable, type LastReload } from './config-reloader.ts'

interface Rig {
  readonly clock: FakeClock
  readonly space: Workspace
  readonly reloader: ConfigReloader
  readonly applied: ReliabilityConfig[]
  readonly told: LastReload[]
  /** Loads that wait for {@link Rig.answer}. */
  readonly loads: number
  answer(): Promise<void>
}

const yaml = (connections: number, more = ''): string =>
  `${more}upstreams:\n  a: { url: 'http://127.0.0.1:9', connections: ${connections} }\n`

const spaces: Workspace[] = []
afterEach(() => {
  for (const space of spaces.splice(0)) space.remove()
})

function rig(apply: (config: ReliabilityConfig) => void = () => undefined): Rig {
  const clock = fakeClock()
  const space = workspace({ 'config/reliability.yml': yaml(1) })
  spaces.push(space)
  const first = loaded(space.load())
  const waiting: ((result: LoadedConfig | FailedConfig) => void)[] = []
  const applied: ReliabilityConfig[] = []
  const told: LastReload[] = []
  const reloader = new ConfigReloader({
    config: first.config,
    origin: { path: 'config/reliability.yml', env: {}, cwd: space.directory, loaded: first },
    clock,
    load: () => new Promise((resolve) => waiting.push(resolve)),
    apply: (config) => {
      applied.push(config)
      apply(config)
    },
    onReload: (reload) => told.push(reload),
    onFiles: () => undefined,
  })
  return {
    clock,
    space,
    reloader,
    applied,
    told,
    get loads() {
      return waiting.length
    },
    answer: async () => {
      await clock.settle()
      if (waiting.length === 0) throw new Error('nothing is being loaded')
      waiting.shift()?.(space.load())
      await clock.settle()
    },
  }
}

it('leads to one more reload, however many are asked for while one runs', async () => {
  const { clock, space, reloader, told, answer } = rig()
  const first = reloader.reload('api')
  const others = [reloader.reload('watch'), reloader.reload('signal'), reloader.reload('watch')]
  space.write('config/reliability.yml', yaml(2))
  await answer()
  await first
  space.write('config/reliability.yml', yaml(3))
  await clock.advance(250)
  await answer()
  const views = await Promise.all(others)
  expect(views.map(({ generation }) => generation)).toEqual([3, 3, 3])
  expect(told.map(({ trigger }) => trigger)).toEqual(['api', 'signal'])
})

it('begins reloads no closer than 250 ms apart', async () => {
  const scene = rig()
  const first = scene.reloader.reload('signal')
  await scene.answer()
  await first
  const second = scene.reloader.reload('signal')
  await scene.clock.advance(249)
  expect(scene.loads).toBe(0)
  await scene.clock.advance(1)
  expect(scene.loads).toBe(1)
  await scene.answer()
  await second
})

it('passes over files that were written again as they were, unless it was asked', async () => {
  const { clock, space, reloader, told, answer } = rig()
  space.write('config/reliability.yml', yaml(1))
  const watched = reloader.reload('watch')
  await answer()
  await watched
  expect(told).toEqual([])
  const asked = reloader.reload('api')
  await clock.advance(250)
  await answer()
  expect((await asked).generation).toBe(1)
  expect(told).toMatchObject([{ ok: true, changes: [] }])
})

it('goes back to the configuration before when the new one cannot be put into force', async () => {
  let fails = true
  const { reloader, applied, space, answer } = rig(() => {
    const failure = fails
    fails = false
    if (failure) throw new Error('no room')
  })
  const before = reloader.config
  space.write('config/reliability.yml', yaml(2))
  const reload = reloader.reload('api')
  await answer()
  expect((await reload).lastReload).toMatchObject({ ok: false, problems: [{ message: 'could not be put into force: no room' }] })
  expect(applied.map(({ upstreams }) => upstreams['a']?.connections)).toEqual([2, 1])
  expect(reloader.config).toBe(before)
})

it('tells of a loader that failed, and loads again later', async () => {
  const { clock, reloader, space } = rig()
  let fails = true
  Object.assign((reloader as unknown as { options: { load: unknown } }).options, {
    load: async () => {
      if (fails) throw new Error('out of memory')
      return space.load()
    },
  })
  expect((await reloader.reload('api')).lastReload).toMatchObject({
    ok: false,
    problems: [{ message: 'could not be loaded: out of memory' }],
  })
  fails = false
  space.write('config/reliability.yml', yaml(2))
  const again = reloader.reload('api')
  await clock.advance(250)
  expect((await again).lastReload.ok).toBe(true)
})

it('keeps what needs a restart as it was, and shows where that came from', async () => {
  const { reloader, space, applied, answer } = rig()
  space.write('config/reliability.yml', yaml(2, 'server:\n  gateway: { port: 4711, maxConnections: 5 }\n  accessLog: { path: stdout }\n'))
  const reload = reloader.reload('api')
  await answer()
  const { lastReload } = await reload
  expect(lastReload.needsRestart).toEqual(['server.gateway.port', 'server.accessLog.path', 'server.accessLog.format'])
  expect(lastReload.changes.map(({ path }) => path)).toEqual(['server.gateway.maxConnections', 'upstreams.a.connections'])
  expect(applied[0]?.server).toMatchObject({ gateway: { port: 8080, maxConnections: 5 } })
  expect(applied[0]?.server.accessLog).toBeUndefined()
  expect(reloader.current.provenance?.('server.gateway.port')).toEqual({ from: 'default' })
  expect(reloader.current.provenance?.('server.gateway.maxConnections')).toMatchObject({ from: 'file', line: 2 })
})

it('cannot load what is no file', async () => {
  const space = workspace({ 'config/reliability.yml': yaml(1) })
  const { config } = loaded(space.load())
  space.remove()
  const reloader = new ConfigReloader({
    config,
    origin: undefined,
    clock: fakeClock(),
    load: () => Promise.reject(new Error('unreachable')),
    apply: () => undefined,
    onReload: () => undefined,
    onFiles: () => undefined,
  })
  await expect(reloader.reload('api')).rejects.toBeInstanceOf(NotReloadable)
})
