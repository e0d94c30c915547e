import { clampLimit, initialLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'
import { CorrelationWindow } from '../correlation-window.ts'

const minWindowMs = 1_000
const maxWindowMs = 30_000
const minSamples = 50
const warmUp = 10
/** The limit stays below so many times the calls that were in flight. */
const maxLimitFactor = 5

/** failsafe-go's adaptive limiter, after Uber's Cinnamon: Vegas on a high quantile, checked against how latency answers to concurrency. */
export class FailsafeGoLimit implements ConcurrencyAlgorithm {
  private current = initialLimit
  private nextUpdate = 0
  private rtts: number[] = []
  private maxInFlight = 0
  private quantiles: number[] = []
  private readonly recent = new MovingAverage(5)
  private readonly baseline = new MovingAverage(10)
  private readonly withThroughput = new CorrelationWindow()
  private readonly withLatency = new CorrelationWindow()

  limit(): number {
    return this.current
  }

  ended({ endedAt, rttMs, inFlight, inFlightNow, dropped }: CallSample): void {
    if (!dropped) {
      this.rtts.push(rttMs)
      this.maxInFlight = Math.max(this.maxInFlight, inFlight)
    }
    if (endedAt <= this.nextUpdate || this.rtts.length < minSamples) return
    const sorted = this.rtts.toSorted((one, other) => one - other)
    this.update(sorted[Math.floor(0.9 * sorted.length)] as number, inFlightNow >= Math.floor(this.current))
    this.nextUpdate = endedAt + Math.min(maxWindowMs, Math.max(minWindowMs, 2 * (sorted[0] as number)))
    this.rtts = []
    this.maxInFlight = 0
  }

  private update(p90Ms: number, isFull: boolean): void {
    this.quantiles = [...this.quantiles.slice(-4), p90Ms]
    const recentMs = this.recent.add(this.quantiles.toSorted((one, other) => one - other)[this.quantiles.length >> 1] as number)
    const queue = Math.ceil(this.current * (1 - this.baseline.add(recentMs) / recentMs))
    const throughput = this.withThroughput.add(this.maxInFlight, this.maxInFlight / recentMs)
    const latency = this.withLatency.add(this.maxInFlight, recentMs)
    const climbs = throughput.correlation < 0.3 || throughput.variation < 0.2
    const overloaded = isFull && (throughput.correlation < 0 || (climbs && latency.correlation > 0.5))
    const step = Math.max(1, Math.floor(Math.log10(this.current)))
    let change = 0
    if (queue > 6 * step || overloaded) change = -step
    else if (queue < 3 * step) change = step
    if (this.current + change > maxLimitFactor * this.maxInFlight) change = -step
    this.current = clampLimit(this.current + change)
  }
}

/** The mean of the first ten, an exponentially weighted one of about so many afterwards. */
class MovingAverage {
  private value = 0
  private count = 0
  private readonly age: number

  constructor(age: number) {
    this.age = age
  }

  add(sample: number): number {
    this.count++
    this.value += (this.count <= warmUp ? 1 / this.count : 2 / (this.age + 1)) * (sample - this.value)
    return this.value
  }
}
