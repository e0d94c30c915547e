import type { Clock } from '../core/clock.ts'
import { durationMs, type Duration } from '../core/duration.ts'
import { checkOptionNames, choiceOption, functionOption, integerOption, invalidOption, nameOption } from '../core/options.ts'
import { pipeline as pipelineOf } from '../core/pipeline.ts'
import { policy } from '../core/custom-policy.ts'
import type { CallOptions } from '../core/policy.ts'
import { seededRandom, type Random } from '../core/random.ts'
import { Arrivals } from './arrivals.ts'
import { Dependency } from './dependency.ts'
import { Dice } from './dice.ts'
import { checkDistribution } from './distribution.ts'
import { SimulatedEvent } from './event-queue.ts'
import { makeReport, type SimulationReport, type Snapshot } from './report.ts'
import { Request, whereFrom, type RequestKind, type RequestWorld, type SimulatedPipeline } from './request.ts'
import type { Scenario, SimulatedLoad } from './scenario.ts'
import { priorities, Tally, type RequestOutcome } from './tally.ts'
import { VirtualTime } from './virtual-time.ts'

/** What a pipeline is made of in a simulation: hand the clock and the random numbers to every policy. */
export interface SimulatedWorld {
  readonly clock: Clock
  readonly random: Random
  /** Which of the scenario's clients the pipeline belongs to, from 0. */
  readonly client: number
  readonly scenario: Scenario
  /** Share of the dependency's workers that are busy now, as a gauge of its processors would show it; 0 for any number of workers. */
  readonly busyRatio: () => number
}

/** Makes the pipeline of one client; nothing of it may be left over from another simulation. */
export type PipelineFactory = (world: SimulatedWorld) => SimulatedPipeline

export type SimulationEvent =
  | { readonly type: 'request.arrived'; readonly atMs: number; readonly request: number; readonly client: number }
  | { readonly type: 'request.attempted'; readonly atMs: number; readonly request: number; readonly attempt: number }
  | { readonly type: 'request.ended'; readonly atMs: number; readonly request: number; readonly outcome: RequestOutcome }

export interface SimulateOptions {
  /** The same seed brings the same requests, the same work and the same faults, whatever the pipeline. @defaultValue 1 */
  readonly seed?: number
  /** Length of the bins of the report's time series. @defaultValue '1s' */
  readonly bin?: Duration
  /** How long requests may go on after the last one came. @defaultValue '60s' */
  readonly drain?: Duration
  /** A figure to be followed, asked at the end of each bin: the limit of a limiter, say. */
  readonly watch?: (pipelines: readonly SimulatedPipeline[]) => number
  /** Hears everything that happens, in order. */
  readonly onEvent?: (event: SimulationEvent) => void
}

/** A clock that starts here has a wall time that is told from a real one at a glance: 2030-01-01T00:00:00Z. */
const wallStartMs = Date.UTC(2030, 0, 1)

/**
 * Puts a pipeline into a scenario and says what would have happened. The pipeline is real: its policies run as in production, only on
 * simulated time. Minutes pass in seconds, and the same seed gives the same events to the last one. Neither the pipeline's own functions nor
 * listeners may wait for anything real (timers, files, sockets).
 * @param makePipeline Absent, callers call the dependency directly.
 * @throws HoldfastError `ERR_INVALID_OPTION` for a scenario that makes no sense; whatever a timer of the pipeline throws.
 * @example `const report = await simulate(outage, ({ clock, random }) => circuitBreaker({ clock, random }))`
 */
