import type { ConcurrencyAlgorithm, ConcurrencySample, LimitBounds } from './algorithm.ts'

/** What is left of the limit after a drop. */
const backOffRatio = 0.75

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989; the congestion control of TCP): one place more for every
 * limit's worth of answers while the limit is in use, a quarter less at a drop. It reads drops only, no latency, so it suits
 * services that say when they have enough (429, 503, 529), and services whose latency means nothing: language models.
 */
export class AimdLimit implements ConcurrencyAlgorithm {
  readonly name = 'aimd'
  limit: number
  private readonly bounds: LimitBounds
  /** Drops of calls that started before the last decrease were answered by it. */
  private decreasedAt = -Infinity

  constructor(bounds: LimitBounds) {
    this.bounds = bounds
    this.limit = bounds.initialLimit
  }

  onSample(sample: ConcurrencySample, now: number): void {
    const { minLimit, maxLimit } = this.bounds
    if (sample.dropped) {
      if (sample.startedAt < this.decreasedAt) return
      this.decreasedAt = now
      this.limit = Math.max(minLimit, Math.floor(this.limit) * backOffRatio)
    } else if (sample.inFlight * 2 >= this.limit) {
      this.limit = Math.min(maxLimit, this.limit + 1 / this.limit)
    }
  }
}
