import type { Call } from '../core/call.ts'
import { durationMs, type Duration } from '../core/duration.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption } from '../core/options.ts'
import type { CallOptions } from '../core/policy.ts'
import type { Random } from '../core/random.ts'
import { seededRandom } from '../core/random.ts'
import { SimulatedFailure, simulatedAnswer, type DependencyReport, type SimulatedAnswer } from './dependency.ts'
import { Dice } from './dice.ts'
import { SimulatedEvent } from './event-queue.ts'
import { makeReport, type SimulationReport } from './report.ts'
import { Request, type RequestKind, type RequestTarget, type RequestWorld, type SimulatedPipeline } from './request.ts'
import type { Scenario } from './scenario.ts'
import type { PipelineFactory } from './simulate.ts'
import { priorities, Tally } from './tally.ts'
import { checkTraceCall, type TraceCall } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'

export interface ReplayOptions {
  /** How long a caller waits for its answer. @defaultValue Infinity */
  readonly deadline?: Duration
  /** Of the random numbers that the pipeline is given. @defaultValue 1 */
  readonly seed?: number
  /** Length of the bins of the report's time series. @defaultValue '1s' */
  readonly bin?: Duration
  /** How long requests may go on after the last one came. @defaultValue '60s' */
  readonly drain?: Duration
}

/**
 * Lets the requests of a recorded trace come again, at the times at which they came, through a pipeline that was not there then, or was a
 * different one. The first attempt of a request is answered as recorded, and so long after it began; a further attempt as the first recorded
 * call of the same key that began at that time or later, the last one after the end.
 *
 * A trace cannot tell what would have happened to calls that were never made, nor how the dependency would have fared under another load: an
 * outage that retries made longer is as long without them. So a replay shows what callers would have seen; {@link simulate} shows load.
 * @throws HoldfastError `ERR_INVALID_OPTION` for a call that makes no sense.
 * @example `const report = await replay(parseTrace(text), ({ clock }) => circuitBreaker({ clock }), { deadline: '2s' })`
 */
export async function replay(
  trace: readonly TraceCall[],
  makePipeline: PipelineFactory,
  options: ReplayOptions = {},
): Promise<SimulationReport> {
  checkOptionNames('replay', options, ['deadline', 'seed', 'bin', 'drain'])
  functionOption('replay', 'pipeline', makePipeline)
  if (!Array.isArray(trace) || trace.length === 0) throw invalidOption('replay', 'trace', trace, 'a list of at least one call')
  const calls = trace.map((call, index) => checkTraceCall(call, `trace[${index}]`)).toSorted((one, other) => one.atMs - other.atMs)
  const run = new Replay(calls, makePipeline, {
    seed: integerOption('replay', 'seed', options.seed ?? 1, { max: 2 ** 32 - 1 }),
    deadlineMs: durationMs('replay', 'deadline', options.deadline ?? Infinity, { min: 1, allowInfinity: true }),
    binMs: durationMs('replay', 'bin', options.bin ?? '1s', { min: 1 }),
    drainMs: durationMs('replay', 'drain', options.drain ?? '60s'),
  })
  return run.run()
}

interface ReplaySettings {
  readonly seed: number
  readonly deadlineMs: number
  readonly binMs: number
  readonly drainMs: number
}

class Replay implements RequestWorld {
  readonly time = new VirtualTime(Date.UTC(2030, 0, 1))
  readonly tally = new Tally()
  readonly dice: Dice
  private readonly settings: ReplaySettings
  private readonly scenario: Scenario
  private readonly target: RecordedDependency
  private readonly pipeline: SimulatedPipeline
  private pending = 0

  constructor(calls: readonly TraceCall[], makePipeline: PipelineFactory, settings: ReplaySettings) {
    this.settings = settings
    this.dice = new Dice(settings.seed)
    this.scenario = {
      name: 'trace',
      title: `${calls.length} recorded calls`,
      durationMs: (calls.at(-1) as TraceCall).atMs,
      load: { rate: 0 },
      dependency: { workers: Infinity, service: { kind: 'constant', ms: 0 } },
    }
    this.target = new RecordedDependency(calls, this.time)
    const random = seededRandom(settings.seed)
    this.pipeline = makePipeline({ clock: this.time, random, client: 0, scenario: this.scenario, busyRatio: () => 0 })
    const kind: RequestKind = { deadlineMs: settings.deadlineMs, retries: 0, retryDelay: undefined }
    this.time.schedule(new NextCall(this.time, calls, (call) => this.begin(call, kind)), 0)
  }

