import { fakeClock, type FakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import type { TaskResult } from './agent.ts'
import { lane, type Lane } from './lane.ts'
import { HttpError } from './tool-calls.ts'

interface Ending {
  finish(degraded?: boolean): void
  fail(error: unknown): void
}

function laneOf(maxRunning = 500): { clock: FakeClock; subject: Lane; endings: Map<string, Ending> } {
  const clock = fakeClock()
  const endings = new Map<string, Ending>()
  const subject = lane({
    deadlineMs: 1_000,
    clock,
    maxRunning,
    run: ({ id }) =>
      new Promise<TaskResult>((resolve, reject) => {
        endings.set(id, { finish: (degraded = false) => resolve({ orderId: 1, degraded }), fail: reject })
      }),
  })
  return { clock, subject, endings }
}

const task = (id: string): { id: string; wish: string } => ({ id, wish: 'anything' })

it('a finished task counts with its latency, a degraded one as both', async () => {
  const { clock, subject, endings } = laneOf()
  subject.submit(task('a'), 'calm')
  subject.submit(task('b'), 'calm')
  clock.tick(300)
  endings.get('a')?.finish()
  endings.get('b')?.finish(true)
  await clock.settle()
  expect(subject.statistics.totals()).toMatchObject({ arrived: 2, finished: 2, degraded: 1, successRatio: 1 })
  expect(subject.statistics.totals().p50Ms).toBeCloseTo(300, -1)
  expect(subject.waiting).toBe(0)
})

it('a failed task counts under its reason and not under latency', async () => {
  const { clock, subject, endings } = laneOf()
  subject.submit(task('a'), 'calm')
  endings.get('a')?.fail(new HttpError(new Response('', { status: 503 }), ''))
  await clock.settle()
  expect(subject.statistics.totals()).toMatchObject({ failed: 1, successRatio: 0, p50Ms: null, p99Ms: null })
  expect(subject.statistics.failures().unavailable).toBe(1)
})

it('a task is late when its user leaves, once, however it ends afterwards; its work counts as abandoned until then', async () => {
  const { clock, subject, endings } = laneOf()
  subject.submit(task('a'), 'calm')
  subject.submit(task('b'), 'calm')
  clock.tick(1_000)
  expect(subject).toMatchObject({ waiting: 0, abandoned: 2 })
  endings.get('a')?.finish()
  endings.get('b')?.fail(new Error('late'))
  await clock.settle()
  expect(subject.abandoned).toBe(0)
  expect(subject.statistics.totals()).toMatchObject({ arrived: 2, finished: 0, failed: 0, late: 2, successRatio: 0 })
})

it('a lane without a place drops the task, counts it, and never runs it', async () => {
  const { clock, subject, endings } = laneOf(2)
  for (const id of ['a', 'b', 'c']) subject.submit(task(id), 'calm')
  expect(endings.has('c')).toBe(false)
  clock.tick(1_000) // abandoned work takes places as well
  subject.submit(task('d'), 'calm')
  expect(endings.has('d')).toBe(false)
  expect(subject.statistics.totals()).toMatchObject({ arrived: 4, dropped: 2, late: 2 })
  expect(subject.peakRunning).toBe(2)
  endings.get('a')?.finish()
  await clock.settle()
  subject.submit(task('e'), 'calm')
  expect(endings.has('e')).toBe(true)
})

it('every task is counted exactly once, and under the phase in which it arrived', async () => {
  const { clock, subject, endings } = laneOf()
  for (let index = 0; index < 60; index++) {
    subject.submit(task(`t${index}`), index < 30 ? 'calm' : 'storm')
    if (index % 3 === 0) endings.get(`t${index}`)?.finish()
    if (index % 3 === 1) endings.get(`t${index}`)?.fail(new Error('x'))
    await clock.advance(50)
  }
  const { arrived, finished, failed, late, dropped } = subject.statistics.totals()
  expect(arrived).toBe(finished + failed + late + dropped + subject.waiting)
  const phases = subject.statistics.byPhase()
  expect(phases.map(({ phase, arrived: began }) => [phase, began])).toEqual([
    ['calm', 30],
    ['storm', 30],
  ])
  expect(phases.reduce((sum, phase) => sum + phase.finished, 0)).toBe(finished)
})

it('seconds hold what happened in them; recent figures cover the last ten, history the last 120', async () => {
  const { clock, subject, endings } = laneOf()
  for (let second = 0; second < 130; second++) {
    subject.submit(task(`t${second}`), 'calm')
    await clock.advance(100)
    if (second < 125) endings.get(`t${second}`)?.finish()
    else endings.get(`t${second}`)?.fail(new Error('x'))
    await clock.advance(900)
    subject.closeSecond(second)
  }
  const { statistics } = subject
  expect(statistics.recent()).toMatchObject({ arrived: 10, finished: 5, failed: 5, successRatio: 0.5 })
  expect(statistics.recent().p99Ms).toBeCloseTo(100, 0)
  const history = statistics.history()
  expect(history.length).toBe(120)
  expect(history.at(-1)).toMatchObject({ arrived: 1, finished: 0, failed: 1, p50Ms: null, llmRequests: 129, at: clock.wallNow() })
  expect(history[0]).toMatchObject({ finished: 1, llmRequests: 10 })
})

it('figures without data are null, not 0', () => {
  const { subject } = laneOf()
  expect(subject.statistics.totals()).toMatchObject({ successRatio: null, p50Ms: null, p99Ms: null })
  expect(subject.statistics.recent()).toMatchObject({ successRatio: null, p50Ms: null, p99Ms: null })
})
