import { logHistogram, type LogHistogram } from '../../core/metrics/log-histogram.ts'

/** Durations after which the older half is forgotten. */
const generation = 500
/** The percentile is computed anew after so many durations: it moves slowly, and looking costs more than a call. */
const refreshEvery = 32

/** A percentile of the last 500 to 1,000 durations, in constant memory. */
export class RecentLatency {
  private readonly share: number
  private current: LogHistogram = newHistogram()
  private previous: LogHistogram | undefined = undefined
  private known: number | undefined = undefined
  private sinceKnown = 0

  constructor(share: number) {
    this.share = share
  }

  /** Durations that count now. */
  get samples(): number {
    return this.current.count + (this.previous === undefined ? 0 : this.previous.count)
  }

  record(durationMs: number): void {
    if (this.current.count >= generation) {
      this.previous = this.current
      this.current = newHistogram()
    }
    this.current.record(durationMs)
    this.sinceKnown++
  }

  /** In ms; undefined without durations. */
  percentile(): number | undefined {
    if (this.known !== undefined && this.sinceKnown < refreshEvery && this.samples >= 2 * refreshEvery) return this.known
    const all = this.current.copy()
    if (this.previous !== undefined) all.merge(this.previous)
    this.known = all.percentile(this.share) ?? undefined
    this.sinceKnown = 0
    return this.known
  }
}

function newHistogram(): LogHistogram {
  return logHistogram({ min: 0.1, max: 3_600_000, relativeError: 0.031 })
}
