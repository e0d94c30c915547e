import type { PhaseFigures, SimulationReport } from './report.ts'
import type { Scenario, SimulatedDependency } from './scenario.ts'
import { simulate, type SimulateOptions } from './simulate.ts'

/** The best that any pipeline could make of a phase. */
export interface BestPossible {
  readonly phase: string
  /** Largest share of requests that can be answered in time. */
  readonly goodput: number
  /** Latency of the pipeline that lets its callers wait least while it answers nearly as many; null when none can be answered. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** How long that one's queue may be. */
  readonly maxQueued: number
}

/** Bounds of the queue that are tried, per worker. */
const queuesPerWorker = [0, 0.25, 0.5, 1, 2, 4, 8, 16]
/** A share of answers worth giving up for a shorter wait. */
const nearlyAll = 0.99

/**
 * What a pipeline could reach that knows the dependency from inside: it counts those who wait for a worker, and turns away whoever comes
 * when they are too many, whatever happens outside the workers. Several lengths of the queue are simulated; the most answers of all are the
 * best goodput, and the latency is that of the shortest queue which answers 99 % as many.
 */
export async function bestPossible(scenario: Scenario, options: Pick<SimulateOptions, 'seed'> = {}): Promise<readonly BestPossible[]> {
  const runs: Run[] = []
  for (const perWorker of queuesPerWorker) {
    const world = { ...scenario, dependency: boundQueues(scenario.dependency, perWorker) }
    const maxQueued = listOf(world.dependency).reduce((sum, one) => sum + (one.maxQueued ?? 0), 0)
    runs.push({ maxQueued, report: await simulate(world, undefined, options) })
  }
  const names = scenario.phases?.map(({ name }) => name) ?? ['all']
  return names.map((phase, index) => {
    const tried = runs.map(({ report, maxQueued }) => ({ maxQueued, figures: report.phases[index] ?? wholeRun(report) }))
    const goodput = Math.max(...tried.map(({ figures }) => figures.goodput))
    const { figures, maxQueued } = tried.find((one) => one.figures.goodput >= goodput * nearlyAll) as (typeof tried)[number]
    return { phase, goodput, p50Ms: figures.latency?.p50Ms ?? null, p99Ms: figures.latency?.p99Ms ?? null, maxQueued }
  })
}

interface Run {
  readonly maxQueued: number
  readonly report: SimulationReport
}

function wholeRun(report: SimulationReport): PhaseFigures {
  return { ...report, name: 'all', fromMs: 0, toMs: report.endedAtMs }
}

function boundQueues(dependency: Scenario['dependency'], perWorker: number): readonly SimulatedDependency[] {
  return listOf(dependency).map((one) => {
    if (one.workers === Infinity) return one
    return { ...one, maxQueued: Math.min(one.maxQueued ?? Infinity, Math.round(perWorker * one.workers)) }
  })
}

function listOf(dependency: Scenario['dependency']): readonly SimulatedDependency[] {
  return Array.isArray(dependency) ? dependency : [dependency as SimulatedDependency]
}
