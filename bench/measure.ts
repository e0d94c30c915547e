import type { Case, Contestant } from './case.ts'

export interface Figure {
  readonly contestant: string
  readonly role: Contestant['role']
  /** Median CPU time of one operation, in ns. */
  readonly median: number
  /** Median absolute deviation from the median, in ns. */
  readonly deviation: number
}

export interface Result {
  readonly case: Case
  readonly figures: readonly Figure[]
}

export interface MeasureOptions {
  readonly rounds: number
  /** CPU time that one contestant gets in one round, in ms. */
  readonly sliceMs: number
}

/** Measures CPU time per operation. The contestants take turns, in another order each round, so that all share the same weather. */
export async function measure(subject: Case, options: MeasureOptions): Promise<Result> {
  const runs = subject.contestants.map((contestant) => ({ contestant, operations: 0, samples: [] as number[] }))
  for (const run of runs) run.operations = await calibrate(run.contestant, options.sliceMs)
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      const run = runs[(round + turn) % runs.length]
      if (run !== undefined) run.samples.push(await cpuTimePerOperation(run.contestant, run.operations))
    }
  }
  return { case: subject, figures: runs.map(({ contestant, samples }) => figureOf(contestant, samples)) }
}

async function calibrate(contestant: Contestant, sliceMs: number): Promise<number> {
  for (let block = 0; block < 25; block++) await cpuTimePerOperation(contestant, 2_000) // until the compiler has settled
  const nsPerOperation = await cpuTimePerOperation(contestant, 2_000)
  return Math.max(500, Math.ceil((sliceMs * 1e6) / nsPerOperation))
}

async function cpuTimePerOperation(contestant: Contestant, operations: number): Promise<number> {
  const { call } = contestant
  const before = process.cpuUsage()
  for (let count = 0; count < operations; count++) await call()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / operations
}

function figureOf({ name, role }: Contestant, samples: readonly number[]): Figure {
  const median = medianOf(samples)
  return { contestant: name, role, median, deviation: medianOf(samples.map((sample) => Math.abs(sample - median))) }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
