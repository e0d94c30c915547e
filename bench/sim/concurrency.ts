import { bestPossible, concurrencyScenarios, simulate, type BestPossible, type Scenario, type SimulationReport } from 'holdfast/testing'
import type { Policy } from 'holdfast'
import { contestants, type Contestant } from './contestants.ts'
import { median, ms, percent, table, times } from './figures.ts'

/** What one contestant made of one phase, the median of all seeds. */
interface PhaseResult {
  readonly phase: string
  /** Share of requests answered in time, and as a share of the best possible. */
  readonly goodput: number
  readonly goodputRatio: number
  readonly p50Ms: number
  readonly p50Ratio: number
  readonly p99Ratio: number
  /** Refusals while a worker was free, per request. */
  readonly falseRefusals: number
  /** Ms from the change to the first window with nine tenths of the best; NaN when there is none. */
  readonly recoveryMs: number
  /** Standard deviation of the limit as a share of its mean. */
  readonly variation: number
}

interface ScenarioResult {
  readonly scenario: Scenario
  readonly best: readonly BestPossible[]
  readonly rows: readonly { readonly contestant: Contestant; readonly phases: readonly PhaseResult[]; readonly note: string }[]
}

/** The section on limits of concurrency. */
export async function concurrencySection(seeds: readonly number[], names: readonly string[] | undefined): Promise<readonly string[]> {
  const results: ScenarioResult[] = []
  for (const scenario of concurrencyScenarios) {
    if (names !== undefined && !names.includes(scenario.name)) continue
    results.push(await measure(scenario, seeds))
    console.log(scenarioTable(results.at(-1) as ScenarioResult).join('\n'))
  }
  return [
    '## Limits of concurrency that find their own size',
    '',
    'A server with 16 workers and 40 ms per call, unless the title says otherwise. Limits start at 20, and may be 1 to 1,000. *Best possible* is',
    'what a limiter would reach that sees the workers from inside; its latency is that of the shortest queue which answers 99 % as many.',
    'The published algorithms were written anew from their formulas (bench/sim/algorithms/): a statement about the formulas, not about any product.',
    '"Fixed, ideal" is a limit of 1.25 × the workers: it knows the server, but not what will change. All have their default settings; ours is told',
    'that it has company (`shared: true`) before the twenty clients, and nothing else; AIMD is told how long callers wait.',
    '',
    ...summary(results),
    ...results.flatMap(scenarioTable),
  ]
}

async function measure(scenario: Scenario, seeds: readonly number[]): Promise<ScenarioResult> {
  const bests: (readonly BestPossible[])[] = []
  for (const seed of seeds) bests.push(await bestPossible(scenario, { seed }))
  const rows = []
  for (const contestant of contestants) {
    const reports: SimulationReport[] = []
    const watch = (policies: readonly unknown[]): number => Number((policies[0] as Policy).status().limit ?? Number.NaN)
    for (const seed of seeds) reports.push(await simulate(scenario, contestant.make, { seed, watch }))
    const phases = (scenario.phases ?? []).map((_, index) => phaseResult(scenario, index, reports, bests))
    rows.push({ contestant, phases, note: noteOf(scenario, reports) })
  }
  const best = (bests[0] as readonly BestPossible[]).map((one, index) => ({
    ...one,
    goodput: median(bests.map((list) => list[index]!.goodput)),
    p50Ms: median(bests.map((list) => list[index]!.p50Ms ?? Number.NaN)),
    p99Ms: median(bests.map((list) => list[index]!.p99Ms ?? Number.NaN)),
  }))
  return { scenario, best, rows }
}

function phaseResult(
  scenario: Scenario,
  index: number,
  reports: readonly SimulationReport[],
  bests: readonly (readonly BestPossible[])[],
): PhaseResult {
  const of = (figure: (report: SimulationReport, best: BestPossible) => number): number =>
    median(reports.map((report, seed) => figure(report, bests[seed]![index]!)))
  return {
    phase: scenario.phases![index]!.name,
    goodput: of(({ phases }) => phases[index]!.goodput),
    goodputRatio: of(({ phases }, best) => phases[index]!.goodput / best.goodput),
    p50Ms: of(({ phases }) => phases[index]!.latency?.p50Ms ?? Number.NaN),
    p50Ratio: of(({ phases }, best) => (phases[index]!.latency?.p50Ms ?? Number.NaN) / (best.p50Ms ?? Number.NaN)),
    p99Ratio: of(({ phases }, best) => (phases[index]!.latency?.p99Ms ?? Number.NaN) / (best.p99Ms ?? Number.NaN)),
    falseRefusals: of(({ phases }) => phases[index]!.refusalsBelowCapacity / phases[index]!.offered),
    recoveryMs: of((report, best) => recovery(scenario, index, report, best.goodput)),
    variation: of((report) => limitVariation(scenario, index, report)),
  }
}

/** When the world changes before a phase, in ms: the last step of any schedule that is not after its beginning. */
function changeBefore(scenario: Scenario, fromMs: number): number {
  let change = 0
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const at = (value as { fromMs?: unknown; toMs?: unknown }).toMs === undefined ? (value as { fromMs?: unknown }).fromMs : undefined
    if (typeof at === 'number' && at <= fromMs && at > change) change = at
    for (const inner of Object.values(value)) visit(inner)
  }
  visit([scenario.load, scenario.dependency])
  return change
}

