import { clampLimit, initialLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'

/** Additive increase, multiplicative decrease, as in Netflix's concurrency-limits: a call that failed or took too long costs a tenth. */
export class AimdLimit implements ConcurrencyAlgorithm {
  private current = initialLimit
  private readonly timeoutMs: number

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  limit(): number {
    return this.current
  }

  ended({ rttMs, inFlight, dropped }: CallSample): void {
    if (dropped || rttMs > this.timeoutMs) this.current = clampLimit(Math.floor(0.9 * this.current))
    else if (2 * inFlight >= this.current) this.current = clampLimit(this.current + 1)
  }
}