export async function simulate(
  scenario: Scenario,
  makePipeline: PipelineFactory = unprotected,
  options: SimulateOptions = {},
): Promise<SimulationReport> {
  checkOptionNames('simulate', options, ['seed', 'bin', 'drain', 'watch', 'onEvent'])
  functionOption('simulate', 'pipeline', makePipeline)
  functionOption('simulate', 'watch', options.watch)
  functionOption('simulate', 'onEvent', options.onEvent)
  const settings: RunSettings = {
    seed: integerOption('simulate', 'seed', options.seed ?? 1, { max: 2 ** 32 - 1 }),
    binMs: durationMs('simulate', 'bin', options.bin ?? '1s', { min: 1 }),
    drainMs: durationMs('simulate', 'drain', options.drain ?? '60s'),
    watch: options.watch,
    onEvent: options.onEvent,
  }
  return new Simulation(checkScenario(scenario), makePipeline, settings).run()
}

const unprotected: PipelineFactory = ({ clock }) =>
  pipelineOf(policy({ name: 'unprotected', clock, parts: { kind: 'flow', start: (next, call, out) => next.start(call, out) } }))

interface RunSettings {
  readonly seed: number
  readonly binMs: number
  readonly drainMs: number
  readonly watch: ((pipelines: readonly SimulatedPipeline[]) => number) | undefined
  readonly onEvent: ((event: SimulationEvent) => void) | undefined
}

class Simulation implements RequestWorld {
  readonly time = new VirtualTime(wallStartMs)
  readonly tally = new Tally()
  readonly dice: Dice
  private readonly scenario: Scenario
  private readonly settings: RunSettings
  private readonly pipelines: readonly SimulatedPipeline[]
  private readonly dependencies: readonly Dependency[]
  private readonly snapshots: Snapshot[] = []
  private pending = 0

  constructor(scenario: Scenario, makePipeline: PipelineFactory, settings: RunSettings) {
    this.scenario = scenario
    this.settings = settings
    this.dice = new Dice(settings.seed)
    const owner = scenario.name
    this.dependencies = listOf(scenario.dependency).map((model) => new Dependency(owner, model, this.time))
    this.pipelines = Array.from({ length: scenario.clients ?? 1 }, (_, client) =>
      makePipeline({ clock: this.time, random: streamOf(settings.seed, 1, client), client, scenario, busyRatio: () => this.busyRatio() }),
    )
    for (const [index, load] of listOf(scenario.load).entries()) this.generate(load, index)
    const snapshots = new Every(this.time, settings.binMs, scenario.durationMs, () => this.snapshot())
    snapshots.begin()
  }

  async run(): Promise<SimulationReport> {
    const { durationMs: end } = this.scenario
    await this.time.run(end)
    if (this.pending > 0) await this.time.run(end + this.settings.drainMs, () => this.pending === 0)
    for (const pipeline of this.pipelines) pipeline.dispose?.()
    return makeReport({
      scenario: this.scenario,
      seed: this.settings.seed,
      endedAtMs: this.time.now(),
      tally: this.tally,
      binMs: this.settings.binMs,
      snapshots: this.snapshots,
      dependencies: this.dependencies.map((dependency) => dependency.report()),
    })
  }

  attempted(request: number, attempt: number): void {
    this.settings.onEvent?.({ type: 'request.attempted', atMs: this.time.now(), request, attempt })
  }

  ended(request: number, outcome: RequestOutcome): void {
    this.pending--
    this.settings.onEvent?.({ type: 'request.ended', atMs: this.time.now(), request, outcome })
  }

  private generate(load: SimulatedLoad, index: number): void {
    const owner = this.scenario.name
    const kind = kindOf(owner, load)
    const rank = priorities.indexOf(choiceOption(owner, 'priority', load.priority ?? 'normal', priorities))
    const { clients, dependencies } = { clients: this.pipelines.length, dependencies: this.dependencies }
    const [first, last] = load.clients ?? [0, clients - 1]
    integerOption(owner, 'load.clients[1]', last, { min: integerOption(owner, 'load.clients[0]', first), max: clients - 1 })
    const optionsOf = dependencies.map((_, shard) => callOptions(load, kind, dependencies.length > 1 ? `shard-${shard}` : undefined))
    const arrivals = new Arrivals(owner, load, this.time, this.scenario.durationMs, streamOf(this.settings.seed, 2, index), () => {
      const row = this.tally.length
      this.dice.take(row, whereFrom)
      const client = first + Math.floor(this.dice.roll() * (last - first + 1))
      const shard = Math.floor(this.dice.roll() * dependencies.length)
      this.tally.add(this.time.now(), client, rank)
      this.pending++
      this.settings.onEvent?.({ type: 'request.arrived', atMs: this.time.now(), request: row, client })
      const [pipeline, dependency] = [this.pipelines[client] as SimulatedPipeline, dependencies[shard] as Dependency]
      new Request(row, this, kind, pipeline, dependency, optionsOf[shard]).try()
    })
    arrivals.begin()
  }

