import type { Figure, TimedContestant } from './case.ts'
import { worked } from './contestants/work.ts'
import { figureOf } from './statistics.ts'

export interface MeasureOptions {
  readonly rounds: number
  /** CPU time that one contestant gets in one round, in ms. */
  readonly sliceMs: number
}

/** Of a contestant so slow that it would outlast the others, this is enough to warm up and to measure. */
const longestWarmUpMs = 400

/** Measures CPU time per operation. The contestants take turns, in another order each round, so that all share the same weather. */
export async function measure(contestants: readonly TimedContestant[], options: MeasureOptions): Promise<readonly Figure[]> {
  const runs = contestants.map((contestant) => ({ contestant, calls: 0, samples: [] as number[] }))
  for (const run of runs) run.calls = await calibrate(run.contestant, options.sliceMs)
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      const run = runs[(round + turn) % runs.length]
      if (run !== undefined) run.samples.push(await cpuTimePerOperation(run.contestant, run.calls))
    }
  }
  return runs.map(({ contestant: { name, role }, samples }) => figureOf(name, role, samples))
}

/** How many calls fill a slice, after the compiler has settled. */
async function calibrate(contestant: TimedContestant, sliceMs: number): Promise<number> {
  const operations = contestant.operations ?? 1
  const block = Math.max(1, Math.round(2_000 / operations))
  const begun = process.cpuUsage()
  let nsPerOperation = await cpuTimePerOperation(contestant, 1)
  for (let count = 0; count < 25 && spentMs(begun) < longestWarmUpMs; count++) {
    const affordable = Math.ceil((longestWarmUpMs * 1e6) / 4 / (nsPerOperation * operations))
    nsPerOperation = await cpuTimePerOperation(contestant, Math.min(block, affordable))
  }
  return Math.max(1, Math.ceil((sliceMs * 1e6) / (nsPerOperation * operations)))
}

async function cpuTimePerOperation(contestant: TimedContestant, calls: number): Promise<number> {
  const { call, operations = 1, works = 1 } = contestant
  const workedBefore = worked.calls
  const before = process.cpuUsage()
  if (contestant.synchronous === true) for (let count = 0; count < calls; count++) call()
  else for (let count = 0; count < calls; count++) await call()
  const { user, system } = process.cpuUsage(before)
  const done = worked.calls - workedBefore
  const expected = Math.round(calls * operations * works)
  if (done !== expected) throw new Error(`${contestant.name} did the work ${done} times instead of ${expected}`)
  return ((user + system) * 1_000) / (calls * operations)
}

function spentMs(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1_000
}
