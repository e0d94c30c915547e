import type { DependencyReport } from './dependency.ts'
import { priorities, requestOutcomes, type RequestOutcome, type Tally } from './tally.ts'
import type { Scenario } from './scenario.ts'

/** Figures about requests: all of them, or those that came in one phase, or with one priority. */
export interface RequestFigures {
  /** Requests that came. Each ended in exactly one of `outcomes`. */
  readonly offered: number
  readonly outcomes: Readonly<Record<RequestOutcome, number>>
  /** answered / offered; 1 when nothing was offered. */
  readonly goodput: number
  /** Calls at the dependency per request. */
  readonly attemptsPerRequest: number
  /** Times that the pipeline said no. */
  readonly refusals: number
  /** Those of them at a moment when the dependency had a worker free. */
  readonly refusalsBelowCapacity: number
  /** From a request's arrival to its answer in time, in ms; null when there was none. */
  readonly latency: LatencyFigures | null
  /** From a request's arrival to its end, however it ended, in ms on average; null when none has ended. */
  readonly meanEndMs: number | null
}

export interface LatencyFigures {
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface PhaseFigures extends RequestFigures {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

/** One bin of time: what became of the requests that came in it, and how things stood at its end. */
export interface TimeBin {
  readonly fromMs: number
  readonly offered: number
  readonly answered: number
  readonly substituted: number
  readonly failed: number
  readonly refused: number
  readonly timedOut: number
  readonly attempts: number
  /** Median latency of those answered in time; null when there were none. */
  readonly p50Ms: number | null
  readonly inFlight: number
  readonly queued: number
  /** What `watch` answered at the end of the bin. */
  readonly watched: number | null
}

export interface SimulationReport extends RequestFigures {
  readonly scenario: string
  readonly seed: number
  /** Simulated ms until the last request had ended. */
  readonly endedAtMs: number
  readonly phases: readonly PhaseFigures[]
  readonly byPriority: Readonly<Partial<Record<'low' | 'normal' | 'high' | 'critical', RequestFigures>>>
  /** Goodput of each client. */
  readonly clients: readonly number[]
  /** Jain's index of the clients' goodputs: 1 when all are served alike, 1/n when one of n gets everything. */
  readonly fairness: number
  readonly bins: readonly TimeBin[]
  readonly dependencies: readonly DependencyReport[]
}

/** How things stood at the end of a bin. */
export interface Snapshot {
  readonly inFlight: number
  readonly queued: number
  readonly watched: number | null
}

export interface ReportParts {
  readonly scenario: Scenario
  readonly seed: number
  readonly endedAtMs: number
  readonly tally: Tally
  readonly binMs: number
  readonly snapshots: readonly Snapshot[]
  readonly dependencies: readonly DependencyReport[]
}

export function makeReport(parts: ReportParts): SimulationReport {
  const { scenario, tally } = parts
  const all = Array.from({ length: tally.length }, (_, row) => row)
  const used = priorities.filter((_, rank) => all.some((row) => tally.priority(row) === rank))
  const clients = goodputs(tally, all, scenario.clients ?? 1)
  return {
    scenario: scenario.name,
    seed: parts.seed,
    endedAtMs: parts.endedAtMs,
    ...figures(tally, all),
    phases: (scenario.phases ?? []).map((phase) => ({ ...phase, ...figures(tally, between(tally, all, phase.fromMs, phase.toMs)) })),
    byPriority: Object.fromEntries(
      used.map((name) => [
        name,
        figures(
          tally,
          all.filter((row) => priorities[tally.priority(row)] === name),
        ),
      ]),
    ),
    clients,
    fairness: jain(clients),
    bins: parts.snapshots.map((snapshot, index) => {
      const fromMs = index * parts.binMs
      return bin(tally, between(tally, all, fromMs, fromMs + parts.binMs), fromMs, snapshot)
    }),
    dependencies: parts.dependencies,
  }
}

/** The value below which a share of sorted values lies (nearest rank). */
function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

/** Jain, Chiu, Hawe: A quantitative measure of fairness, 1984. */
function jain(shares: readonly number[]): number {
  const sum = total(shares, (share) => share)
  const squares = total(shares, (share) => share * share)
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares)
}

/** Rows are in the order of arrival. */
function between(tally: Tally, rows: readonly number[], fromMs: number, toMs: number): readonly number[] {
  return rows.slice(firstAt(tally, rows, fromMs), firstAt(tally, rows, toMs))
}

function firstAt(tally: Tally, rows: readonly number[], atMs: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (tally.arrivedAt(rows[middle] as number) < atMs) low = middle + 1
    else high = middle
  }
  return low
}

function countOutcomes(tally: Tally, rows: readonly number[]): Record<RequestOutcome, number> {
  const counts = Object.fromEntries(requestOutcomes.map((outcome) => [outcome, 0])) as Record<RequestOutcome, number>
  for (const row of rows) counts[tally.outcome(row)]++
  return counts
}

function figures(tally: Tally, rows: readonly number[]): RequestFigures {
  const outcomes = countOutcomes(tally, rows)
  const offered = rows.length
  return {
    offered,
    outcomes,
    goodput: offered === 0 ? 1 : outcomes.answered / offered,
    attemptsPerRequest: offered === 0 ? 0 : total(rows, (row) => tally.attempts(row)) / offered,
    refusals: total(rows, (row) => tally.refusalsOf(row)),
    refusalsBelowCapacity: total(rows, (row) => tally.falseRefusalsOf(row)),
    latency: latencyFigures(sortedLatencies(tally, rows)),
    meanEndMs: offered === outcomes.unfinished ? null : total(rows, (row) => tally.latency(row)) / (offered - outcomes.unfinished),
  }
}

function sortedLatencies(tally: Tally, rows: readonly number[]): Float64Array {
  return Float64Array.from(
    rows.filter((row) => tally.isAnswered(row)),
    (row) => tally.latency(row),
  ).toSorted()
}

function latencyFigures(sorted: Float64Array): LatencyFigures | null {
  if (sorted.length === 0) return null
  return {
    meanMs: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1) as number,
  }
}

function bin(tally: Tally, rows: readonly number[], fromMs: number, snapshot: Snapshot): TimeBin {
  const { answered, substituted, failed, refused, timedOut } = countOutcomes(tally, rows)
  const sorted = sortedLatencies(tally, rows)
  return {
    fromMs,
    offered: rows.length,
    answered,
    substituted,
    failed,
    refused,
    timedOut,
    attempts: total(rows, (row) => tally.attempts(row)),
    p50Ms: sorted.length === 0 ? null : quantile(sorted, 0.5),
    ...snapshot,
  }
}

function goodputs(tally: Tally, rows: readonly number[], clients: number): readonly number[] {
  const offered = new Float64Array(clients)
  const answered = new Float64Array(clients)
  for (const row of rows) {
    const client = tally.client(row)
    offered[client]!++
    if (tally.isAnswered(row)) answered[client]!++
  }
  return Array.from(offered, (count, client) => (count === 0 ? 1 : (answered[client] as number) / count))
}

function total(numbers: readonly number[], of: (one: number) => number): number {
  let sum = 0
  for (const one of numbers) sum += of(one)
  return sum
}