  private busyRatio(): number {
    let [busy, workers] = [0, 0]
    for (const dependency of this.dependencies) {
      busy += dependency.busy
      workers += dependency.workers
    }
    return workers === Infinity ? 0 : busy / workers
  }

  private snapshot(): void {
    const sum = (of: (dependency: Dependency) => number): number => this.dependencies.reduce((total, one) => total + of(one), 0)
    this.snapshots.push({
      inFlight: sum(({ inFlight }) => inFlight),
      queued: sum(({ queued }) => queued),
      watched: this.settings.watch?.(this.pipelines) ?? null,
    })
  }
}

/** Does something again and again until the end, the end included. */
class Every extends SimulatedEvent {
  private readonly time: VirtualTime
  private readonly everyMs: number
  private readonly endMs: number
  private readonly run: () => void
  private next: number

  constructor(time: VirtualTime, everyMs: number, endMs: number, run: () => void) {
    super()
    this.time = time
    this.everyMs = everyMs
    this.endMs = endMs
    this.run = run
    this.next = Math.min(everyMs, endMs)
  }

  begin(): void {
    this.time.schedule(this, this.next)
  }

  fire(): void {
    this.run()
    if (this.next >= this.endMs) return
    this.next = Math.min(this.next + this.everyMs, this.endMs)
    this.begin()
  }
}

function checkScenario(scenario: Scenario): Scenario {
  const allowed = ['name', 'title', 'durationMs', 'load', 'dependency', 'clients', 'phases']
  checkOptionNames('scenario', scenario, allowed)
  const name = nameOption('scenario', scenario.name)
  durationMs(name, 'durationMs', scenario.durationMs, { min: 1 })
  integerOption(name, 'clients', scenario.clients ?? 1, { min: 1, max: 65_535 })
  if (listOf(scenario.load).length === 0) throw invalidOption(name, 'load', scenario.load, 'at least one load')
  if (listOf(scenario.dependency).length === 0) throw invalidOption(name, 'dependency', scenario.dependency, 'at least one dependency')
  return scenario
}

function kindOf(owner: string, load: SimulatedLoad): RequestKind {
  const { deadlineMs = Infinity, retryDelay } = load
  if (retryDelay !== undefined) checkDistribution(owner, 'retryDelay', retryDelay)
  return {
    deadlineMs: durationMs(owner, 'deadlineMs', deadlineMs, { min: 1, allowInfinity: true }),
    retries: integerOption(owner, 'retries', load.retries ?? 0, { max: 1_000 }),
    retryDelay,
  }
}

function callOptions(load: SimulatedLoad, kind: RequestKind, key: string | undefined): CallOptions | undefined {
  const deadline = load.passDeadline === true && kind.deadlineMs !== Infinity ? kind.deadlineMs : undefined
  if (deadline === undefined && key === undefined && load.priority === undefined) return undefined
  return { deadline, key, priority: load.priority }
}

/** Streams of chance that have nothing to do with one another. */
function streamOf(seed: number, purpose: number, index: number): Random {
  const dice = new Dice(seed).take(purpose, index)
  return seededRandom(dice.roll() * 2 ** 32)
}

function listOf<T>(one: T | readonly T[]): readonly T[] {
  return Array.isArray(one) ? one : [one as T]
}
