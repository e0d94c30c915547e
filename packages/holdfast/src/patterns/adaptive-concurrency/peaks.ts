const mostPeaks = 64

/** The most calls in flight over a recent time. Bounded: later windows that saw less are merged with those before them. */
export class RecentPeaks {
  private readonly times: number[] = []
  private readonly values: number[] = []

  /** Notes the peak of a window that ends now, and forgets what is older than `keepMs`. */
  add(now: number, peak: number, keepMs: number): void {
    const { times, values } = this
    // what came earlier and was lower can never be the highest again
    while (values.length > 0 && (values.at(-1) as number) <= peak) {
      values.pop()
      times.pop()
    }
    if (values.length === mostPeaks) {
      times[mostPeaks - 1] = now
    } else {
      values.push(peak)
      times.push(now)
    }
    while (times.length > 1 && now - (times[0] as number) > keepMs) {
      times.shift()
      values.shift()
    }
  }

  get highest(): number {
    return this.values[0] ?? 0
  }

  clear(): void {
    this.times.length = 0
    this.values.length = 0
  }
}
