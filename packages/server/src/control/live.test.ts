import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startOfHour, temporaryFolder } from '../history/history.fixture.ts'
import { emptyState, liveScene, policy } from './live.fixture.ts'

describe('a live feed', () => {
  it('begins with a snapshot, and then tells only entries that are new, differ or are gone', async () => {
    const scene = liveScene()
    scene.state = { ...emptyState, policies: { a: policy('a'), b: policy('b', { calls: 1 }) } }
    const viewer = scene.watch()
    expect(viewer.messages[0]?.event).toBe('snapshot')
    expect(viewer.snapshot).toMatchObject({ run: scene.history.run, at: scene.clock.wallNow(), resumed: false, state: scene.state })
    scene.state = { ...emptyState, policies: { b: policy('b', { calls: 2 }), c: policy('c') } }
    await scene.clock.advance('1s')
    expect(viewer.deltas).toEqual([
      {
        at: scene.clock.wallNow(),
        policies: { b: policy('b', { calls: 2 }), c: policy('c') },
        gone: { policies: ['a'] },
        events: [],
      },
    ])
    await scene.clock.advance('1s')
    expect(viewer.deltas[1]).toEqual({ at: scene.clock.wallNow(), events: [] })
    const late = scene.watch()
    expect(late.snapshot.state).toEqual(scene.state)
    await scene.clock.advance('1s')
    expect(Buffer.concat(late.written.slice(1))).toEqual(viewer.written.at(-1))
  })

  it('an instant that trembles by a few ms is no change', async () => {
    const scene = liveScene()
    scene.state = { ...emptyState, policies: { a: policy('a', { nextAttemptAt: 1_000, calls: 1 }) } }
    const viewer = scene.watch()
    scene.state = { ...emptyState, policies: { a: policy('a', { nextAttemptAt: 1_001, calls: 1 }) } }
    await scene.clock.advance('1s')
    scene.state = { ...emptyState, policies: { a: policy('a', { nextAttemptAt: 1_010, calls: 1 }) } }
    await scene.clock.advance('1s')
    expect(viewer.deltas.map(({ policies }) => policies?.['a']?.status['nextAttemptAt'])).toEqual([undefined, 1_010])
  })

  it('reads nothing while nobody watches, and once per tick for all who do', async () => {
    const scene = liveScene()
    await scene.clock.advance('10s')
    expect(scene.reads).toBe(0)
    const viewers = Array.from({ length: 50 }, () => scene.watch())
    const before = scene.reads
    expect(before).toBe(1)
    await scene.clock.advance('3s')
    expect(scene.reads).toBe(before + 3)
    for (const viewer of viewers) viewer.leave()
    await scene.clock.advance('10s')
    expect(scene.reads).toBe(before + 3)
  })

  it('S56: an update is made once: all viewers are handed the same bytes', async () => {
    const scene = liveScene()
    const viewers = Array.from({ length: 500 }, () => scene.watch())
    await scene.clock.advance('1s')
    expect(new Set(viewers.map(({ written }) => written.at(-1))).size).toBe(1)
    expect(viewers.every(({ deltas }) => deltas.length === 1)).toBe(true)
  })

  it('S56: a viewer that leaves more than 1 MiB of updates unread is dropped; the others stay', async () => {
    const scene = liveScene()
    const [stalled, well] = [scene.watch(), scene.watch()]
    stalled.reads = false
    for (let second = 0; second < 20; second++) {
      scene.state = { ...emptyState, policies: { a: policy('a', { text: 'x'.repeat(100_000), second }) } }
      await scene.clock.advance('1s')
    }
    expect([stalled.isDestroyed, well.isDestroyed]).toEqual([true, false])
    // the memory that it could hold: the limit and one update
    expect(stalled.writableLength).toBeLessThan(1024 * 1024 + 200_000)
    expect([scene.feed.viewerCount, scene.feed.dropped]).toEqual([1, 1])
    expect(well.deltas).toHaveLength(20)
  })

  it('S56: a large snapshot gives time to read it', async () => {
    const scene = liveScene()
    scene.state = { ...emptyState, policies: { a: policy('a', { text: 'x'.repeat(3 * 1024 * 1024) }) } }
    const viewer = scene.watch()
    viewer.reads = false
    await scene.clock.advance('5s')
    expect(viewer.isDestroyed).toBe(false)
    viewer.reads = true
    await scene.clock.advance('1s')
    viewer.reads = false
    await scene.clock.advance('2s')
    expect(viewer.isDestroyed).toBe(true)
  })

  it('takes no more viewers than it may', () => {
    const scene = liveScene({ maxViewers: 2 })
    const first = scene.watch()
    scene.watch()
    expect(scene.watch().written).toEqual([])
    first.leave()
    expect(scene.watch().written).toHaveLength(1)
  })

  it('sends a comment at least every 15 s, and headers that keep it what it is', async () => {
    const scene = liveScene({ intervalMs: 7_000 })
    const viewer = scene.watch()
    await scene.clock.advance('63s')
    const comments =
      Buffer.concat(viewer.written)
        .toString()
        .match(/^: heartbeat$/gm) ?? []
    expect(comments.length).toBeGreaterThanOrEqual(4)
    expect(viewer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('a state that cannot be read skips one update, and the feed goes on', async () => {
    const errors: unknown[] = []
    const scene = liveScene({ onError: (error) => errors.push(error) })
    const viewer = scene.watch()
    const { state } = scene
    scene.state = undefined as never
    await scene.clock.advance('1s')
    scene.state = state
    await scene.clock.advance('1s')
    expect(errors).toHaveLength(1)
    expect([viewer.deltas.length, viewer.isDestroyed]).toEqual([1, false])
  })

  it('tells of the bucket that has just ended, once', async () => {
    const scene = liveScene()
    scene.add('llm')
    const viewer = scene.watch()
    scene.requests('llm', 3)
    await scene.clock.advance('11s')
    const buckets = viewer.deltas.flatMap(({ bucket }) => bucket ?? [])
    expect(buckets.map(({ from, stepMs }) => [from - startOfHour, stepMs])).toEqual([
      [0, 5_000],
      [5_000, 5_000],
    ])
    expect(buckets.map(({ rows }) => rows['llm']?.requests)).toEqual([3, 0])
  })
})

describe('S48: a viewer that comes back', () => {
  it('gets each event it missed once, and then the next', async () => {
    const scene = liveScene()
    const first = scene.watch()
    const other = scene.watch()
    for (let count = 0; count < 5; count++) scene.happen()
    await scene.clock.advance('1s')
    const { lastId } = first
    first.leave()
    for (let count = 0; count < 3; count++) scene.happen()
    await scene.clock.advance('1s')
    scene.happen() // nobody has been told of it yet
    const again = scene.watch(lastId)
    expect(again.snapshot.resumed).toBe(true)
    await scene.clock.advance('1s')
    expect([...first.eventIds, ...again.eventIds]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(other.eventIds).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it.each([
    ['a clean stop', true],
    ['kill -9', false],
  ])('after a restart of the server (%s): no gap, no double, and the run differs', async (_name, clean) => {
    const path = join(temporaryFolder(), 'history.db')
    const before = liveScene({ history: { path } })
    const first = before.watch()
    for (let count = 0; count < 5; count++) before.happen()
    await before.clock.advance('1s')
    const { lastId } = first
    first.leave()
    before.happen('missed.while-away')
    await before.clock.advance('1s')
    if (clean) before.history.dispose()
    const after = liveScene({ history: { path, at: startOfHour + 60_000 } })
    after.happen('happened.after-restart')
    const again = after.watch(lastId)
    expect(again.snapshot).toMatchObject({ resumed: true, run: after.history.run })
    expect(again.snapshot.run).not.toBe(first.snapshot.run)
    await after.clock.advance('1s')
    expect([...first.eventIds, ...again.eventIds]).toEqual([1, 2, 3, 4, 5, 6, 7])
    if (!clean) before.history.dispose()
    after.history.dispose()
  })

  it('was told of nothing that kill -9 makes unheard: events are stored before they are sent', () => {
    const path = join(temporaryFolder(), 'history.db')
    const before = liveScene({ history: { path } })
    const first = before.watch()
    before.happen()
    before.feed.tick()
    const after = liveScene({ history: { path, at: startOfHour + 60_000 } })
    expect(first.eventIds).toEqual([1])
    expect(after.watch(first.lastId).snapshot).toMatchObject({ resumed: true, events: [] })
    before.history.dispose()
    after.history.dispose()
  })

  it('with an id nobody knows, or of too long ago, is told so and gets the latest 200', async () => {
    const scene = liveScene()
    for (let count = 0; count < 2_000; count++) scene.happen(`test.happened-${count}`)
    for (const id of [`${scene.history.run}:3`, `${scene.history.run}:5000`, 'another-run:5', 'nonsense', `${scene.history.run}:-1`, '']) {
      const { snapshot } = scene.watch(id)
      expect([id, snapshot.resumed, snapshot.events.length, snapshot.events.at(-1)?.id]).toEqual([id, false, 200, 2_000])
    }
    expect(scene.watch(`${scene.history.run}:1990`).snapshot.events.map(({ id }) => id)).toEqual([
      1991, 1992, 1993, 1994, 1995, 1996, 1997, 1998, 1999, 2000,
    ])
  })

  it('a storm of one kind of event is listed a few times a second, with the number of those left out', async () => {
    const scene = liveScene()
    const viewer = scene.watch()
    for (let count = 0; count < 1_000; count++) scene.happen('retry.scheduled')
    await scene.clock.advance('1s')
    scene.happen('retry.scheduled')
    await scene.clock.advance('1s')
    expect(viewer.deltas.map(({ events }) => events.length)).toEqual([5, 1])
    expect(viewer.deltas[1]?.events[0]?.data).toEqual({ repeats: 995 })
  })
})
