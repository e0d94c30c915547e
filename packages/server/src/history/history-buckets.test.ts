import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { HistoryRange } from '../wire.ts'
import { historyScene, startOfHour } from './history.fixture.ts'

const sum = (column: readonly (number | null)[] | undefined): number => (column ?? []).reduce((a: number, b) => a + (b ?? 0), 0)

describe('buckets', () => {
  it('hold what ended within them: requests by how they ended, attempts, latencies', async () => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    requests('llm', 4)
    requests('llm', 2, { status: 503 })
    requests('llm', 1, { status: 429 })
    requests('llm', 3, { status: 503, cause: 'circuit-open', attempts: 0 })
    requests('llm', 1, { status: 503, cause: 'circuit-open', attempts: 2 })
    requests('llm', 2, { cause: 'fallback' })
    requests('llm', 1, { status: 499, cause: 'client-left' })
    await clock.advance('5s')
    const answer = history.dependency('llm', '15m')
    const last = Object.fromEntries(Object.entries(answer?.columns ?? {}).map(([name, column]) => [name, column.at(-1)]))
    expect(last).toMatchObject({
      requests: 14,
      succeeded: 4,
      failed: 4,
      refused: 3,
      fallback: 2,
      cancelled: 1,
      attempts: 12,
      attemptFailures: 4,
    })
    expect(Math.abs(Number(last['p50Ms']) - 10)).toBeLessThan(0.625)
    expect(history.recorder('llm')?.totals).toMatchObject({ requests: 14, refused: 3, attempts: 12 })
  })

  it.each<[HistoryRange, number]>([
    ['15m', 5_000],
    ['1h', 20_000],
    ['6h', 120_000],
    ['24h', 480_000],
  ])('%s: are 180, on a fixed grid, and every request is in one of them', async (range, stepMs) => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    for (let minute = 0; minute < 14; minute++) {
      requests('llm', 7)
      await clock.advance('1m')
    }
    const wall = history.wall(range)
    expect(wall.stepMs).toBe(stepMs)
    expect(wall.from % stepMs).toBe(0)
    expect(wall.rows['llm']?.attempts).toHaveLength(180)
    expect(sum(wall.rows['llm']?.attempts)).toBe(14 * 7)
    const { columns } = history.dependency('llm', range) ?? {}
    for (const column of Object.values(columns ?? {})) expect(column).toHaveLength(180)
  })

  it('tell nothing happened (0) from nothing recorded (null)', async () => {
    const { history, add, clock } = historyScene()
    add('llm')
    await clock.advance('15s')
    const { attempts } = history.wall('15m').rows['llm'] ?? {}
    expect(attempts?.slice(-4)).toEqual([null, 0, 0, 0])
    expect(history.dependency('llm', '15m')?.columns.p95Ms.at(-1)).toBeNull()
  })

  it('percentiles of a merged bucket are those of all its attempts, not means of means', async () => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    requests('llm', 98, {}, 10)
    await clock.advance('5s')
    requests('llm', 2, {}, 1_000)
    await clock.advance('15s')
    const { columns } = history.dependency('llm', '1h') ?? {}
    const at = columns?.attempts.indexOf(100) ?? -1
    expect(at).toBeGreaterThanOrEqual(0)
    // a mean of the two buckets' would be about 505
    expect(columns?.p95Ms[at]).toBeLessThan(11)
    expect(columns?.p99Ms[at]).toBeGreaterThan(940)
    expect(columns?.p99Ms[at]).toBeLessThanOrEqual(1_000)
  })

  it('the most that ran and waited is counted, and what runs on counts in the next bucket too', async () => {
    const { history, add, clock } = historyScene()
    add('llm')
    const { gates } = history.recorder('llm') as NonNullable<ReturnType<typeof history.recorder>>
    const enter = (): unknown => gates.door.admit(undefined as never, undefined)
    const run = (): number => gates.attempt.admit(undefined as never, undefined) as number
    enter()
    const first = run()
    enter()
    const second = run()
    for (let waiting = 0; waiting < 3; waiting++) enter()
    expect([gates.running, gates.queued]).toEqual([2, 3])
    gates.attempt.leave?.(first)
    gates.door.leave?.(null)
    await clock.advance('5s')
    await clock.advance('5s')
    const { columns } = history.dependency('llm', '15m') ?? {}
    expect(columns?.running.slice(-2)).toEqual([2, 1])
    expect(columns?.queued.slice(-2)).toEqual([3, 3])
    gates.attempt.leave?.(second)
  })

  it('the last minute: rate, ratio and percentiles, and it is forgotten after that minute', async () => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    await clock.advance('2m')
    requests('llm', 30, { durationMs: 20 })
    requests('llm', 10, { status: 500, durationMs: 200 })
    requests('llm', 5, { status: 499, cause: 'client-left' })
    const recent = (): unknown => history.recorder('llm')?.recent(history.present.number, history.present.coveredMs)
    expect(recent()).toMatchObject({ callsPerSecond: expect.closeTo(45 / 55, 1), successRatio: 0.75, p99Ms: 200 })
    await clock.advance('1m')
    expect(recent()).toEqual({ callsPerSecond: 0, successRatio: null, p50Ms: null, p95Ms: null, p99Ms: null })
  })

  it('1,000 dependencies under load stay within 110 KB each', { timeout: 60_000 }, async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = (): number => {
      collect()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const before = used()
    const { history, add, requests, clock } = historyScene()
    const names = Array.from({ length: 1_000 }, (_, index) => `service-${index}`)
    for (const name of names) add(name)
    for (let round = 0; round < 4; round++) {
      for (const name of names) requests(name, 3, {}, 8 ** round)
      clock.step(5_000)
      history.tick()
      clock.step(8 * 60_000) // a bucket of every length has ended
      history.tick()
    }
    for (const name of names) {
      const { timeline } = history.recorder(name) as NonNullable<ReturnType<typeof history.recorder>>
      for (let change = 0; change < 1_000; change++)
        timeline.observe(change % 2 === 0 ? 'open' : 'closed', false, startOfHour + change * 1_000)
    }
    const bytes = used() - before
    expect(bytes / 1_000).toBeLessThan(110_000)
    expect(history.wall('24h').rows['service-0']?.segments.length).toBeLessThanOrEqual(300)
  })
})

