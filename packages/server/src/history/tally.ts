import { logHistogram, type LogHistogram } from 'holdfast'
import type { Bucket } from '../wire.ts'
import { countNames, type CountName } from './resolutions.ts'

/** Copies share the layout, which costs more to make than the cells. */
const empty = logHistogram({ min: 0.1, max: 3_600_000, relativeError: 0.0625 })

/** Latencies from 0.1 ms to an hour, within 6 %: 1.6 KB. */
export function latencies(): LogHistogram {
  return empty.copy()
}

/** What happens within one stretch of time. Stretches add up: the latencies of all their attempts are one histogram again. */
export class Tally {
  readonly counts: Record<CountName, number> = emptyCounts()
  running = 0
  queued = 0
  /** Of attempts; made when the first one ends. */
  latencies: LogHistogram | undefined = undefined

  get isEmpty(): boolean {
    return this.counts.requests === 0 && this.counts.attempts === 0 && this.running === 0 && this.queued === 0
  }

  attempt(failed: boolean, durationMs: number): void {
    this.counts.attempts++
    if (failed) this.counts.attemptFailures++
    this.latencies ??= latencies()
    this.latencies.record(durationMs)
  }

  add(other: Tally): void {
    for (const name of countNames) this.counts[name] += other.counts[name]
    this.running = Math.max(this.running, other.running)
    this.queued = Math.max(this.queued, other.queued)
    if (other.latencies === undefined) return
    this.latencies ??= latencies()
    this.latencies.merge(other.latencies)
  }

  /** Both together, leaving both as they are. */
  plus(other: Tally): Tally {
    const sum = new Tally()
    sum.add(this)
    sum.add(other)
    return sum
  }

  toBucket(): Bucket {
    const { counts, running, queued } = this
    return { ...counts, p50Ms: this.percentile(0.5), p95Ms: this.percentile(0.95), p99Ms: this.percentile(0.99), running, queued }
  }

  /** To the microsecond. */
  private percentile(share: number): number | null {
    const value = this.latencies?.percentile(share) ?? null
    return value === null ? null : Math.round(value * 1_000) / 1_000
  }
}

function emptyCounts(): Record<CountName, number> {
  return { requests: 0, succeeded: 0, failed: 0, refused: 0, fallback: 0, cancelled: 0, attempts: 0, attemptFailures: 0 }
}
