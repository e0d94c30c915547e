import { clampLimit, initialLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'
import { SampleWindow } from '../sample-window.ts'

const longWindow = 600
const warmUp = 10

/** Gradient2 of Netflix's concurrency-limits: the limit follows the ratio of the long-term latency to that of the last second. */
export class Gradient2Limit implements ConcurrencyAlgorithm {
  private current = initialLimit
  private longMs = 0
  private updates = 0
  private warmUpSum = 0
  private readonly window = new SampleWindow()

  limit(): number {
    return this.current
  }

  ended(sample: CallSample): void {
    const window = this.window.add(sample)
    if (window !== undefined) this.update(window.meanMs, window.maxInFlight)
  }

  private update(shortMs: number, maxInFlight: number): void {
    this.addLong(shortMs)
    if (this.longMs / shortMs > 2) this.longMs *= 0.95
    if (maxInFlight < this.current / 2) return
    const gradient = Math.min(1, Math.max(0.5, (1.5 * this.longMs) / shortMs))
    this.current = clampLimit(0.8 * this.current + 0.2 * (gradient * this.current + 4))
  }

  /** The mean at first, an exponentially weighted one afterwards. */
  private addLong(shortMs: number): void {
    if (this.updates++ < warmUp) {
      this.warmUpSum += shortMs
      this.longMs = this.warmUpSum / this.updates
    } else this.longMs += (2 / (longWindow + 1)) * (shortMs - this.longMs)
  }
}
