import type { Random } from 'holdfast'
import { clampLimit, initialLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'
import { SampleWindow } from '../sample-window.ts'

/** After about so many samples, times the limit, the smallest latency is measured anew. */
const probeMultiplier = 30

/**
 * TCP Vegas (Brakmo, Peterson, 1995) on calls, as in Netflix's concurrency-limits: keeps the queue that it estimates from the latency
 * between two bounds. A sample is a call.
 */
export class VegasLimit implements ConcurrencyAlgorithm {
  private current = initialLimit
  private baseMs = 0
  private samples = 0
  private jitter: number
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.jitter = 0.5 + 0.5 * random()
  }

  limit(): number {
    return this.current
  }

  ended({ rttMs, inFlight, dropped }: CallSample): void {
    this.sample(rttMs, inFlight, dropped)
  }

  sample(rttMs: number, inFlight: number, dropped: boolean): void {
    if (++this.samples >= this.jitter * probeMultiplier * this.current) {
      this.samples = 0
      this.jitter = 0.5 + 0.5 * this.random()
      this.baseMs = rttMs
    } else if (this.baseMs === 0 || rttMs < this.baseMs) this.baseMs = rttMs
    else this.update(rttMs, inFlight, dropped)
  }

  private update(rttMs: number, inFlight: number, dropped: boolean): void {
    const step = Math.max(1, Math.floor(Math.log10(this.current)))
    const queue = Math.ceil(this.current * (1 - this.baseMs / rttMs))
    if (dropped) this.current = clampLimit(this.current - step)
    else if (2 * inFlight >= this.current) {
      if (queue <= step) this.current = clampLimit(this.current + 6 * step)
      else if (queue < 3 * step) this.current = clampLimit(this.current + step)
      else if (queue > 6 * step) this.current = clampLimit(this.current - step)
    }
  }
}

/** The same on windows of a second: a sample is the mean of one. */
export class WindowedVegasLimit implements ConcurrencyAlgorithm {
  private readonly vegas: VegasLimit
  private readonly window = new SampleWindow()

  constructor(random: Random) {
    this.vegas = new VegasLimit(random)
  }

  limit(): number {
    return this.vegas.limit()
  }

  ended(call: CallSample): void {
    const window = this.window.add(call)
    if (window !== undefined) this.vegas.sample(window.meanMs, window.maxInFlight, window.dropped)
  }
}
