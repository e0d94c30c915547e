/** Up to so many instants have their places from the start; a longer list grows with the failures there really are. */
const placedAtOnce = 16

/**
 * The instants of the last n failures: tells exactly whether n of them lie within a window, and costs a success nothing.
 */
export class FailureTimes {
  private readonly times: number[]
  private readonly count: number
  private readonly windowMs: number
  /** Of the oldest instant, which the next one replaces. */
  private position = 0

  constructor(count: number, windowMs: number) {
    this.count = count
    this.windowMs = windowMs
    this.times = count <= placedAtOnce ? Array.from({ length: count }, () => -Infinity) : []
  }

  record(now: number): void {
    const { times, count } = this
    if (times.length < count) {
      times.push(now)
      return
    }
    times[this.position] = now
    this.position = this.position + 1 === count ? 0 : this.position + 1
  }

  /** Whether all n failures are younger than the window at `now`. */
  areAllWithin(now: number): boolean {
    return this.times.length === this.count && now - (this.times[this.position] as number) < this.windowMs
  }

  /** Failures, n at most, that are younger than the window at `now`. */
  countAt(now: number): number {
    let count = 0
    for (const time of this.times) if (now - time < this.windowMs) count++
    return count
  }

  /** Remembers the latest of what another one does. */
  take({ times, position }: FailureTimes): void {
    for (let age = Math.min(times.length, this.count); age > 0; age--) {
      this.record(times[(position - age + times.length) % times.length] as number)
    }
  }

  clear(): void {
    if (this.count <= placedAtOnce) this.times.fill(-Infinity)
    else this.times.length = 0
    this.position = 0
  }
}
