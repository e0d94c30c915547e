import type { Random } from 'holdfast'
import { clampLimit, initialLimit, type CallSample, type ConcurrencyAlgorithm } from '../concurrency-algorithm.ts'

const windowMs = 100
const recalculateMs = 60_000
const pinnedLimit = 3
const minRttSamples = 50
const buffer = 1.25

/** Envoy's adaptive concurrency filter: now and then the limit is pinned to 3 to measure what a call takes without a queue. */
export class EnvoyGradientLimit implements ConcurrencyAlgorithm {
  private current = initialLimit
  private before = initialLimit
  private minRttMs = 0
  private pinned = true
  private nextPin = 0
  private windowEnd = 0
  private atMinimum = 0
  private samples: number[] = []
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  limit(now: number): number {
    if (!this.pinned && now >= this.nextPin) this.pin()
    return this.pinned ? pinnedLimit : this.current
  }

  ended({ endedAt, rttMs, dropped }: CallSample): void {
    if (!dropped) this.samples.push(rttMs)
    if (this.pinned) this.measure(endedAt)
    else if (endedAt >= this.windowEnd) this.update(endedAt)
  }

  private pin(): void {
    this.pinned = true
    this.before = this.current
    this.samples = []
    this.atMinimum = 0
  }

  private measure(now: number): void {
    if (this.samples.length < minRttSamples) return
    this.minRttMs = median(this.samples)
    this.pinned = false
    this.current = this.before
    this.samples = []
    this.nextPin = now + recalculateMs * (1 + 0.15 * this.random())
    this.windowEnd = now + windowMs
  }

  private update(now: number): void {
    this.windowEnd = now + windowMs
    if (this.samples.length === 0) return
    const gradient = Math.min(2, Math.max(0.5, (this.minRttMs * buffer) / median(this.samples)))
    this.samples = []
    const scaled = gradient * this.current
    this.current = clampLimit(Math.max(pinnedLimit, scaled + Math.sqrt(scaled)))
    this.atMinimum = this.current <= pinnedLimit ? this.atMinimum + 1 : 0
    if (this.atMinimum >= 5) this.pin()
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number
}
