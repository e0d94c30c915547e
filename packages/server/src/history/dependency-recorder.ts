import type { Clock } from 'holdfast'
import type { RequestRecord } from '../gateway/index.ts'
import type { Bucket, RecentFigures, Totals } from '../wire.ts'
import { BucketRing } from './bucket-ring.ts'
import { outcomeOf } from './outcome.ts'
import { RecentLatencies } from './recent-latencies.ts'
import { finestStepMs, resolutions } from './resolutions.ts'
import { StateTimeline } from './state-timeline.ts'
import { Tally } from './tally.ts'
import { TrafficGates } from './traffic-gates.ts'

/** What of a bucket is stored. */
export interface ClosedBucket {
  readonly resolution: number
  readonly number: number
  readonly tally: Tally
  readonly bucket: Bucket
}

const recentBuckets = 60_000 / finestStepMs

/**
 * All that is remembered of one dependency, in bounded memory: at most 110 KB. It outlives changes of the configuration, as long as
 * the dependency keeps its name.
 */
export class DependencyRecorder {
  readonly name: string
  readonly gates: TrafficGates
  readonly timeline = new StateTimeline()
  readonly rings: readonly BucketRing[] = resolutions.map(() => new BucketRing())
  /** Statuses of answers that count as failures; follows the configuration. */
  isFailure: (status: number) => boolean = (status) => status >= 500
  private readonly clock: Clock
  private readonly totalOf: Record<keyof Totals, number> = {
    requests: 0,
    succeeded: 0,
    failed: 0,
    refused: 0,
    fallback: 0,
    cancelled: 0,
    attempts: 0,
    attemptFailures: 0,
  }
  /** What happens in the buckets that have not ended, finest first; a coarse one has what its ended fine ones brought. */
  private readonly open: Tally[] = resolutions.map(() => new Tally())
  private readonly recentLatencies = new RecentLatencies()
  private readonly causeOf: Record<string, number> = {}

  constructor(name: string, clock: Clock) {
    this.name = name
    this.clock = clock
    this.gates = new TrafficGates(clock, {
      levels: (running, queued) => this.raise(running, queued),
      attempt: (failed, durationMs) => this.attempt(failed, durationMs),
    })
  }

  /** A client's request has ended. */
  request(record: RequestRecord): void {
    const outcome = outcomeOf(record, this.isFailure)
    const { counts } = this.finest
    counts.requests++
    counts[outcome]++
    this.totalOf.requests++
    this.totalOf[outcome]++
    if (record.cause !== undefined) this.causeOf[record.cause] = (this.causeOf[record.cause] ?? 0) + 1
    this.recentLatencies.record(record.durationMs, this.clock.now())
  }

  get totals(): Totals {
    return { ...this.totalOf }
  }

  /** Requests the gateway answered by itself or cut short, by cause, since the start of the server. */
  get causes(): Readonly<Record<string, number>> {
    return { ...this.causeOf }
  }

  /**
   * The last minute: the bucket that has not ended, and the eleven before it.
   * @param coveredMs for how much of that minute there has been something to record.
   */
  recent(openNumber: number, coveredMs: number): RecentFigures {
    const [ring] = this.rings as readonly [BucketRing]
    const from = openNumber - recentBuckets + 1
    const [requests, succeeded, cancelled] = (['requests', 'succeeded', 'cancelled'] as const).map(
      (name) => ring.sum(name, from, openNumber) + this.finest.counts[name],
    ) as [number, number, number]
    const judged = requests - cancelled
    const histogram = this.recentLatencies.histogram(this.clock.now())
    const percentile = (share: number): number | null => tenth(histogram?.percentile(share) ?? null)
    return {
      callsPerSecond: Math.round((requests * 100_000) / Math.max(1_000, coveredMs)) / 100,
      successRatio: judged === 0 ? null : Math.round((succeeded * 10_000) / judged) / 10_000,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
    }
  }

  /** The bucket so far, of a resolution. */
  current(resolution: number): Tally {
    const tally = this.open[resolution] as Tally
    return resolution === 0 ? tally : tally.plus(this.finest)
  }

  /** The finest bucket has ended, and with it perhaps coarser ones. Answers those that ended, with what there is to store of them. */
  close(number: number, nextNumber: number): readonly ClosedBucket[] {
    const closed: ClosedBucket[] = []
    const fine = this.finest
    resolutions.forEach(({ stepMs }, resolution) => {
      const tally = this.open[resolution] as Tally
      if (resolution > 0) tally.add(fine)
      const own = Math.floor((number * finestStepMs) / stepMs)
      if (own === Math.floor((nextNumber * finestStepMs) / stepMs)) return
      this.open[resolution] = new Tally()
      const bucket = tally.toBucket()
      this.write(resolution, own, bucket)
      closed.push({ resolution, number: own, tally, bucket })
    })
    // what runs and waits now does so in the next bucket too
    this.raise(this.gates.running, this.gates.queued)
    return closed
  }

  /** Puts a bucket in its place that was stored. */
  write(resolution: number, number: number, bucket: Bucket): void {
    ;(this.rings[resolution] as BucketRing).write(number, bucket)
  }

  /** Adds to a coarse bucket that has not ended what is known of it from before. */
  resume(resolution: number, tally: Tally): void {
    ;(this.open[resolution] as Tally).add(tally)
  }

  /** The clock was set back: what carries later times is forgotten. What the present bucket has counted stays in it. */
  rewind(at: number): void {
    resolutions.forEach(({ stepMs }, resolution) => {
      ;(this.rings[resolution] as BucketRing).cut(Math.floor(at / stepMs))
      if (resolution > 0) this.open[resolution] = new Tally()
    })
    this.timeline.cut(at)
  }

  private get finest(): Tally {
    return this.open[0] as Tally
  }

  private attempt(failed: boolean, durationMs: number): void {
    this.finest.attempt(failed, durationMs)
    this.totalOf.attempts++
    if (failed) this.totalOf.attemptFailures++
  }

  private raise(running: number, queued: number): void {
    const tally = this.finest
    if (running > tally.running) tally.running = running
    if (queued > tally.queued) tally.queued = queued
  }
}

function tenth(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10
}