function recovery(scenario: Scenario, index: number, report: SimulationReport, best: number): number {
  const { fromMs, toMs } = scenario.phases![index]!
  const change = changeBefore(scenario, fromMs)
  const width = Math.max(2, Math.round((toMs - change) / 25_000))
  const bins = report.bins.filter((bin) => bin.fromMs >= change && bin.fromMs < toMs)
  for (let first = 0; first + width <= bins.length; first++) {
    const window = bins.slice(first, first + width)
    const offered = window.reduce((sum, bin) => sum + bin.offered, 0)
    const answered = window.reduce((sum, bin) => sum + bin.answered, 0)
    if (answered >= 0.9 * best * offered) return (bins[first] as (typeof bins)[number]).fromMs - change
  }
  return Number.NaN
}

function limitVariation(scenario: Scenario, index: number, report: SimulationReport): number {
  const { fromMs, toMs } = scenario.phases![index]!
  const limits = report.bins.filter((bin) => bin.fromMs >= fromMs && bin.fromMs < toMs).map(({ watched }) => watched ?? Number.NaN)
  const mean = limits.reduce((sum, limit) => sum + limit, 0) / limits.length
  return Math.sqrt(limits.reduce((sum, limit) => sum + (limit - mean) ** 2, 0) / limits.length) / mean
}

function noteOf(scenario: Scenario, reports: readonly SimulationReport[]): string {
  if ((scenario.clients ?? 1) > 1) return median(reports.map(({ fairness }) => fairness)).toFixed(3)
  if (Array.isArray(scenario.load)) return percent(median(reports.map(({ byPriority }) => byPriority.high?.goodput ?? Number.NaN)))
  return ''
}

function noteTitle(scenario: Scenario): readonly string[] {
  if ((scenario.clients ?? 1) > 1) return ["Jain's index"]
  return Array.isArray(scenario.load) ? ['high priority answered %'] : []
}

function summary(results: readonly ScenarioResult[]): readonly string[] {
  const rows = contestants.map((contestant) => {
    const phases = results.flatMap(({ scenario, rows: all }) =>
      all.find((row) => row.contestant === contestant)!.phases.map((phase) => ({ ...phase, place: `${scenario.name}, ${phase.phase}` })),
    )
    const worst = phases.toSorted((one, other) => one.goodputRatio - other.goodputRatio)[0]!
    const slowest = phases.filter(({ p50Ratio }) => !Number.isNaN(p50Ratio)).toSorted((one, other) => other.p50Ratio - one.p50Ratio)[0]!
    return { contestant, worst, slowest, typical: median(phases.map(({ p50Ratio }) => p50Ratio)) }
  })
  return [
    '**Score**: the worst phase decides, by share of the best possible goodput; then the median of the latencies.',
    '',
    ...table(
      ['', 'worst goodput ÷ best', 'in', 'median p50 ÷ best', 'worst p50 ÷ best', 'in'],
      rows
        .toSorted((one, other) => other.worst.goodputRatio - one.worst.goodputRatio || one.typical - other.typical)
        .map(({ contestant, worst, slowest, typical }) => [
          label(contestant),
          worst.goodputRatio.toFixed(3),
          worst.place,
          times(typical),
          times(slowest.p50Ratio),
          slowest.place,
        ]),
    ),
  ]
}

function scenarioTable({ scenario, best, rows }: ScenarioResult): readonly string[] {
  const titles = [
    'answered in time %',
    '÷ best',
    'p50 ms',
    'p50 ÷ best',
    'p99 ÷ best',
    'false refusals %',
    '90 % of best after s',
    'limit varies by %',
  ]
  return [
    `### ${scenario.name}`,
    '',
    `${scenario.title}.`,
    '',
    ...(scenario.phases ?? []).flatMap((phase, index) => [
      `Phase "${phase.name}", ${phase.fromMs / 1_000} s to ${phase.toMs / 1_000} s: best possible ${percent(best[index]!.goodput)} %, ` +
        `p50 ${ms(best[index]!.p50Ms ?? Number.NaN)} ms, p99 ${ms(best[index]!.p99Ms ?? Number.NaN)} ms.`,
      '',
      ...table(
        ['', ...titles, ...noteTitle(scenario)],
        rows.map(({ contestant, phases, note }) => {
          const result = phases[index]!
          const recovered = Number.isNaN(result.recoveryMs) ? 'never' : (result.recoveryMs / 1_000).toFixed(0)
          return [
            label(contestant),
            percent(result.goodput),
            result.goodputRatio.toFixed(3),
            ms(result.p50Ms),
            times(result.p50Ratio),
            times(result.p99Ratio),
            percent(result.falseRefusals),
            recovered,
            percent(result.variation, 0),
            ...(note === '' ? [] : [note]),
          ]
        }),
      ),
    ]),
  ]
}

function label({ name, ours }: Contestant): string {
  return ours === true ? `**${name}**` : name
}
