export interface QuotaBucketOptions {
  /** Units that come back per second. */
  readonly perSecond: number
  /** Units that may be taken at once. @defaultValue one second's worth, at least 1 */
  readonly burst?: number
  /** Monotonic ms. */
  readonly now?: () => number
}

export type QuotaAnswer =
  | { readonly granted: true; readonly remaining: number }
  | { readonly granted: false; readonly retryAfterMs: number }

/**
 * A provider's rate limit. A refused request counts as well, as OpenAI's documentation says of theirs ("unsuccessful requests
 * contribute to your per-minute limit"): whoever keeps on sending stays locked out. The debt is bounded by one burst.
 */
export class QuotaBucket {
  readonly perSecond: number
  readonly burst: number
  private readonly now: () => number
  private level: number
  private filledAt: number

  constructor(options: QuotaBucketOptions) {
    this.perSecond = options.perSecond
    this.burst = options.burst ?? Math.max(1, options.perSecond)
    this.now = options.now ?? ((): number => performance.now())
    this.level = this.burst
    this.filledAt = this.now()
  }

  take(units: number): QuotaAnswer {
    this.refill()
    const granted = this.level >= Math.min(units, this.burst)
    this.level = Math.max(-this.burst, this.level - units)
    if (granted) return { granted, remaining: Math.max(0, Math.floor(this.level)) }
    return { granted, retryAfterMs: ((Math.min(units, this.burst) - this.level) / this.perSecond) * 1_000 }
  }

  private refill(): void {
    const now = this.now()
    this.level = Math.min(this.burst, this.level + ((now - this.filledAt) / 1_000) * this.perSecond)
    this.filledAt = now
  }
}
