import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../state/index.ts'
import { historyScene, startOfHour, temporaryFolder, type HistoryScene } from './history.fixture.ts'
import { HistoryStore } from './history-store.ts'

const mebibyte = 1024 * 1024
const sum = (column: readonly (number | null)[] | undefined): number => (column ?? []).reduce((a: number, b) => a + (b ?? 0), 0)
const states = ({ history }: HistoryScene): unknown =>
  history.wall('15m').rows['llm']?.segments.map(({ from, state }) => [state, from - startOfHour])

describe('after a restart', () => {
  it.each([
    ['a clean stop', true],
    ['kill -9', false],
  ])('%s: the history is there; the time the server was down is unknown, with null buckets', async (_name, clean) => {
    const path = join(temporaryFolder(), 'history.db')
    const first = historyScene({ path })
    first.add('llm')
    first.requests('llm', 50, {}, 5)
    await first.clock.advance('5s')
    first.requests('llm', 50, {}, 400)
    await first.clock.advance('125s')
    if (clean) first.history.dispose()
    const endedAt = 130_000
    const second = historyScene({ path, at: startOfHour + 190_000 })
    second.add('llm')
    second.requests('llm', 7)
    await second.clock.advance('10s')
    expect(states(second)).toEqual([
      ['closed', 0],
      ['unknown', endedAt],
      ['closed', 190_000],
    ])
    const wall = second.history.wall('15m')
    expect(sum(wall.rows['llm']?.attempts)).toBe(107)
    const down = wall.rows['llm']?.attempts.slice(
      (startOfHour + endedAt + 5_000 - wall.from) / 5_000,
      (startOfHour + 190_000 - wall.from) / 5_000,
    )
    expect(down).toEqual(Array.from({ length: 11 }, () => null))
    expect(wall.markers.map(({ kind, at }) => [kind, at - startOfHour])).toEqual([
      ['start', 0],
      ['stop', endedAt],
      ['start', 190_000],
    ])
    // a bucket of 8 min that began before the restart is put together again, percentiles and all
    const { columns } = second.history.dependency('llm', '24h') ?? {}
    expect(columns?.requests.at(-1)).toBe(107 - 50 - 50 + 100)
    expect(columns?.p50Ms.at(-1)).toBeLessThan(11)
    expect(columns?.p95Ms.at(-1)).toBeGreaterThan(370)
    if (!clean) first.history.dispose()
    second.history.dispose()
  })

  it('a second restart within one bucket counts nothing twice', async () => {
    const path = join(temporaryFolder(), 'history.db')
    for (let run = 0; run < 3; run++) {
      const scene = historyScene({ path, at: startOfHour + 1_000 + run * 1_200 })
      scene.add('llm')
      scene.requests('llm', 10)
      await scene.clock.advance('100ms')
      for (const range of ['1h', '6h', '24h'] as const) expect(sum(scene.history.wall(range).rows['llm']?.attempts)).toBe(10 * (run + 1))
      scene.history.dispose()
    }
    const last = historyScene({ path, at: startOfHour + 30_000 })
    last.add('llm')
    for (const range of ['15m', '1h', '6h', '24h'] as const) expect(sum(last.history.wall(range).rows['llm']?.attempts)).toBe(30)
    last.history.dispose()
  })

  it('a dependency that was gone for a run comes back with what was before, and unknown in between', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const first = historyScene({ path })
    first.add('llm')
    first.requests('llm', 3)
    await first.clock.advance('10s')
    first.history.dispose()
    const second = historyScene({ path, at: startOfHour + 20_000 })
    await second.clock.advance('10s')
    second.history.dispose()
    const third = historyScene({ path, at: startOfHour + 40_000 })
    third.add('llm')
    expect(states(third)).toEqual([
      ['closed', 0],
      ['unknown', 10_000],
      ['closed', 40_000],
    ])
    third.history.dispose()
  })

  it('events go on counting, and the ids that a viewer saw are known', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const first = historyScene({ path })
    for (let count = 0; count < 10; count++) first.history.addEvent({ type: 'test.happened', policy: 'x', at: first.clock.wallNow() })
    first.history.storeEvents()
    const { run } = first.history
    const second = historyScene({ path, at: startOfHour + 1_000 })
    second.history.addEvent({ type: 'test.happened', policy: 'y', at: second.clock.wallNow() })
    expect(second.history.events.lastId).toBe(11)
    expect([second.history.knows(run, 10), second.history.knows(run, 11), second.history.knows('other', 3)]).toEqual([true, false, false])
    expect(second.history.findEvents({ after: 8, limit: 10 }).map(({ id, policy }) => [id, policy])).toEqual([
      [9, 'x'],
      [10, 'x'],
      [11, 'y'],
    ])
    expect(second.history.findEvents({ before: 4, limit: 2 }).map(({ id }) => id)).toEqual([2, 3])
    expect(second.history.findEvents({ policy: 'y', limit: 10 }).map(({ id }) => id)).toEqual([11])
    first.history.dispose()
    second.history.dispose()
  })

  it('events that are in memory no more are read from the file', async () => {
    const scene = historyScene({ path: join(temporaryFolder(), 'history.db') })
    for (let count = 0; count < 1_500; count++) {
      scene.history.addEvent({ type: 'test.happened', policy: `p${count % 100}`, at: scene.clock.wallNow() })
      if (count % 100 === 99) await scene.clock.advance('1s')
    }
    expect(scene.history.findEvents({ after: 0, limit: 3 }).map(({ id }) => id)).toEqual([1, 2, 3])
    expect(scene.history.findEvents({ before: 101, limit: 1 }).map(({ id }) => id)).toEqual([100])
    scene.history.dispose()
  })
})

