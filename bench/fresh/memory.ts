import { PerformanceObserver } from 'node:perf_hooks'
import type { TimedContestant } from '../case.ts'
import { worked } from '../contestants/work.ts'

/** Options of Node.js that the measurements here need: garbage is collected when we ask for it, and not before. */
export const collectOnDemand = ['--expose-gc'] as const
export const roomForAllCalls = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'] as const

/** What one of many instances keeps in memory, in bytes: V8's heap and what hangs on it outside. */
export async function bytesEach(count: number, make: (index: number) => unknown): Promise<number> {
  return grownBy(count, make, () => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  })
}

/** The same by the memory of the whole process, for what Node.js keeps where V8 does not see it. */
export async function residentBytesEach(count: number, make: (index: number) => unknown): Promise<number> {
  return grownBy(count, make, () => process.memoryUsage().rss)
}

async function grownBy(count: number, make: (index: number) => unknown, read: () => number): Promise<number> {
  const warm: unknown[] = []
  for (let index = 0; index < 200; index++) warm.push(await make(-1 - index))
  const kept: unknown[] = Array.from({ length: count }, () => warm)
  await collect()
  const before = read()
  for (let index = 0; index < count; index++) kept[index] = await make(index)
  await collect()
  const after = read()
  if (kept.length !== count || warm.length === 0) throw new Error('unreachable: keeps both alive')
  return (after - before) / count
}

async function collect(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
}

/** What making an instance costs in CPU time, in ns. */
export async function nsToMake(count: number, make: (index: number) => unknown): Promise<number> {
  const kept: unknown[] = []
  for (let index = 0; index < 2_000; index++) kept.push(await make(-1 - index))
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) kept.push(await make(index))
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / count
}

/** The share of one core, in %, that instances take while nobody uses them. */
export async function idlePercent(count: number, make: (index: number) => unknown): Promise<number> {
  const kept: unknown[] = []
  for (let index = 0; index < count; index++) kept.push(await make(index))
  await collect()
  await new Promise((resolve) => setTimeout(resolve, 500)) // what making them left to do is over
  const idleMs = 4_000
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const { user, system } = process.cpuUsage(before)
  if (kept.length !== count) throw new Error('unreachable: keeps them alive')
  return (user + system) / 1_000 / idleMs / 0.01
}

/** What one operation allocates, in bytes. The process must have {@link roomForAllCalls}. */
export async function bytesPerOperation(contestant: TimedContestant): Promise<number> {
  const { operations = 1, works = 1 } = contestant
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length
  })
  const warmUp = Math.ceil(20_000 / operations)
  const calls = Math.ceil(10_000 / operations)
  await repeat(contestant, warmUp)
  await collect()
  observer.observe({ entryTypes: ['gc'] })
  const workedBefore = worked.calls
  const before = process.memoryUsage().heapUsed
  await repeat(contestant, calls)
  const after = process.memoryUsage().heapUsed
  await new Promise((resolve) => setTimeout(resolve, 20)) // the observer is told in a later turn
  observer.disconnect()
  if (worked.calls - workedBefore !== calls * operations * works) throw new Error(`${contestant.name} did not do its work`)
  if (collections > 0) throw new Error(`garbage was collected while ${contestant.name} was measured: make the young generation larger`)
  return (after - before) / (calls * operations)
}

async function repeat({ call, synchronous }: TimedContestant, calls: number): Promise<void> {
  if (synchronous === true) for (let count = 0; count < calls; count++) call()
  else for (let count = 0; count < calls; count++) await call()
}
