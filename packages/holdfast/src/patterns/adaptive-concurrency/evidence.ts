import type { SampleWindow } from './sample-window.ts'

/** Weight that older comparisons keep at each new one. */
const memory = 0.6

/** The latency response over several comparisons: regression through the origin of log latency on log concurrency, old ones fading. */
export class ResponseEvidence {
  private product = 0
  private square = 0
  private lastSquare = 0

  add(low: SampleWindow, high: SampleWindow): void {
    const change = Math.log(high.meanInFlight / low.meanInFlight)
    if (!(change > 0.02)) return
    const response = high.meanLogRtt - low.meanLogRtt
    this.lastSquare = change * change
    // one wild window must not outweigh all others
    this.product = this.product * memory + change * Math.max(-0.5 * change, Math.min(1.5 * change, response))
    this.square = this.square * memory + this.lastSquare
  }

  clear(): void {
    this.product = 0
    this.square = 0
    this.lastSquare = 0
  }

  /** Between 0, throughput follows concurrency, and 1, only the queue does; undefined without any. */
  get response(): number | undefined {
    return this.square === 0 ? undefined : this.product / this.square
  }

  /** How many comparisons it rests on, in terms of the newest: 1 for the first, 2.5 in the long run. */
  get comparisons(): number {
    return this.lastSquare === 0 ? 0 : this.square / this.lastSquare
  }

  /** 0..1: 1 in the long run. */
  get confidence(): number {
    return Math.min(1, this.comparisons * (1 - memory))
  }
}
