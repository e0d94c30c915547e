/** Chooses how long to wait for the next call, from how the calls before went. */
export interface TimeoutRule {
  timeoutMs(): number
  ended(durationMs: number, timedOut: boolean): void
}

const floorMs = 10
const ceilingMs = 5_000
const startMs = 1_000
const minSamples = 50
const kept = 1_000
/** Quantiles are computed anew after so many calls. */
const every = 20

function clamp(value: number): number {
  return Math.min(ceilingMs, Math.max(floorMs, value))
}

/** The last thousand durations. */
class Durations {
  private values: number[] = []

  add(value: number): void {
    this.values.push(value)
    if (this.values.length > kept) this.values.shift()
  }

  get enough(): boolean {
    return this.values.length >= minSamples
  }

  quantile(share: number): number {
    const sorted = Float64Array.from(this.values).toSorted()
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
  }

  /** Forgets all but the last. */
  keepLast(count: number): void {
    this.values = this.values.slice(-count)
  }
}

export function staticTimeout(afterMs: number): TimeoutRule {
  return { timeoutMs: () => afterMs, ended: () => undefined }
}

/** A quantile of the successes, times a factor; with `countTimeouts` a timeout counts as a call of that duration. */
export class QuantileTimeout implements TimeoutRule {
  private current = startMs
  private calls = 0
  private readonly durations = new Durations()
  private readonly share: number
  private readonly factor: number
  private readonly countTimeouts: boolean

  constructor(share: number, factor: number, countTimeouts = false) {
    this.share = share
    this.factor = factor
    this.countTimeouts = countTimeouts
  }

  timeoutMs(): number {
    return this.current
  }

  ended(durationMs: number, timedOut: boolean): void {
    if (!timedOut || this.countTimeouts) this.durations.add(durationMs)
    if (++this.calls % every === 0 && this.durations.enough) this.current = clamp(this.factor * this.durations.quantile(this.share))
  }
}

/** The retransmission timeout of TCP (RFC 6298): smoothed time plus four times its deviation, doubled on each timeout. */
export class TcpTimeout implements TimeoutRule {
  private smoothed = 0
  private deviation = 0
  private current = startMs

  timeoutMs(): number {
    return this.current
  }

  ended(durationMs: number, timedOut: boolean): void {
    if (timedOut) {
      this.current = clamp(2 * this.current)
      return
    }
    if (this.smoothed === 0) {
      this.smoothed = durationMs
      this.deviation = durationMs / 2
    } else {
      this.deviation += (Math.abs(this.smoothed - durationMs) - this.deviation) / 4
      this.smoothed += (durationMs - this.smoothed) / 8
    }
    this.current = clamp(this.smoothed + 4 * this.deviation)
  }
}

const watched = 60

/** p99 · 1.5 of the successes: up at once, down slowly, up when many calls time out, and frozen when nearly all do. */
export class GuardedTimeout implements TimeoutRule {
  private current = startMs
  private calls = 0
  private readonly durations = new Durations()
  private recent: boolean[] = []

  timeoutMs(): number {
    return this.current
  }

  ended(durationMs: number, timedOut: boolean): void {
    if (!timedOut) this.durations.add(durationMs)
    this.recent.push(timedOut)
    if (this.recent.length > watched) this.recent.shift()
    if (++this.calls % every === 0) this.update()
  }

  private update(): void {
    const timeouts = this.recent.filter(Boolean).length
    if (timeouts > 55) return // an outage is no latency
    if (timeouts > 0.03 * watched) {
      this.current = clamp(1.3 * this.current)
      if (timeouts > 0.2 * watched) this.durations.keepLast(minSamples)
      return
    }
    if (!this.durations.enough) return
    const target = clamp(1.5 * this.durations.quantile(0.99))
    this.current = target > this.current ? target : Math.max(target, 0.9 * this.current)
  }
}
