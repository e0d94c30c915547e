import { Effect, Semaphore } from 'effect'
import * as cockatiel from 'cockatiel'
import { bulkhead } from 'holdfast'
import * as mollitia from 'mollitia'
import pLimit from 'p-limit'
import PQueue from 'p-queue'
import type { Case, Gate, TimedContestant } from '../case.ts'
import { names, places } from '../contestants/common.ts'
import { effectWork } from '../contestants/effect.ts'
import * as hand from '../contestants/hand-written.ts'
import { mollitiaBulkhead } from '../contestants/mollitia.ts'
import { work } from '../contestants/work.ts'

function waiting(count: number, gates: readonly Gate[], maxRounds: number): Case {
  return {
    kind: 'timed',
    name: `waiters-${count}`,
    title: `Bulkhead of ${places} places, ${count.toLocaleString('en-US')} calls at once: per call`,
    note: '',
    unit: 'ns',
    page: 'bulkhead',
    maxRounds,
    gates,
    contestants: () => contestants(count),
  }
}

function contestants(count: number): readonly TimedContestant[] {
  const all = (call: () => Promise<unknown>) => () => Promise.all(Array.from({ length: count }, call))
  const door = bulkhead({ maxConcurrent: places, maxQueued: count })
  const byHand = hand.byHand(hand.bulkhead(places, count)).call as () => Promise<unknown>
  const theirs = cockatiel.bulkhead(places, count)
  const circuit = new mollitia.Circuit({ func: work, options: { modules: [mollitiaBulkhead(places, count)] } })
  const limit = pLimit(places)
  const queue = new PQueue({ concurrency: places })
  const one = Semaphore.withPermit(Semaphore.makeUnsafe(places), effectWork)
  const program = Effect.all(
    Array.from({ length: count }, () => one),
    { concurrency: 'unbounded', discard: true },
  )
  return [
    { name: 'hand-written', role: 'hand-written', call: all(byHand), operations: count },
    { name: 'holdfast', role: 'ours', call: all(() => door.execute(work)), operations: count },
    { name: names.cockatiel, role: 'peer', call: all(() => theirs.execute(work)), operations: count },
    { name: names.mollitia, role: 'peer', call: all(() => circuit.execute()), operations: count },
    { name: names.pLimit, role: 'peer', call: all(() => limit(work)), operations: count },
    { name: names.pQueue, role: 'peer', call: all(() => queue.add(work)), operations: count },
    { name: names.effect, role: 'peer', call: () => Effect.runPromise(program), operations: count },
  ]
}

const faster: Gate = { kind: 'must', versus: 'best peer', atMost: 0.8 }

export const waiters: readonly Case[] = [
  waiting(1_000, [faster], 15),
  waiting(20_000, [faster, { kind: 'must', versus: { case: 'waiters-1000' }, atMost: 2 }], 5),
]
