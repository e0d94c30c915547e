import { circuitBreaker, circuitBreakers, loadShedder, type CircuitBreakerOptions, type Observable } from 'holdfast'
import {
  background,
  deadShard,
  outage,
  partialFailure,
  simulate,
  type PipelineFactory,
  type Scenario,
  type SimulationReport,
} from 'holdfast/testing'
import { median, percent, table } from './figures.ts'
import { sreThrottle } from './sre-throttle.ts'

interface Contestant {
  readonly name: string
  readonly make: PipelineFactory | undefined
}

function breaker(name: string, settings: CircuitBreakerOptions<never>): Contestant {
  return { name, make: ({ clock, random }) => circuitBreaker({ ...settings, clock, random }) }
}

const ratio = { failureRatio: 0.5, minimumCalls: 10, failureWindow: '10s' } as const

const contestants: readonly Contestant[] = [
  { name: 'none', make: undefined },
  breaker('**breaker**, default settings', {}),
  breaker('**breaker**, 5 in a row, open for 10 s', { consecutiveFailures: 5, openFor: '10s' }),
  breaker('**breaker**, half of at least 10 in 10 s, open for 10 s', { ...ratio, openFor: '10s' }),
  breaker('**breaker**, half of the last 100, 10 probes', {
    failureRatio: 0.5,
    windowCalls: 100,
    minimumCalls: 100,
    openFor: '10s',
    halfOpenProbes: 10,
  }),
  breaker('**breaker**, nine of ten in 10 s, open for 0.5 s growing to 5 s', {
    failureRatio: 0.9,
    minimumCalls: 10,
    failureWindow: '10s',
    openFor: '500ms',
    openForFactor: 2,
    maxOpenFor: '5s',
    openForJitter: 0.2,
  }),
  { name: 'SRE throttle, K = 2, 120 s', make: ({ clock, random }) => sreThrottle(2, 120_000, clock, random) },
  { name: 'SRE throttle, K = 2, 10 s', make: ({ clock, random }) => sreThrottle(2, 10_000, clock, random) },
  { name: 'SRE throttle, K = 1.1, 10 s', make: ({ clock, random }) => sreThrottle(1.1, 10_000, clock, random) },
  { name: '**load shedder**, client throttle', make: ({ clock, random }) => loadShedder({ mode: 'client-throttle', clock, random }) },
]

/** One breaker for each shard of a client. */
const keyed: Contestant = {
  name: '**breakers**, one per shard: half of at least 10 in 10 s',
  make: ({ clock, random }) => {
    const registry = circuitBreakers({ ...ratio, openFor: '10s', clock, random })
    return { tryExecute: (run, options) => registry.get(options?.key ?? '').tryExecute(run, options) }
  },
}

/** The section on breakers and throttles. */
export async function breakerSection(seeds: readonly number[]): Promise<readonly string[]> {
  const partial = [0.1, 0.3, 0.5, 0.9]
  const partialRows = await Promise.all(contestants.map(async (one) => [one.name, ...(await partialCells(one, partial, seeds))]))
  const outageRows = await Promise.all(contestants.map(async (one) => [one.name, ...(await outageCells(one, seeds))]))
  const shardRows = await Promise.all([...contestants, keyed].map(async (one) => [one.name, ...(await shardCells(one, seeds))]))
  const backgroundRows = await Promise.all(contestants.slice(1).map(async (one) => [one.name, ...(await backgroundCells(one))]))
  return [
    '## Breakers and throttles',
    '',
    'Twenty processes with ten calls per second each; calls fail by chance, and one failure says nothing about the next. Then a breaker can only',
    'cost answers: *regret* is how many points of success it costs. Its worth is the load that it keeps away from what is down.',
    '',
    '### A share of the calls fails',
    '',
    ...table(['', ...partial.map((share) => `${percent(share, 0)} % fail: success % / regret / load`)], partialRows),
    '### An outage of 30 s',
    '',
    ...table(['', 'load in it', 'load halved after s', 'success % in the first 10 s after it', 'success back at 99 % after s'], outageRows),
    '### One of ten shards is dead',
    '',
    'At best 90 % succeed.',
    '',
    ...table(['', 'success %', 'load'], shardRows),
    '### Nothing is wrong: 5 % of the calls fail',
    '',
    'Circuits opened, or calls refused where there is no circuit, per million calls.',
    '',
    ...table(['', 'at 10 calls per second', 'at 0.1 calls per second'], backgroundRows),
  ]
}

