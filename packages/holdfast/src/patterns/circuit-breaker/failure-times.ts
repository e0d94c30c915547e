/**
 * The instants of the last n failures: tells exactly whether n of them lie within a window, and costs a success nothing.
 */
export class FailureTimes {
  private readonly times: Float64Array
  private readonly windowMs: number
  private position = 0

  constructor(count: number, windowMs: number) {
    this.times = new Float64Array(count).fill(-Infinity)
    this.windowMs = windowMs
  }

  /** Remembers a failure; answers whether the last n failures lie within the window. */
  record(now: number): boolean {
    const { times } = this
    times[this.position] = now
    this.position = this.position + 1 === times.length ? 0 : this.position + 1
    return now - (times[this.position] as number) < this.windowMs
  }

  /** Failures that are younger than the window at `now`. */
  countAt(now: number): number {
    let count = 0
    for (const time of this.times) if (now - time < this.windowMs) count++
    return count
  }

  clear(): void {
    this.times.fill(-Infinity)
    this.position = 0
  }
}
