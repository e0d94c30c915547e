import type { CallSample } from './concurrency-algorithm.ts'

export interface WindowFigures {
  readonly meanMs: number
  readonly maxInFlight: number
  readonly dropped: boolean
}

const windowMs = 1_000
const minSamples = 10

/** Gathers calls for a second, and until there are ten: the windows of Netflix's concurrency-limits. */
export class SampleWindow {
  private endsAt = 0
  private sum = 0
  private count = 0
  private maxInFlight = 0
  private dropped = false

  /** The figures of a window, once it is complete. */
  add({ endedAt, rttMs, inFlight, dropped }: CallSample): WindowFigures | undefined {
    if (dropped) this.dropped = true
    else {
      this.sum += rttMs
      this.count++
    }
    this.maxInFlight = Math.max(this.maxInFlight, inFlight)
    if (endedAt < this.endsAt || this.count < minSamples) return undefined
    const figures = { meanMs: this.sum / this.count, maxInFlight: this.maxInFlight, dropped: this.dropped }
    this.endsAt = endedAt + windowMs
    this.sum = 0
    this.count = 0
    this.maxInFlight = 0
    this.dropped = false
    return figures
  }
}
