import type { Abortable } from '../core/abort-hub.ts'
import type { Call } from '../core/call.ts'
import { choiceOption, integerOption, invalidOption, numberOption } from '../core/options.ts'
import type { Random } from '../core/random.ts'
import { checkDistribution, sample } from './distribution.ts'
import { SimulatedEvent } from './event-queue.ts'
import { Fifo } from './fifo.ts'
import type { RequestTarget } from './request.ts'
import type { SimulatedDependency } from './scenario.ts'
import { curveOf, type Curve } from './schedule.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What a simulated dependency answers. */
export interface SimulatedAnswer {
  readonly ok: true
  readonly status: 200
  readonly simulated: true
}

export const simulatedAnswer: SimulatedAnswer = Object.freeze({ ok: true, status: 200, simulated: true })

/** What a simulated dependency fails with: 500 failed, 503 had no room in its queue, 504 hung until somebody in between gave up. */
export class SimulatedFailure extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
Object.defineProperty(SimulatedFailure.prototype, 'name', { value: 'SimulatedFailure', configurable: true, writable: true })

/** What a dependency did in the whole simulation. */
export interface DependencyReport {
  readonly calls: number
  readonly answered: number
  readonly failed: number
  /** Calls for which there was no room in the queue. */
  readonly turnedAway: number
  /** Calls that were stopped, because their caller had cancelled them. */
  readonly stopped: number
  /** Calls that had not ended when the simulation did. */
  readonly unended: number
  readonly maxInFlight: number
  /** Calls in flight on average. */
  readonly meanInFlight: number
  /** Time from a call's beginning to its end on average, in ms, of those that ended; null when none did. */
  readonly meanTimeMs: number | null
  /** Share of the workers' time in which they worked; null for a dependency with any number of workers. */
  readonly utilisation: number | null
}

/** A {@link SimulatedDependency} at work. */
export class Dependency implements RequestTarget {
  readonly workers: number
  readonly maxQueued: number
  busy = 0
  inFlight = 0
  private readonly time: VirtualTime
  private readonly model: SimulatedDependency
  private readonly slowdown: Curve
  private readonly failureRatio: Curve
  private readonly hangRatio: Curve
  private readonly addedLatency: Curve
  private readonly stopsOnCancel: 'never' | 'queued' | 'always'
  private readonly line = new Fifo<Job>()
  private readonly failure = new SimulatedFailure(500, 'the simulated dependency failed')
  private readonly noRoom = new SimulatedFailure(503, 'the simulated dependency has no room in its queue')
  private readonly hung = new SimulatedFailure(504, 'the simulated dependency did not answer')
  private pause = 0
  private readonly count = { calls: 0, answered: 0, failed: 0, turnedAway: 0, stopped: 0, maxInFlight: 0 }
  private flightArea = 0
  private busyArea = 0
  private countedAt = 0
  private endedTimeMs = 0

  constructor(owner: string, model: SimulatedDependency, time: VirtualTime) {
    this.time = time
    this.model = model
    this.workers = integerOption(owner, 'workers', model.workers, { min: 1, allowInfinity: true })
    this.maxQueued = integerOption(owner, 'maxQueued', model.maxQueued ?? Infinity, { allowInfinity: true })
    checkDistribution(owner, 'service', model.service)
    if (model.failAfter !== undefined) checkDistribution(owner, 'failAfter', model.failAfter)
    if (model.hangsForMs !== Infinity) numberOption(owner, 'hangsForMs', model.hangsForMs ?? 0)
    this.slowdown = curveOf(owner, 'slowdown', model.slowdown ?? 1)
    this.failureRatio = curveOf(owner, 'failureRatio', model.failureRatio ?? 0)
    this.hangRatio = curveOf(owner, 'hangRatio', model.hangRatio ?? 0)
    this.addedLatency = curveOf(owner, 'addedLatencyMs', model.addedLatencyMs ?? 0)
    this.stopsOnCancel = choiceOption(owner, 'stopsOnCancel', model.stopsOnCancel ?? 'never', ['never', 'queued', 'always'])
    checkPauses(owner, model.pauses ?? [])
  }

  get queued(): number {
    return this.line.length
  }

  couldTake(): boolean {
    return this.busy < this.workers
  }

  /** Does one call's work. The numbers of `random` decide how long it takes and how it ends. */
  call(call: Call, random: Random): Promise<SimulatedAnswer> {
    return new Promise((resolve, reject) => {
      const now = this.time.now()
      this.account(now)
      this.count.calls++
      if (++this.inFlight > this.count.maxInFlight) this.count.maxInFlight = this.inFlight
      const job = new Job(this, now, this.addedLatency.at(now), resolve, reject)
      const lot = random()
      const hangs = this.hangRatio.at(now)
      if (lot < hangs) this.hang(job, now)
      else {
        const fails = lot < hangs + (1 - hangs) * this.failureRatio.at(now)
        if (fails) job.failure = this.failure
        if (fails && this.model.failAfter !== undefined) job.wait('answering', now + sample(this.model.failAfter, random) + job.latencyMs)
        else this.enter(job, sample(this.model.service, random), now)
      }
      if (this.stopsOnCancel !== 'never') call.onCancel(job)
    })
  }

