import { adaptiveConcurrency, cache, hedge, idempotencyManager, loadShedder, throttler } from 'holdfast'
import { workerCompartment } from 'holdfast/adapters/worker-threads'
import type { Case } from '../case.ts'
import { bare, places } from '../contestants/common.ts'
import { adaptive, cached, hedged, shed, throttled } from '../contestants/hand-written-calls.ts'
import { viaHoldfast } from '../contestants/holdfast.ts'
import { work } from '../contestants/work.ts'

const hedgeAfterMs = 500

/** Patterns that no peer has: compared with the bare call and with what a team writes for itself. */
export const otherPatterns: readonly Case[] = [
  {
    kind: 'timed',
    name: 'hedge',
    title: 'Hedge that is not needed',
    note: 'The hand-written one cancels no loser and has no budget.',
    unit: 'ns',
    page: 'hedge',
    gates: [],
    contestants: () => [
      bare,
      { name: 'hand-written', role: 'hand-written', call: hedged(work, hedgeAfterMs) },
      viaHoldfast(hedge({ delay: hedgeAfterMs })),
    ],
  },
  {
    kind: 'timed',
    name: 'adaptive-concurrency',
    title: 'Adaptive concurrency limit with a free place',
    note: 'The hand-written one looks at errors only.',
    unit: 'ns',
    page: 'adaptive-concurrency',
    gates: [],
    contestants: () => [bare, { name: 'hand-written', role: 'hand-written', call: adaptive(work) }, viaHoldfast(adaptiveConcurrency())],
  },
  {
    kind: 'timed',
    name: 'throttler',
    title: 'Throttler with a free place',
    note: '',
    unit: 'ns',
    page: 'throttler',
    gates: [],
    contestants: () => [
      bare,
      { name: 'hand-written', role: 'hand-written', call: throttled(work, places, 1e9) },
      viaHoldfast(throttler({ maxConcurrent: places })),
    ],
  },
  {
    kind: 'timed',
    name: 'worker-compartment',
    title: 'Job of no work in a worker thread, both threads together',
    note: 'Two messages between threads: what a job has to be worth.',
    unit: 'ns',
    page: 'worker-compartment',
    gates: [],
    contestants: () => {
      const module = `data:text/javascript,${encodeURIComponent('export const nothing = () => 1')}`
      const workers = workerCompartment<{ nothing(input: undefined): number }>({ module, maxWorkers: 1 })
      return [bare, { name: 'holdfast', role: 'ours', call: () => workers.run('nothing', undefined), works: 0 }]
    },
  },
  {
    kind: 'timed',
    name: 'cache-hit',
    title: 'Cache that has the answer',
    note: 'The hand-written one has no bound.',
    unit: 'ns',
    page: 'cache',
    gates: [],
    contestants: async () => {
      const answers = cache({ ttl: '1h' })
      const key = { key: 'prices' }
      await answers.execute(work, key)
      const byHand = cached(work, 3_600_000)
      await byHand('prices')
      return [
        bare,
        { name: 'hand-written', role: 'hand-written', call: () => byHand('prices'), works: 0 },
        { name: 'holdfast', role: 'ours', call: () => answers.execute(work, key), works: 0 },
      ]
    },
  },
  {
    kind: 'timed',
    name: 'load-shedder',
    title: 'Load shedder without overload',
    note: '',
    unit: 'ns',
    page: 'load-shedder',
    gates: [],
    contestants: () => [
      bare,
      { name: 'hand-written', role: 'hand-written', call: shed(work, 100, 0.8) },
      viaHoldfast(loadShedder({ capacity: 100, maxLoad: 0.8 })),
    ],
  },
  {
    kind: 'timed',
    name: 'idempotency-replay',
    title: 'Idempotent operation that has been done, answered from the store in memory',
    note: 'The hand-written one keeps the value itself; Holdfast checks the fingerprint of the request, and makes the stored answer anew.',
    unit: 'ns',
    page: 'idempotency',
    gates: [],
    contestants: async () => {
      const manager = idempotencyManager()
      await manager.execute('charge:1', work)
      const byHand = cached(work, 3_600_000)
      await byHand('charge:1')
      return [
        bare,
        { name: 'hand-written', role: 'hand-written', call: () => byHand('charge:1'), works: 0 },
        { name: 'holdfast', role: 'ours', call: () => manager.execute('charge:1', work), works: 0 },
      ]
    },
  },
]
