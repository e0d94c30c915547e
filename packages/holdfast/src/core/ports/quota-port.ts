import type { Ambiguous, Unavailable, WriteOptions } from './answers.ts'
import type { Port } from './port.ts'

/** A limit: `rate` units each `perMs`, and up to `burst` at once. It is part of every request, so an engine stores no settings. */
export interface QuotaLimit {
  /** 1 to 1,000 characters. */
  readonly key: string
  /** Above 0. */
  readonly rate: number
  /** Above 0. */
  readonly perMs: number
  /** 1 or more. */
  readonly burst: number
}

export interface QuotaRequest extends QuotaLimit {
  /** Units wished for, 0 or more; 0 only looks. */
  readonly want: number
  /** The fewest that are of use; with fewer at hand none is taken. @defaultValue `want` */
  readonly min?: number
  /** For how long the caller may hold what it gets before it is spent; afterwards it counts as lost, and must not be spent. */
  readonly leaseMs: number
}

export interface QuotaGrant {
  readonly ok: true
  /** 0, or from `min` to `want`. */
  readonly granted: number
  /** Milliseconds until `want` can be had, exact as long as nobody else takes; 0 when all was granted, Infinity when `want` exceeds the burst. */
  readonly retryAfterMs: number
  /** Units that are left now; below 0 in debt. */
  readonly remaining: number
  /** For how long the granted units may be held. */
  readonly leaseMs: number
}

/** What came of an earlier grant. */
export interface QuotaSettlement extends QuotaLimit {
  readonly granted: number
  /** What was used in fact, 0 or more: less than granted is given back (never beyond the burst), more makes a debt. */
  readonly used: number
}

export interface TakeOptions extends WriteOptions {
  /** All of the requests, or none: when one gets less than its `min`, nothing is taken of any. @defaultValue false */
  readonly together?: boolean
}

/**
 * Shared limits (GCRA: a burst, then one unit each `perMs / rate`). One call carries many keys in one round trip, grants may be
 * partial, and a holder of many units asks rarely. In any window T the units granted are at most `rate · T / perMs + burst`.
 */
export interface QuotaPort extends Port {
  /** Answers in the order of the requests; a key may be unavailable while others are granted. A key comes once in a request. */
  take(requests: readonly QuotaRequest[], options: TakeOptions): Promise<readonly (QuotaGrant | Unavailable | Ambiguous)[]>
  settle(
    settlements: readonly QuotaSettlement[],
    options: WriteOptions,
  ): Promise<readonly ({ readonly ok: true } | Unavailable | Ambiguous)[]>
  /** Grants nothing of the key for `forMs` from now. Of several pauses the one that ends last holds; 0 ends them all. */
  pause(key: string, forMs: number, options: WriteOptions): Promise<{ readonly ok: true } | Unavailable | Ambiguous>
}