async function reportsOf(scenario: Scenario, { make }: Contestant, seeds: readonly number[]): Promise<readonly SimulationReport[]> {
  const reports: SimulationReport[] = []
  for (const seed of seeds) reports.push(await simulate(scenario, make, { seed, bin: '500ms' }))
  return reports
}

async function partialCells(contestant: Contestant, shares: readonly number[], seeds: readonly number[]): Promise<readonly string[]> {
  const cells: string[] = []
  for (const share of shares) {
    const reports = await reportsOf(partialFailure(share), contestant, seeds)
    const goodput = median(reports.map(({ phases }) => phases[0]!.goodput))
    const load = median(reports.map(({ phases }) => phases[0]!.attemptsPerRequest))
    cells.push(`${percent(goodput)} / ${percent(Math.max(0, 1 - share - goodput))} / ${load.toFixed(2)}`)
  }
  return cells
}

async function outageCells(contestant: Contestant, seeds: readonly number[]): Promise<readonly string[]> {
  const reports = await reportsOf(outage, contestant, seeds)
  const [, during, after] = [0, 1, 2].map((index) => reports.map(({ phases }) => phases[index]!))
  const detected = median(
    reports.map(
      (report) => (report.bins.find((bin) => bin.fromMs >= 20_000 && bin.attempts <= bin.offered / 2)?.fromMs ?? Infinity) - 20_000,
    ),
  )
  const back = median(reports.map(backAt))
  return [
    median(during!.map(({ attemptsPerRequest }) => attemptsPerRequest)).toFixed(2),
    detected <= 30_000 ? (detected / 1_000).toFixed(1) : 'never',
    percent(median(after!.map(({ goodput }) => goodput))),
    back === Infinity ? 'not within 60' : (back / 1_000).toFixed(1),
  ]
}

/** From the end of the outage to the first 5 s in which 99 % succeed. */
function backAt({ bins }: SimulationReport): number {
  const later = bins.filter(({ fromMs }) => fromMs >= 50_000)
  for (let first = 0; first + 10 <= later.length; first++) {
    const window = later.slice(first, first + 10)
    const offered = window.reduce((sum, bin) => sum + bin.offered, 0)
    if (window.reduce((sum, bin) => sum + bin.answered, 0) >= 0.99 * offered) return (later[first]?.fromMs ?? 0) - 50_000
  }
  return Infinity
}

async function shardCells(contestant: Contestant, seeds: readonly number[]): Promise<readonly string[]> {
  const reports = await reportsOf(deadShard, contestant, seeds)
  return [
    percent(median(reports.map(({ phases }) => phases[0]!.goodput))),
    median(reports.map(({ phases }) => phases[0]!.attemptsPerRequest)).toFixed(2),
  ]
}

async function backgroundCells({ make }: Contestant): Promise<readonly string[]> {
  const cells: string[] = []
  for (const rate of [10, 0.1]) {
    let opened = 0
    let isBreaker = false
    const counting: PipelineFactory = (world) => {
      const made = make!(world) as ReturnType<PipelineFactory> & Partial<Observable> & { readonly kind?: string }
      isBreaker = made.kind === 'circuit-breaker'
      made.on?.((event) => (opened += event.type === 'circuit.opened' ? 1 : 0))
      return made
    }
    const { offered, refusals } = await simulate(background(rate), counting, { bin: '60s' })
    cells.push((((isBreaker ? opened : refusals) / offered) * 1e6).toFixed(0))
  }
  return cells
}
