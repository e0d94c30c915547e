import { afterEach, beforeEach, expect, it } from 'vitest'
import { actor, ChangesScene, type ChangesRun } from './changes.fixture.ts'

let scene: ChangesScene
beforeEach(() => {
  scene = new ChangesScene()
})
afterEach(() => scene.dispose())

const actions = ({ audit }: ChangesRun): string[] => audit.list(100).map(({ action }) => action)
const begin = ({ silences }: ChangesRun, expiresInMs: number): unknown =>
  silences.begin({ ...actor, dependency: 'llm', reason: 'maintenance', expiresInMs })

it('S52: a silence lasts for its time and no longer', () => {
  const run = scene.start('llm')
  begin(run, 60_000)
  expect(run.silences.get('llm')).toEqual({
    reason: 'maintenance',
    by: 'ops',
    at: scene.clock.wallNow(),
    expiresAt: scene.clock.wallNow() + 60_000,
  })
  scene.clock.tick(59_999)
  expect(run.silences.has('llm')).toBe(true)
  scene.clock.tick(1)
  expect(run.silences.has('llm')).toBe(false)
  expect(actions(run)).toEqual(['dependency.silence-expired', 'dependency.silenced'])
  expect(run.events).toMatchObject([{ type: 'control.silenced' }, { type: 'control.silence-ended', policy: 'llm', expired: true }])
})

it('S52: its end is not missed across a restart, whether it comes after it or before', () => {
  const first = scene.start('llm')
  begin(first, 60_000)
  first.end()
  scene.clock.tick(30_000)
  const second = scene.start('llm')
  expect(second.silences.get('llm')).toMatchObject({ by: 'ops', expiresAt: scene.clock.wallNow() + 30_000 })
  second.end()
  scene.clock.tick(30_000)
  const third = scene.start('llm')
  expect(third.silences.has('llm')).toBe(false)
  expect(actions(third)).toEqual(['dependency.silence-expired', 'dependency.silenced'])
})

it('ends by hand, once', () => {
  const run = scene.start('llm')
  begin(run, 60_000)
  expect(run.silences.end('llm', actor)).toBe(true)
  expect(run.silences.end('llm', actor)).toBe(false)
  scene.clock.tick(120_000)
  expect(actions(run)).toEqual(['dependency.silence-ended', 'dependency.silenced'])
  run.end()
  expect(scene.start('llm').silences.entries()).toEqual([])
})

it('a later silence takes the place of an earlier one', () => {
  const run = scene.start('llm')
  begin(run, 60_000)
  begin(run, 120_000)
  scene.clock.tick(60_000)
  expect(run.silences.has('llm')).toBe(true)
  scene.clock.tick(60_000)
  expect(run.silences.has('llm')).toBe(false)
})

it('goes with its dependency, on record', () => {
  const run = scene.start('llm', 'db')
  begin(run, 60_000)
  run.names.delete('llm')
  run.silences.dependenciesChanged()
  expect(run.silences.entries()).toEqual([])
  expect(actions(run)).toEqual(['dependency.silence-dropped', 'dependency.silenced'])
})
