import type { Cost } from '../../core/call.ts'
import { LearnedQuota } from './learned-quota.ts'
import type { Limit, Limits } from './limits.ts'
import type { QuotaNews } from './quota-news.ts'

/** Keys looked at when a new one comes, so that those without news are forgotten without a timer. */
const sweptPerKey = 2

/** What servers said about the quotas of one key. */
class LearnedKey {
  readonly quotas = new Map<string, LearnedQuota>()
  /** Units taken by limit since this key is known here. */
  readonly taken = new Map<string, number>()

  /** Forgets what is over; answers whether anything is left. */
  isCurrent(now: number): boolean {
    for (const [name, { resetAt }] of this.quotas) if (resetAt <= now) this.quotas.delete(name)
    return this.quotas.size > 0
  }
}

/** The moment at which a request was sent: what was taken after it, its answer cannot know. */
export interface SentMark {
  readonly key: string
  /** @internal */
  readonly of: unknown
  /** @internal */
  readonly taken: ReadonlyMap<string, number>
}

/** What all keys have learned from the answers of servers, in bounded memory. */
export class LearnedQuotas {
  readonly keys = new Map<string, LearnedKey>()
  private limits: Limits
  private maxKeys: number

  constructor(limits: Limits, maxKeys: number) {
    this.limits = limits
    this.maxKeys = maxKeys
  }

  reconfigure(maxKeys: number): void {
    this.maxKeys = maxKeys
  }

  mark(key: string, now: number): SentMark {
    const learned = this.keyed(key, now)
    return { key, of: learned, taken: new Map(learned?.taken) }
  }

  /** Milliseconds until the cost fits into what is left of all quotas. */
  waitMs(key: string, cost: Cost | undefined, now: number): number {
    const learned = this.keys.get(key)
    if (learned === undefined || learned.quotas.size === 0) return 0
    let wait = 0
    for (const [name, quota] of learned.quotas) {
      if (quota.resetAt <= now) {
        learned.quotas.delete(name)
        continue
      }
      const units = this.limits.units(name, cost)
      if (units > 0) wait = Math.max(wait, quota.waitMs(units, now))
    }
    return wait
  }

  /** A call of the key was let in. Answers until when nothing at all is left of a window, if so. */
  took(key: string, cost: Cost | undefined, now: number): number | undefined {
    const learned = this.keys.get(key)
    if (learned === undefined) return undefined
    let usedUpUntil: number | undefined
    for (const { name } of this.limits.all) {
      const units = this.limits.units(name, cost)
      if (units === 0) continue
      learned.taken.set(name, (learned.taken.get(name) ?? 0) + units)
      const quota = learned.quotas.get(name)
      if (quota === undefined) continue
      quota.take(units, now)
      usedUpUntil = later(usedUpUntil, endOfUsedUp(quota, now))
    }
    return usedUpUntil
  }

  /** Believes the news, for as long as `longestMs` at most. Answers as {@link LearnedQuotas.took}. */
  learn(key: string, news: readonly QuotaNews[], mark: SentMark | undefined, longestMs: number, now: number): number | undefined {
    const learned = news.length === 0 ? undefined : this.keyed(key, now)
    if (learned === undefined) return undefined
    let usedUpUntil: number | undefined
    for (const [limit, quotaNews] of this.tightest(news)) {
      const { name } = limit
      const resetMs = quotaNews.resetMs ?? limit.windowMs
      const isKnown = mark !== undefined && mark.of === learned
      const takenSince = isKnown ? (learned.taken.get(name) ?? 0) - (mark.taken.get(name) ?? 0) : 0
      const earlier = learned.quotas.get(name)
      const quota = new LearnedQuota(quotaNews, takenSince, resetMs, longestMs, now)
      if (earlier !== undefined && earlier.resetAt > now) {
        if (isKnown) quota.follow(earlier)
        else quota.followBlindly(earlier, now)
      }
      if (quota.resetAt > now) {
        learned.quotas.set(name, quota)
        usedUpUntil = later(usedUpUntil, endOfUsedUp(quota, now))
      } else learned.quotas.delete(name)
    }
    return usedUpUntil
  }

  /** The key's quota of a limit, while it is believed. */
  find(key: string, limit: string, now: number): LearnedQuota | undefined {
    const quota = this.keys.get(key)?.quotas.get(limit)
    return quota === undefined || quota.resetAt <= now ? undefined : quota
  }

  /** By limit: the quota of which the least is left, over all keys. */
  tightestByLimit(now: number): ReadonlyMap<string, LearnedQuota> {
    const found = new Map<string, LearnedQuota>()
    for (const { quotas } of this.keys.values()) {
      for (const [name, quota] of quotas) {
        if (quota.resetAt <= now) continue
        const other = found.get(name)
        if (other === undefined || quota.available(now) < other.available(now)) found.set(name, quota)
      }
    }
    return found
  }

  /** The news that each limit has to go by: the one that leaves the least. */
  private tightest(news: readonly QuotaNews[]): ReadonlyMap<Limit, QuotaNews> {
    const chosen = new Map<Limit, QuotaNews>()
    for (const each of news) {
      const limit = this.limitFor(each.resource)
      if (limit === undefined) continue
      const other = chosen.get(limit)
      if (other === undefined || each.remaining < other.remaining) chosen.set(limit, each)
    }
    return chosen
  }

  /** The limit of the same name; a quota without one, or of a name nobody uses here, is that of requests. */
  private limitFor(resource: string): Limit | undefined {
    const { all } = this.limits
    const named = all.find(({ name }) => plain(name) === plain(resource))
    if (named !== undefined || knownResources.has(resource)) return named
    return all.find(({ name }) => plain(name) === 'requests') ?? all[0]
  }

  private keyed(key: string, now: number): LearnedKey | undefined {
    const known = this.keys.get(key)
    if (known !== undefined) return known
    this.sweep(now)
    if (this.keys.size >= this.maxKeys) return undefined
    const learned = new LearnedKey()
    this.keys.set(key, learned)
    return learned
  }

  private sweep(now: number): void {
    let count = 0
    for (const [key, learned] of this.keys) {
      if (++count > sweptPerKey) return
      this.keys.delete(key)
      if (learned.isCurrent(now)) this.keys.set(key, learned) // moves to the end: the next sweep looks at others
    }
  }
}

const knownResources: ReadonlySet<string> = new Set(['requests', 'tokens', 'input-tokens', 'output-tokens'])

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** Until when a quota that comes back all at once is used up; undefined when something is left. */
function endOfUsedUp(quota: LearnedQuota, now: number): number | undefined {
  return quota.isWindow && quota.available(now) < 1 ? quota.resetAt : undefined
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
