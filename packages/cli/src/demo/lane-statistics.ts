import { logHistogram, type LogHistogram } from 'holdfast'
import { failureReasons, type FailureReason } from './failure-reason.ts'
import { percentileOf } from './percentile-of.ts'

/** How tasks ended. A task whose user waits is in none of them yet. */
export interface LaneCounts {
  readonly arrived: number
  /** Done while the user waited. */
  readonly finished: number
  /** Of the finished ones, those where something stood in for a dependency. */
  readonly degraded: number
  /** Failed while the user waited. */
  readonly failed: number
  /** Neither when the user's patience ended. */
  readonly late: number
  /** Not begun, since the lane had no place for one more. */
  readonly dropped: number
}

export interface LaneFigures extends LaneCounts {
  /** finished / (finished + failed + late + dropped); null while nothing has ended. */
  readonly successRatio: number | null
  /** Latency of finished tasks; null when there are none. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

/** One second of a lane. */
export interface LanePoint extends LaneCounts {
  /** Epoch ms of the second's end. */
  readonly at: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** At the second's end: tasks whose users wait. */
  readonly waiting: number
  /** At the second's end: tasks that still run although their users have left. */
  readonly abandoned: number
  /** Requests that reached the model. */
  readonly llmRequests: number
}

/** What became of the tasks that arrived in one phase of the script, in all its rounds. */
export interface PhaseCounts extends LaneCounts {
  readonly phase: string
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const emptyCounts: LaneCounts = { arrived: 0, finished: 0, degraded: 0, failed: 0, late: 0, dropped: 0 }
const recentSeconds = 10
const historySeconds = 120

/** A lane's figures: since the start, of the last seconds, and second by second. Memory does not grow with time. */
export class LaneStatistics {
  private readonly counts: Mutable<LaneCounts> = { ...emptyCounts }
  private readonly reasons = Object.fromEntries(failureReasons.map((reason) => [reason, 0])) as Record<FailureReason, number>
  private readonly latencies: LogHistogram = logHistogram({ min: 1, max: 600_000, relativeError: 0.01 })
  private readonly phases = new Map<string, Mutable<LaneCounts>>()
  private readonly points: LanePoint[] = []
  private readonly recentLatencies: (readonly number[])[] = []
  private second: Mutable<LaneCounts> = { ...emptyCounts }
  private secondLatencies: number[] = []

  /** `phase` is the one in which the task arrived, here and below. */
  count(event: keyof LaneCounts, phase: string): void {
    this.counts[event]++
    this.second[event]++
    this.countsOf(phase)[event]++
  }

  finish(latencyMs: number, degraded: boolean, phase: string): void {
    this.count('finished', phase)
    if (degraded) this.count('degraded', phase)
    this.latencies.record(latencyMs)
    this.secondLatencies.push(latencyMs)
  }

  fail(reason: FailureReason, phase: string): void {
    this.count('failed', phase)
    this.reasons[reason]++
  }

  /** Ends the second and keeps it. */
  closeSecond(at: number, now: { readonly waiting: number; readonly abandoned: number; readonly llmRequests: number }): void {
    const latencies = this.secondLatencies
    this.points.push({ at, ...this.second, p50Ms: percentileOf(latencies, 0.5), p99Ms: percentileOf(latencies, 0.99), ...now })
    this.recentLatencies.push(latencies)
    if (this.points.length > historySeconds) this.points.shift()
    if (this.recentLatencies.length > recentSeconds) this.recentLatencies.shift()
    this.second = { ...emptyCounts }
    this.secondLatencies = []
  }

  totals(): LaneFigures {
    return figures(this.counts, this.latencies.percentile(0.5), this.latencies.percentile(0.99))
  }

  /** Of the last ten whole seconds. */
  recent(): LaneFigures {
    const counts: Mutable<LaneCounts> = { ...emptyCounts }
    for (const point of this.points.slice(-recentSeconds)) {
      for (const name of Object.keys(counts) as (keyof LaneCounts)[]) counts[name] += point[name]
    }
    const latencies = this.recentLatencies.flat()
    return figures(counts, percentileOf(latencies, 0.5), percentileOf(latencies, 0.99))
  }

  history(): readonly LanePoint[] {
    return [...this.points]
  }

  byPhase(): readonly PhaseCounts[] {
    return [...this.phases].map(([phase, counts]) => ({ phase, ...counts }))
  }

  failures(): Readonly<Record<FailureReason, number>> {
    return { ...this.reasons }
  }

  private countsOf(phase: string): Mutable<LaneCounts> {
    const known = this.phases.get(phase)
    if (known !== undefined) return known
    const counts = { ...emptyCounts }
    this.phases.set(phase, counts)
    return counts
  }
}

function figures(counts: LaneCounts, p50Ms: number | null, p99Ms: number | null): LaneFigures {
  const ended = counts.finished + counts.failed + counts.late + counts.dropped
  return { ...counts, successRatio: ended === 0 ? null : counts.finished / ended, p50Ms, p99Ms }
}
