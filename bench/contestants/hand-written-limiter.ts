/** A token bucket per key, as a team writes it for itself: it never forgets a key. */
export class HandWrittenLimiter {
  private readonly buckets = new Map<string, { tokens: number; at: number }>()
  private readonly limit: number
  private readonly windowMs: number

  constructor(limit: number, windowMs: number) {
    this.limit = limit
    this.windowMs = windowMs
  }

  isAllowed(key: string): boolean {
    const now = performance.now()
    let bucket = this.buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: this.limit, at: now }
      this.buckets.set(key, bucket)
    }
    bucket.tokens = Math.min(this.limit, bucket.tokens + ((now - bucket.at) * this.limit) / this.windowMs)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
