import type { LogHistogram } from 'holdfast'
import { latencies } from './tally.ts'

const sliceMs = 15_000
const slices = 4

/** Latencies of whole requests over the last 45 to 60 s, in slices of 15 s that are forgotten one by one. */
export class RecentLatencies {
  private readonly kept: { readonly slice: number; readonly histogram: LogHistogram }[] = []

  record(durationMs: number, now: number): void {
    const slice = Math.floor(now / sliceMs)
    let last = this.kept.at(-1)
    if (last?.slice !== slice) {
      this.forget(now)
      last = { slice, histogram: latencies() }
      this.kept.push(last)
    }
    last.histogram.record(durationMs)
  }

  /** All of them together; undefined without any. */
  histogram(now: number): LogHistogram | undefined {
    this.forget(now)
    const [first, ...others] = this.kept
    if (first === undefined) return undefined
    const all = first.histogram.copy()
    for (const { histogram } of others) all.merge(histogram)
    return all
  }

  private forget(now: number): void {
    const oldest = Math.floor(now / sliceMs) - slices + 1
    while (this.kept.length > 0 && (this.kept[0]?.slice ?? 0) < oldest) this.kept.shift()
  }
}
