import { maxLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'

const bucketMs = 100
const buckets = 100
/** Calls are turned away only while this share of the workers is busy. */
const busyThreshold = 0.8
const coolOffMs = 1_000

interface Bucket {
  readonly number: number
  passed: number
  rttSum: number
}

/**
 * BBR as in go-kratos and Sentinel: above a load threshold, no more in flight than throughput times shortest latency (Little's law).
 * Their load is the CPU's; here it is the share of busy workers, smoothed, which the simulation knows.
 */
export class BbrLimit implements ConcurrencyAlgorithm {
  private readonly busyShare: () => number
  private smoothed = 0
  private smoothedAt = 0
  private droppedAt = -Infinity
  private ring: Bucket[] = []
  private known = maxLimit
  private knownFor = -1

  constructor(busyShare: () => number) {
    this.busyShare = busyShare
  }

  limit(now: number): number {
    const weight = 1 - Math.exp(-(now - this.smoothedAt) / 500)
    this.smoothed += weight * (this.busyShare() - this.smoothed)
    this.smoothedAt = now
    if (this.smoothed < busyThreshold && now - this.droppedAt > coolOffMs) return maxLimit
    return this.maxInFlight(now)
  }

  refused(now: number): void {
    if (this.smoothed >= busyThreshold) this.droppedAt = now
  }

  ended({ endedAt, rttMs, dropped }: CallSample): void {
    if (dropped) return
    const number = Math.floor(endedAt / bucketMs)
    let last = this.ring.at(-1)
    if (last === undefined || last.number !== number) {
      last = { number, passed: 0, rttSum: 0 }
      this.ring = [...this.ring.filter((bucket) => bucket.number > number - buckets), last]
    }
    last.passed++
    last.rttSum += rttMs
  }

  /** Throughput of the best bucket times the latency of the quickest; both change only from bucket to bucket. */
  private maxInFlight(now: number): number {
    const current = Math.floor(now / bucketMs)
    if (current === this.knownFor) return this.known
    const past = this.ring.filter(({ number }) => number < current && number > current - buckets)
    const maxPass = Math.max(...past.map(({ passed }) => passed))
    const minRttMs = Math.min(...past.map(({ passed, rttSum }) => rttSum / passed))
    this.knownFor = current
    this.known = past.length === 0 ? maxLimit : Math.max(1, Math.floor((maxPass * minRttMs) / bucketMs + 0.5))
    return this.known
  }
}
