/**
 * The instants of the last n failures: tells exactly whether n of them lie within a window, and costs a success nothing.
 */
export class FailureTimes {
  private readonly times: Float64Array
  private readonly windowMs: number
  /** Of the oldest instant, which the next one replaces. */
  private position = 0

  constructor(count: number, windowMs: number) {
    this.times = new Float64Array(count).fill(-Infinity)
    this.windowMs = windowMs
  }

  record(now: number): void {
    this.times[this.position] = now
    this.position = this.position + 1 === this.times.length ? 0 : this.position + 1
  }

  /** Whether all n failures are younger than the window at `now`. */
  areAllWithin(now: number): boolean {
    return now - (this.times[this.position] as number) < this.windowMs
  }

  /** Failures, n at most, that are younger than the window at `now`. */
  countAt(now: number): number {
    let count = 0
    for (const time of this.times) if (now - time < this.windowMs) count++
    return count
  }

  /** Remembers the latest of what another one does. */
  take({ times, position }: FailureTimes): void {
    for (let age = Math.min(times.length, this.times.length); age > 0; age--) {
      this.record(times[(position - age + times.length) % times.length] as number)
    }
  }

  clear(): void {
    this.times.fill(-Infinity)
    this.position = 0
  }
}
