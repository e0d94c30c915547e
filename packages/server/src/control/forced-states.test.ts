import { circuitBreaker } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { actor, ChangesScene, type ChangesRun } from './changes.fixture.ts'
import type { ForcedAction } from './forced-states.ts'

let scene: ChangesScene
beforeEach(() => {
  scene = new ChangesScene()
})
afterEach(() => scene.dispose())

const id = 'circuit-breaker/llm'
const stateOf = ({ system }: ChangesRun): unknown => system.get(id).status()['state']
const actions = ({ audit }: ChangesRun): string[] => audit.list(100).map(({ action }) => action)
const force = ({ forced }: ChangesRun, action: ForcedAction, expiresInMs?: number): unknown =>
  forced.force({ ...actor, policy: id, action, reason: 'a test', expiresInMs })

describe('a state that a hand has set', () => {
  it.each([
    ['force-open', 'open'],
    ['isolate', 'isolated'],
    ['disable', 'disabled'],
  ] as const)('%s lasts until it is taken back', (action, state) => {
    const run = scene.start('llm')
    force(run, action)
    scene.clock.tick('30d')
    expect(stateOf(run)).toBe(state)
    expect(run.forced.get(id)).toEqual({ action, reason: 'a test', by: 'ops', at: expect.any(Number) as number, expiresAt: null })
    force(run, 'close')
    expect([stateOf(run), run.forced.get(id)]).toEqual(['closed', undefined])
    expect(actions(run)).toEqual(['policy.close', `policy.${action}`])
  })

  it('S50: ends by itself, on record and with an event', () => {
    const run = scene.start('llm')
    force(run, 'isolate', 60_000)
    scene.clock.tick(59_999)
    expect(stateOf(run)).toBe('isolated')
    scene.clock.tick(1)
    expect([stateOf(run), run.forced.get(id)]).toEqual(['closed', undefined])
    expect(run.audit.list(1)).toMatchObject([
      { who: 'holdfast', action: 'policy.forced-expired', subject: id, before: { action: 'isolate', by: 'ops' } },
    ])
    expect(run.events.at(-1)).toMatchObject({ type: 'control.forced-ended', policy: id, expired: true, forced: true })
  })

  it('may last longer than a timer of Node can', () => {
    const run = scene.start('llm')
    const ninetyDays = 90 * 86_400_000
    expect(ninetyDays).toBeGreaterThan(2 ** 31)
    force(run, 'isolate', ninetyDays)
    scene.clock.tick(ninetyDays - 1)
    expect(stateOf(run)).toBe('isolated')
    scene.clock.tick(1)
    expect(stateOf(run)).toBe('closed')
  })

  it('S13: the record says what was before, what is now, why and for how long', () => {
    const run = scene.start('llm')
    force(run, 'isolate', 60_000)
    force(run, 'disable')
    const [disabled, isolated] = run.audit.list(2)
    const expiresAt = scene.clock.wallNow() + 60_000
    const common = { ...actor, subject: id, reason: 'a test' }
    expect(isolated).toMatchObject({ ...common, before: { state: 'closed', forced: null }, after: { action: 'isolate' }, expiresAt })
    expect(disabled).toMatchObject({
      ...common,
      before: { state: 'isolated', forced: { action: 'isolate', expiresAt } },
      after: { action: 'disable' },
      expiresAt: null,
    })
  })

  it('is not set where there is no circuit breaker', () => {
    const run = scene.start('llm')
    run.system.createTimeout('t', { after: '1s' })
    expect(run.forced.force({ ...actor, policy: 'timeout/t', action: 'isolate', reason: 'x', expiresInMs: undefined })).toBeUndefined()
    expect(actions(run)).toEqual([])
  })
})

describe('a restart', () => {
  it('brings back what was set, with the time that is left', () => {
    const first = scene.start('llm')
    force(first, 'isolate', 60_000)
    first.end()
    scene.clock.tick(20_000)
    const second = scene.start('llm')
    expect([stateOf(second), second.forced.get(id)]).toMatchObject(['isolated', { by: 'ops', reason: 'a test' }])
    scene.clock.tick(39_999)
    expect(stateOf(second)).toBe('isolated')
    scene.clock.tick(1)
    expect(stateOf(second)).toBe('closed')
  })

  it('does not bring back what was taken back', () => {
    const first = scene.start('llm')
    force(first, 'isolate')
    force(first, 'reset')
    first.end()
    expect(stateOf(scene.start('llm'))).toBe('closed')
  })

  it('ends what ran out meanwhile, on record and with an event', () => {
    const first = scene.start('llm')
    force(first, 'isolate', 60_000)
    first.end()
    scene.clock.tick(60_000)
    const second = scene.start('llm')
    expect(stateOf(second)).toBe('closed')
    expect(actions(second)).toEqual(['policy.forced-expired', 'policy.isolate'])
    expect(second.events).toMatchObject([{ type: 'control.forced-ended', policy: id }])
    second.end()
    expect(actions(scene.start('llm'))).toHaveLength(2)
  })
})

describe('a reload', () => {
  it('a breaker that takes the place of another one takes over its state', () => {
    const run = scene.start('llm')
    force(run, 'isolate', 60_000)
    run.system.remove(id)
    run.system.register(circuitBreaker({ name: 'llm', clock: scene.clock }))
    run.forced.policiesChanged()
    expect(stateOf(run)).toBe('isolated')
    scene.clock.tick(60_000)
    expect(stateOf(run)).toBe('closed')
  })

  it('drops the state of a breaker that is no more, on record', () => {
    const run = scene.start('llm')
    force(run, 'isolate')
    run.system.remove(id)
    run.forced.policiesChanged()
    expect(run.forced.get(id)).toBeUndefined()
    expect(actions(run)).toEqual(['policy.forced-dropped', 'policy.isolate'])
    run.end()
    expect(stateOf(scene.start('llm'))).toBe('closed')
  })
})

describe('S53: when the disk is full', () => {
  /** Lets the file grow no further. */
  function fill({ audit }: ChangesRun): void {
    const pages = Number(audit.database.get('PRAGMA page_count')?.['page_count'])
    audit.database.get(`PRAGMA max_page_count = ${pages}`)
  }
  const long = 'x'.repeat(20_000)

  it('nothing is changed, and the caller learns why', () => {
    const run = scene.start('llm')
    fill(run)
    expect(() => run.forced.force({ ...actor, policy: id, action: 'isolate', reason: long, expiresInMs: undefined })).toThrow(
      'the disk is full',
    )
    expect([stateOf(run), run.forced.get(id), run.events]).toEqual(['closed', undefined, []])
    run.end()
    expect(stateOf(scene.start('llm'))).toBe('closed')
  })

  it('what ends by itself does end, and goes on record once there is room', () => {
    const run = scene.start('llm')
    run.forced.force({ ...actor, policy: id, action: 'isolate', reason: long, expiresInMs: 60_000 })
    fill(run)
    scene.clock.tick(60_000)
    expect(stateOf(run)).toBe('closed')
    expect(run.unrecorded).toHaveLength(1)
    expect(actions(run)).toEqual(['policy.isolate'])
    run.audit.database.get('PRAGMA max_page_count = 1000000')
    scene.clock.tick('1m')
    expect(actions(run)).toEqual(['policy.forced-expired', 'policy.isolate'])
    expect(run.events.filter(({ type }) => type === 'control.forced-ended')).toHaveLength(1)
  })
})