describe('the clock', () => {
  it('set back: later times are forgotten, nothing is counted twice, and recording goes on', async () => {
    const { history, add, requests, clock } = historyScene({ at: startOfHour + 3_600_000 })
    add('llm')
    requests('llm', 5)
    await clock.advance('10m')
    clock.stepWall(-5 * 60_000)
    requests('llm', 3)
    await clock.advance('10s')
    const wall = history.wall('15m')
    expect(wall.at).toBe(clock.wallNow())
    expect(sum(wall.rows['llm']?.attempts)).toBe(8)
    expect(wall.rows['llm']?.attempts).toHaveLength(180)
    for (const segment of wall.rows['llm']?.segments ?? []) expect(segment.from).toBeLessThanOrEqual(clock.wallNow())
    expect(wall.rows['llm']?.segments.at(-1)).toMatchObject({ state: 'closed', to: null })
  })

  it('set on: the time in between is unknown, with null buckets', async () => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    await clock.advance('1m')
    requests('llm', 5)
    clock.stepWall(2 * 60_000)
    await clock.advance('10s')
    const { segments, attempts } = history.wall('15m').rows['llm'] ?? {}
    expect(segments?.map(({ state }) => state)).toEqual(['closed', 'unknown', 'closed'])
    expect(sum(attempts)).toBe(5)
    expect(attempts?.slice(-10)).toContain(null)
  })

  it('corrected by less than a bucket: nothing is lost and nothing goes back', async () => {
    const { history, add, requests, clock } = historyScene()
    add('llm')
    for (let round = 0; round < 20; round++) {
      requests('llm', 1)
      clock.stepWall(round % 2 === 0 ? -3_000 : 3_000)
      await clock.advance('3s')
    }
    await clock.advance('10s')
    expect(sum(history.wall('15m').rows['llm']?.attempts)).toBe(20)
    expect(history.wall('15m').rows['llm']?.segments.map(({ state }) => state)).toEqual(['closed'])
  })
})