  async run(): Promise<SimulationReport> {
    const { durationMs: end } = this.scenario
    const { binMs } = this.settings
    const snapshots = []
    for (let bin = 1; snapshots.length * binMs <= end; bin++) {
      await this.time.run(Math.min(bin * binMs, end))
      snapshots.push({ inFlight: this.target.inFlight, queued: 0, watched: null })
    }
    if (this.pending > 0) await this.time.run(end + this.settings.drainMs, () => this.pending === 0)
    this.pipeline.dispose?.()
    return makeReport({
      scenario: this.scenario,
      seed: this.settings.seed,
      endedAtMs: this.time.now(),
      tally: this.tally,
      binMs,
      snapshots,
      dependencies: [this.target.report()],
    })
  }

  attempted(): void {
    // the target counts
  }

  ended(): void {
    this.pending--
  }

  private begin({ key, priority = 'normal' }: TraceCall, kind: RequestKind): void {
    const row = this.tally.add(this.time.now(), 0, priorities.indexOf(priority))
    this.pending++
    const options: CallOptions | undefined = key === undefined && priority === 'normal' ? undefined : { key, priority }
    new Request(row, this, kind, this.pipeline, this.target, options).try()
  }
}

/** Lets recorded calls come one after another. */
class NextCall extends SimulatedEvent {
  private readonly time: VirtualTime
  private readonly calls: readonly TraceCall[]
  private readonly begin: (call: TraceCall) => void
  private index = -1

  constructor(time: VirtualTime, calls: readonly TraceCall[], begin: (call: TraceCall) => void) {
    super()
    this.time = time
    this.calls = calls
    this.begin = begin
  }

  fire(): void {
    const call = this.calls[this.index++]
    const next = this.calls[this.index]
    if (next !== undefined) this.time.schedule(this, next.atMs)
    if (call !== undefined) this.begin(call)
  }
}

/** Answers as the trace says. */
class RecordedDependency implements RequestTarget {
  inFlight = 0
  private readonly calls: readonly TraceCall[]
  private readonly byKey = new Map<string | undefined, TraceCall[]>()
  private readonly time: VirtualTime
  private readonly failures = new Map<number, SimulatedFailure>()
  private readonly count = { calls: 0, answered: 0, failed: 0, maxInFlight: 0 }
  private flightArea = 0
  private countedAt = 0
  private endedTimeMs = 0

  constructor(calls: readonly TraceCall[], time: VirtualTime) {
    this.calls = calls
    this.time = time
    for (const call of calls) {
      const alike = this.byKey.get(call.key)
      if (alike === undefined) this.byKey.set(call.key, [call])
      else alike.push(call)
    }
  }

  couldTake(row: number): boolean {
    return (this.calls[row] as TraceCall).ok
  }

  call(_call: Call, _random: Random, row: number, attempt: number): Promise<SimulatedAnswer> {
    const own = this.calls[row] as TraceCall
    const recorded = attempt === 1 ? own : this.atThisTime(own.key)
    this.account()
    this.count.calls++
    this.count.maxInFlight = Math.max(this.count.maxInFlight, ++this.inFlight)
    return new Promise((resolve, reject) => {
      this.time.setTimer(() => {
        this.account()
        this.inFlight--
        this.endedTimeMs += recorded.durationMs
        this.count[recorded.ok ? 'answered' : 'failed']++
        if (recorded.ok) resolve(simulatedAnswer)
        else reject(this.failure(recorded.status ?? 500))
      }, recorded.durationMs)
    })
  }

  report(): DependencyReport {
    this.account()
    const ended = this.count.calls - this.inFlight
    const now = this.time.now()
    return {
      ...this.count,
      turnedAway: 0,
      stopped: 0,
      unended: this.inFlight,
      meanInFlight: now === 0 ? 0 : this.flightArea / now,
      meanTimeMs: ended === 0 ? null : this.endedTimeMs / ended,
      utilisation: null,
    }
  }

  /** The first recorded call with this key from now on, else the last one. */
  private atThisTime(key: string | undefined): TraceCall {
    const alike = this.byKey.get(key) as TraceCall[]
    const now = this.time.now()
    let low = 0
    let high = alike.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((alike[middle] as TraceCall).atMs < now) low = middle + 1
      else high = middle
    }
    return alike[low] as TraceCall
  }

  private failure(status: number): SimulatedFailure {
    let made = this.failures.get(status)
    if (made === undefined) this.failures.set(status, (made = new SimulatedFailure(status, `the recorded call failed with ${status}`)))
    return made
  }

  private account(): void {
    const now = this.time.now()
    this.flightArea += this.inFlight * (now - this.countedAt)
    this.countedAt = now
  }
}
