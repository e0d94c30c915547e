import { roundedWaitMs } from './limit-algorithm.ts'
import type { QuotaNews } from './quota-news.ts'

/** When less than this share of a window's quota is left, calls are spread over the time until its reset. */
const pacedShare = 0.2

/** Instants of the same reset, told by different answers, lie no further apart: dates are in whole seconds. */
const sameResetMs = 1_500

/** What a server has said about one quota, and what has been used since. Believed until its reset. Instants are monotonic ms. */
export class LearnedQuota {
  /** As the server says it; undefined when it does not. */
  readonly limit: number | undefined
  readonly resetAt: number
  /** Units that come back per ms. */
  private readonly unitsPerMs: number
  private readonly pacedFrom: number
  private left: number
  private leftAt: number
  private nextAt = -Infinity

  /** `takenSince`: units taken that the news cannot know of. */
  constructor(news: QuotaNews, takenSince: number, resetMs: number, longestMs: number, now: number) {
    const remaining = Math.min(news.remaining, news.limit ?? Infinity)
    this.limit = news.limit
    this.resetAt = now + Math.min(resetMs, longestMs)
    this.unitsPerMs = news.refills && news.limit !== undefined ? (news.limit - remaining) / resetMs : 0
    this.pacedFrom = pacedShare * (news.limit ?? remaining)
    this.left = Math.max(0, remaining - takenSince)
    this.leftAt = now
  }

  /** Whether units are only back at the reset. */
  get isWindow(): boolean {
    return this.unitsPerMs === 0
  }

  /** Units left, 0 or more. */
  available(now: number): number {
    return Math.min(this.limit ?? Infinity, this.left + (now - this.leftAt) * this.unitsPerMs)
  }

  /** Milliseconds until the cost fits. What never fits has to wait until nothing is believed any more, not longer. */
  waitMs(cost: number, now: number): number {
    const untilResetMs = this.resetAt - now
    const missing = cost - this.available(now)
    if (missing <= 0) return this.isWindow ? roundedWaitMs(Math.min(untilResetMs, this.nextAt - now), now) : 0
    return roundedWaitMs(this.isWindow ? untilResetMs : Math.min(untilResetMs, missing / this.unitsPerMs), now)
  }

  take(cost: number, now: number): void {
    const before = this.available(now)
    this.left = Math.max(0, before - cost)
    this.leftAt = now
    if (!this.isWindow || before > this.pacedFrom || before === 0) return
    this.nextAt = Math.max(this.nextAt, now) + (this.resetAt - now) * Math.min(1, cost / before)
  }

  /** Goes on where an earlier one was: an answer that overtook another must not bring back what has been used. */
  follow(earlier: LearnedQuota): void {
    if (!this.isWindow || Math.abs(earlier.resetAt - this.resetAt) > sameResetMs) return
    this.nextAt = earlier.nextAt
  }

  /** As {@link follow}, when nobody knows what was taken since: the lower figure of the same window holds. */
  followBlindly(earlier: LearnedQuota, now: number): void {
    this.follow(earlier)
    if (this.isWindow && Math.abs(earlier.resetAt - this.resetAt) <= sameResetMs) this.left = Math.min(this.left, earlier.available(now))
  }
}