  schedule(job: Job, at: number): void {
    if (at !== Infinity) this.time.schedule(job, at)
  }

  /** A worker is done with a job. */
  workDone(job: Job): void {
    this.account(this.time.now())
    this.freeWorker()
    if (job.latencyMs > 0) job.wait('answering', this.time.now() + job.latencyMs)
    else this.end(job)
  }

  end(job: Job): void {
    this.leave(job)
    if (job.failure === undefined) {
      this.count.answered++
      job.resolve(simulatedAnswer)
      return
    }
    if (job.failure === this.noRoom) this.count.turnedAway++
    else this.count.failed++
    job.reject(job.failure)
  }

  cancelled(job: Job, reason: unknown): void {
    if (job.phase === 'ended') return
    if (this.stopsOnCancel === 'queued' && job.phase !== 'queued') return
    const { phase } = job
    this.leave(job)
    this.time.cancel(job)
    if (phase === 'queued') this.line.remove(job)
    if (phase === 'working') this.freeWorker()
    this.count.stopped++
    job.reject(reason)
  }

  report(): DependencyReport {
    const now = this.time.now()
    this.account(now)
    const { calls, maxInFlight, ...ends } = this.count
    const ended = calls - this.inFlight
    return {
      calls,
      ...ends,
      unended: this.inFlight,
      maxInFlight,
      meanInFlight: now === 0 ? 0 : this.flightArea / now,
      meanTimeMs: ended === 0 ? null : this.endedTimeMs / ended,
      utilisation: this.workers === Infinity || now === 0 ? null : this.busyArea / (now * this.workers),
    }
  }

  private hang(job: Job, now: number): void {
    job.failure = this.hung
    job.wait('answering', now + (this.model.hangsForMs ?? Infinity))
  }

  private enter(job: Job, workMs: number, now: number): void {
    job.workMs = workMs
    if (this.busy < this.workers) this.begin(job, now)
    else if (this.line.length < this.maxQueued) {
      job.phase = 'queued'
      this.line.push(job)
    } else {
      job.failure = this.noRoom
      job.wait('answering', now + job.latencyMs)
    }
  }

  private begin(job: Job, now: number): void {
    this.busy++
    job.wait('working', this.afterWork(now, job.workMs * this.slowdown.at(now)))
  }

  private freeWorker(): void {
    this.busy--
    const next = this.line.shift()
    if (next !== undefined) this.begin(next, this.time.now())
  }

  /** When work that begins now is done: in a pause it stands still. */
  private afterWork(now: number, workMs: number): number {
    const pauses = this.model.pauses
    if (pauses === undefined) return now + workMs
    while (this.pause < pauses.length && pauses[this.pause]!.toMs <= now) this.pause++
    let end = now + workMs
    for (let index = this.pause; index < pauses.length && pauses[index]!.fromMs < end; index++) {
      end += pauses[index]!.toMs - Math.max(now, pauses[index]!.fromMs)
    }
    return end
  }

  private leave(job: Job): void {
    const now = this.time.now()
    this.account(now)
    this.inFlight--
    this.endedTimeMs += now - job.beganAt
    job.phase = 'ended'
  }

  private account(now: number): void {
    this.flightArea += this.inFlight * (now - this.countedAt)
    this.busyArea += this.busy * (now - this.countedAt)
    this.countedAt = now
  }
}

/** One call at the dependency. */
class Job extends SimulatedEvent implements Abortable {
  phase: 'queued' | 'working' | 'answering' | 'ended' = 'answering'
  workMs = 0
  failure: SimulatedFailure | undefined = undefined
  private readonly dependency: Dependency
  readonly beganAt: number
  readonly latencyMs: number
  readonly resolve: (value: SimulatedAnswer) => void
  readonly reject: (error: unknown) => void

  constructor(
    dependency: Dependency,
    beganAt: number,
    latencyMs: number,
    resolve: (value: SimulatedAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super()
    this.dependency = dependency
    this.beganAt = beganAt
    this.latencyMs = latencyMs
    this.resolve = resolve
    this.reject = reject
  }

  wait(phase: 'working' | 'answering', untilMs: number): void {
    this.phase = phase
    this.dependency.schedule(this, untilMs)
  }

  fire(): void {
    if (this.phase === 'working') this.dependency.workDone(this)
    else this.dependency.end(this)
  }

  cancel(reason: unknown): void {
    this.dependency.cancelled(this, reason)
  }
}

function checkPauses(owner: string, pauses: readonly { readonly fromMs: number; readonly toMs: number }[]): void {
  let last = 0
  for (const [index, { fromMs, toMs }] of pauses.entries()) {
    numberOption(owner, `pauses[${index}].fromMs`, fromMs, { min: last })
    if (!(toMs > fromMs)) throw invalidOption(owner, `pauses[${index}].toMs`, toMs, `more than ${fromMs}`)
    last = toMs
  }
}
