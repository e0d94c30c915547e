import type { ConcurrencySample } from './algorithm.ts'

/** What happened under one limit, from the moment it came into force. */
export class SampleWindow {
  readonly limit: number
  readonly openedAt: number
  /** Calls that started in the window and were answered. */
  answered = 0
  /** Calls that started in the window and were dropped. */
  dropped = 0
  /** Answers in the window, whenever their calls had started, and calls that found no place. */
  ended = 0
  blocked = 0
  peak = 0
  private rtt = 0
  private logRtt = 0
  private inFlight = 0

  constructor(limit: number, openedAt: number) {
    this.limit = limit
    this.openedAt = openedAt
  }

  /** Calls that started under another limit tell nothing about this one. */
  add(sample: ConcurrencySample): void {
    this.ended++
    if (sample.startedAt < this.openedAt) return
    if (sample.inFlight > this.peak) this.peak = sample.inFlight
    if (sample.dropped) {
      this.dropped++
      return
    }
    this.answered++
    this.rtt += sample.rttMs
    this.logRtt += Math.log(sample.rttMs)
    this.inFlight += sample.inFlight
  }

  /** Mean latency in ms; 0 without answers. */
  get meanRtt(): number {
    return this.answered === 0 ? 0 : this.rtt / this.answered
  }

  /** Logarithm of the geometric mean latency, which a few slow calls hardly move. */
  get meanLogRtt(): number {
    return this.answered === 0 ? 0 : this.logRtt / this.answered
  }

  /** Mean number of calls in flight, as starting calls saw it. */
  get meanInFlight(): number {
    return this.answered === 0 ? 0 : this.inFlight / this.answered
  }

  /** Share of the calls that found no place. */
  get blockedRatio(): number {
    return this.blocked === 0 ? 0 : this.blocked / (this.blocked + this.ended)
  }
}

/**
 * How much of a change in concurrency came back as latency: 0, throughput followed it; 1, only a queue did.
 * Undefined when the two windows hardly differ.
 */
export function latencyResponse(from: SampleWindow, to: SampleWindow): number | undefined {
  const change = Math.log(to.meanInFlight / from.meanInFlight)
  if (!(Math.abs(change) >= 0.2)) return undefined
  return (to.meanLogRtt - from.meanLogRtt) / change
}