describe('a file that cannot be written', () => {
  it('full: is told once, the history goes on in memory, and later in the file again', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const scene = historyScene({ path, maxSize: 1 })
    scene.add('llm')
    for (let count = 0; count < 3_000; count++) {
      scene.history.addEvent({ type: `test.happened-${count}`, policy: 'x'.repeat(200), at: scene.clock.wallNow() })
    }
    await scene.clock.advance('10s')
    expect(scene.problems).toEqual([expect.stringContaining('the disk is full')])
    expect(scene.history.problem).toContain('history.db')
    const failures = scene.history.writeFailures
    expect(failures).toBe(1)
    scene.requests('llm', 9)
    await scene.clock.advance('20s')
    expect(scene.history.writeFailures).toBe(failures) // not tried again at once
    expect(sum(scene.history.wall('15m').rows['llm']?.attempts)).toBe(9)
    scene.history.dispose()
  })

  it('damaged: is set aside, and a new one begun', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'history.db')
    writeFileSync(path, 'no database at all'.repeat(100))
    const moved: string[] = []
    const scene = historyScene({ path, onSetAside: (file) => moved.push(file.movedTo) })
    scene.add('llm')
    await scene.clock.advance('10s')
    expect(scene.problems).toEqual([])
    expect(moved).toEqual([expect.stringContaining('history.db.damaged-')])
    expect(readdirSync(folder).some((name) => name.includes('damaged'))).toBe(true)
    scene.history.dispose()
  })

  it('a folder that is none: the history is in memory, and tries again', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const scene = historyScene({ path: join(folder, 'file', 'history.db') })
    scene.add('llm')
    scene.requests('llm', 4)
    await scene.clock.advance('65s')
    expect(scene.history.writeFailures).toBeGreaterThan(1)
    expect(scene.problems).toHaveLength(1)
    expect(sum(scene.history.wall('15m').rows['llm']?.attempts)).toBe(4)
    scene.history.dispose()
  })

  it('one that comes back gets what has waited', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const scene = historyScene({ path })
    scene.add('llm')
    await scene.clock.advance('1s')
    const other = openDatabase(path, { durability: 'normal', migrations: ['x'] })
    other.exec('BEGIN EXCLUSIVE')
    scene.history.addMarker('note', 'while it was held')
    await scene.clock.advance('1s')
    expect(scene.problems).toEqual([expect.stringContaining('is held by another program')])
    other.exec('ROLLBACK')
    other.close()
    await scene.clock.advance('31s')
    expect(scene.problems).toHaveLength(2)
    expect(scene.history.problem).toBeUndefined()
    scene.history.dispose()
    const store = new HistoryStore(path, { maxAge: 86_400_000, maxSize: mebibyte }, { name: 'reader', at: scene.clock.wallNow() })
    expect(store.markers(0).map(({ text }) => text)).toContain('while it was held')
    store.close()
  })
})

describe('the size of the file', () => {
  it('stays below its limit under a storm of events, and the newest survive', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const scene = historyScene({ path, maxSize: mebibyte })
    for (let second = 0; second < 300; second++) {
      for (let count = 0; count < 50; count++) {
        const event = { type: 'test.happened', policy: `p${count}`, at: scene.clock.wallNow(), note: 'x'.repeat(200) }
        scene.history.addEvent(event)
      }
      await scene.clock.advance('1s')
    }
    expect(statSync(path).size).toBeLessThanOrEqual(mebibyte)
    expect(scene.history.findEvents({ limit: 1 }).map(({ id }) => id)).toEqual([15_000])
    await scene.clock.advance('60s')
    scene.history.dispose()
    const next = historyScene({ path, maxSize: mebibyte, at: scene.clock.wallNow() })
    expect(next.history.findEvents({ limit: 1 })[0]?.id).toBe(15_000)
    next.history.dispose()
  }, 60_000)

  it('what is older than maxAge is taken out', async () => {
    const path = join(temporaryFolder(), 'history.db')
    const scene = historyScene({ path, maxAge: 3_600_000 })
    scene.add('llm')
    scene.history.addEvent({ type: 'test.happened', policy: 'old', at: scene.clock.wallNow() })
    scene.history.addMarker('note', 'old')
    await scene.clock.advance('10s')
    scene.history.dispose()
    const next = historyScene({ path, maxAge: 3_600_000, at: startOfHour + 2 * 3_600_000 })
    next.add('llm')
    expect(next.history.findEvents({ policy: 'old', limit: 10 })).toEqual([])
    expect(next.history.wall('24h').markers.map(({ text }) => text)).not.toContain('old')
    next.history.dispose()
  })
})
