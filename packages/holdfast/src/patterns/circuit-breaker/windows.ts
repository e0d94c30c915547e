/** Calls of the recent past, by outcome. */
export interface OutcomeCounts {
  readonly calls: number
  readonly failures: number
  readonly slow: number
}

/** Remembers outcomes and forgets old ones, in constant memory. `now` is monotonic ms; the counts are right after an `advance`. */
export interface OutcomeWindow extends OutcomeCounts {
  record(now: number, failed: boolean, slow: boolean): void
  /** Forgets what has become too old by `now`. */
  advance(now: number): void
  /** Forgets which calls were slow, not the calls. */
  forgetSlow(): void
  clear(): void
}

/** The last n calls, two bits each. */
export class CountWindow implements OutcomeWindow {
  calls = 0
  failures = 0
  slow = 0
  private readonly ring: Uint8Array
  private position = 0

  constructor(size: number) {
    this.ring = new Uint8Array(size)
  }

  record(_now: number, failed: boolean, slow: boolean): void {
    const { ring, position } = this
    if (this.calls === ring.length) {
      const evicted = ring[position] as number
      this.failures -= evicted & 1
      this.slow -= evicted >> 1
    } else this.calls++
    ring[position] = (failed ? 1 : 0) | (slow ? 2 : 0)
    if (failed) this.failures++
    if (slow) this.slow++
    this.position = position + 1 === ring.length ? 0 : position + 1
  }

  advance(): void {}

  /** Remembers the latest of what another one does. */
  take({ ring, calls, position }: CountWindow): void {
    for (let age = Math.min(calls, this.ring.length); age > 0; age--) {
      const outcome = ring[(position - age + ring.length) % ring.length] as number
      this.record(0, (outcome & 1) === 1, outcome >> 1 === 1)
    }
  }

  forgetSlow(): void {
    this.slow = 0
    for (const [index, outcome] of this.ring.entries()) this.ring[index] = outcome & 1
  }

  clear(): void {
    this.calls = 0
    this.failures = 0
    this.slow = 0
    this.position = 0
  }
}

const bucketCount = 10

/**
 * A sliding time window of ten buckets. A bucket is forgotten as a whole, when its oldest call is exactly one window old:
 * nothing counts for longer than the window, and the newest nine tenths always count. A clock that steps back records into
 * the newest bucket.
 */
export class TimeWindow implements OutcomeWindow {
  calls = 0
  failures = 0
  slow = 0
  readonly bucketMs: number
  /** Calls, failures and slow calls of each bucket. */
  private readonly buckets: number[] = Array.from({ length: bucketCount * 3 }, () => 0)
  /** When each bucket began; buckets are begun by their first call, so that its age is exact. */
  private readonly beganAt: number[] = Array.from({ length: bucketCount }, () => -Infinity)
  private newest = 0
  private oldest = 0
  private used = 0
  private readonly windowMs: number

  constructor(windowMs: number) {
    this.windowMs = windowMs
    this.bucketMs = windowMs / bucketCount
  }

  record(now: number, failed: boolean, slow: boolean): void {
    if (this.used === 0 || now >= (this.beganAt[this.newest] as number) + this.bucketMs) this.beginBucket(now)
    const base = this.newest * 3
    this.buckets[base]!++
    this.calls++
    if (failed) {
      this.buckets[base + 1]!++
      this.failures++
    }
    if (slow) {
      this.buckets[base + 2]!++
      this.slow++
    }
  }

  advance(now: number): void {
    while (this.used > 0 && now >= (this.beganAt[this.oldest] as number) + this.windowMs) this.dropOldest()
  }

  clear(): void {
    while (this.used > 0) this.dropOldest()
  }

  /** Remembers what another one does that is not too old. Buckets that lie within one of this window's become one. */
  take(other: TimeWindow): void {
    for (let index = 0; index < other.used; index++) {
      const bucket = (other.oldest + index) % bucketCount
      const beganAt = other.beganAt[bucket] as number
      if (this.used === 0 || beganAt >= (this.beganAt[this.newest] as number) + this.bucketMs) this.beginBucket(beganAt)
      for (let field = 0; field < 3; field++) this.buckets[this.newest * 3 + field]! += other.buckets[bucket * 3 + field] as number
    }
    this.calls = other.calls
    this.failures = other.failures
    this.slow = other.slow
  }

  forgetSlow(): void {
    this.slow = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) this.buckets[bucket * 3 + 2] = 0
  }

  private beginBucket(now: number): void {
    if (this.used === bucketCount) this.dropOldest()
    if (this.used > 0) this.newest = (this.newest + 1) % bucketCount
    else this.oldest = this.newest
    this.used++
    this.beganAt[this.newest] = now
  }

  private dropOldest(): void {
    const base = this.oldest * 3
    this.calls -= this.buckets[base] as number
    this.failures -= this.buckets[base + 1] as number
    this.slow -= this.buckets[base + 2] as number
    this.buckets.fill(0, base, base + 3)
    this.used--
    if (this.used > 0) this.oldest = (this.oldest + 1) % bucketCount
  }
}
