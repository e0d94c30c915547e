import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { booleanOption, checkOptionNames, functionOption, integerOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import { CacheFlow, type CacheRules } from './cache-flow.ts'

export interface CacheOptions {
  /** How long a value is fresh: it is answered without asking. 0 keeps nothing fresh, and only coalesces. */
  readonly ttl: Duration
  /** For so long after that, the old value is answered at once while a new one is fetched for the next. @defaultValue 0 */
  readonly staleWhileRevalidate?: Duration
  /** For so long after the ttl, the old value is answered when the new one cannot be had. @defaultValue 0 */
  readonly staleIfError?: Duration
  /** Which failures are answered with an old value. @defaultValue all, refusals included */
  readonly staleOn?: (error: unknown) => boolean
  /** Told of every old value before it is answered: the way to tell the caller its age, by the call's context for instance. */
  readonly onStale?: (notice: StaleNotice) => unknown
  /** What is asked for; calls of which it is undefined are neither cached nor coalesced. @defaultValue the call's `key` */
  readonly keyOf?: (call: Call) => string | undefined
  /** Whether a value may be kept. @defaultValue all */
  readonly isCacheable?: (value: unknown) => boolean
  /** Calls for a key that is being fetched wait for that one answer. @defaultValue true */
  readonly coalesce?: boolean
  /** Values kept; the one that was used longest ago goes first. @defaultValue 1_000 */
  readonly maxEntries?: number
  /** @defaultValue 'cache' */
  readonly name?: string
  readonly clock?: Clock
}

/** What may change while a cache is in use. */
export type CacheSettings = Omit<CacheOptions, 'name' | 'clock'>

/** An old value that is about to be answered. */
export interface StaleNotice {
  readonly key: string
  /** Time since the value was had, in ms. */
  readonly ageMs: number
  /** Why there is no new one; undefined while it is fetched. */
  readonly error: unknown
  /** That of the call that gets the value. */
  readonly context: unknown
}

/** An old value was answered: while a new one is fetched (`error` is undefined), or since none could be had. */
export interface CacheStaleServed extends PolicyEvent {
  readonly type: 'cache.stale-served'
  readonly key: string
  /** Time since the value was had, in ms. */
  readonly ageMs: number
  readonly error: unknown
}

/** A new value was to be fetched for later callers, and could not be had. */
export interface CacheRefreshFailed extends PolicyEvent {
  readonly type: 'cache.refresh-failed'
  readonly key: string
  readonly error: unknown
}

/** A function of yours has thrown. */
export interface CacheCallbackFailed extends PolicyEvent {
  readonly type: 'cache.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type CacheEvent = CacheStaleServed | CacheRefreshFailed | CacheCallbackFailed

export interface CacheStatus {
  readonly kind: 'cache'
  readonly name: string
  readonly entries: number
  /** Keys that are being fetched. */
  readonly fetching: number
  /** Calls answered with a fresh value, ever. */
  readonly hits: number
  /** Calls that asked, ever. */
  readonly misses: number
  /** Calls that waited for the answer to another one, ever. */
  readonly coalesced: number
  /** Calls answered with an old value, ever. */
  readonly staleServed: number
  /** Values that had to go, ever, since there were too many. */
  readonly evicted: number
  readonly [figure: string]: unknown
}

/** A value that is kept. */
export interface CachedValue {
  readonly value: unknown
  readonly ageMs: number
  readonly fresh: boolean
}

export interface Cache extends Policy<CacheEvent> {
  readonly kind: 'cache'
  status(): CacheStatus
  /** The value of a key, however old it may be and still be answered; counts as no use of it. */
  peek(key: string): CachedValue | undefined
  /** Forgets a key. What is being fetched for it is answered to those who wait, and not kept. Answers whether there was a value. */
  invalidate(key: string): boolean
  /** Forgets all. */
  clear(): void
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. Values stay, as old as they are.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: CacheSettings): void
}

const settingNames = [
  'ttl',
  'staleWhileRevalidate',
  'staleIfError',
  'staleOn',
  'onStale',
  'keyOf',
  'isCacheable',
  'coalesce',
  'maxEntries',
] as const

/**
 * Remembers answers by key: fresh ones are given without asking, old ones when a new one cannot be had, and callers who ask for the
 * same at the same time wait for one answer. Values are shared by their callers: what is answered must not be changed. Semantics of
 * the old ones: RFC 5861.
 * @throws whatever the function throws, when no old value may be given.
 * @example `await cache({ ttl: '1m', staleIfError: '1h' }).execute(() => loadPrices(), { key: 'prices' })`
 */
export function cache(options: CacheOptions): Cache {
  return new CachePolicy(options)
}

class CachePolicy extends BasePolicy<CacheEvent> implements Cache {
  readonly kind = 'cache' as const
  readonly [parts]: readonly Part[]
  private readonly flow: CacheFlow

  constructor(options: CacheOptions) {
    checkOptionNames('cache', options, [...settingNames, 'name', 'clock'])
    const name = nameOption('cache', options.name)
    super(name, options.clock ?? systemClock)
    this.flow = new CacheFlow(rulesOf(name, this.clock, options), new EventHub())
    this[parts] = [this.flow]
  }

  peek(key: string): CachedValue | undefined {
    const { flow } = this
    const entry = flow.entries.get(key)
    if (entry === undefined) return undefined
    const ageMs = flow.ageOf(entry)
    const { ttlMs, revalidateMs, ifErrorMs } = flow.rules
    if (ageMs >= ttlMs + Math.max(revalidateMs, ifErrorMs)) return undefined
    return { value: entry.value, ageMs, fresh: ageMs < ttlMs }
  }

  invalidate(key: string): boolean {
    return this.flow.invalidate(key)
  }

  clear(): void {
    this.flow.clear()
  }

  reconfigure(settings: CacheSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.flow.reconfigure(rulesOf(this.name, this.clock, settings))
  }

  on(listener: Listener<CacheEvent>): () => void {
    return this.flow.events.on(listener)
  }

  describe(): PolicyDescription {
    const { ttlMs, revalidateMs, ifErrorMs, coalesce, maxEntries } = this.flow.rules
    return {
      kind: this.kind,
      name: this.name,
      ttlMs,
      ...(revalidateMs === 0 ? {} : { staleWhileRevalidateMs: revalidateMs }),
      ...(ifErrorMs === 0 ? {} : { staleIfErrorMs: ifErrorMs }),
      coalesce,
      maxEntries,
    }
  }

  status(): CacheStatus {
    const { entries, flights, hits, misses, coalesced, staleServed, evicted } = this.flow
    return {
      kind: this.kind,
      name: this.name,
      entries: entries.size,
      fetching: flights.size,
      hits,
      misses,
      coalesced,
      staleServed,
      evicted,
    }
  }
}

function rulesOf(name: string, clock: Clock, options: CacheSettings): CacheRules {
  return {
    name,
    clock,
    ttlMs: durationMs(name, 'ttl', options.ttl, { allowInfinity: true }),
    revalidateMs: durationMs(name, 'staleWhileRevalidate', options.staleWhileRevalidate ?? 0, { allowInfinity: true }),
    ifErrorMs: durationMs(name, 'staleIfError', options.staleIfError ?? 0, { allowInfinity: true }),
    staleOn: functionOption(name, 'staleOn', options.staleOn),
    onStale: functionOption(name, 'onStale', options.onStale),
    keyOf: functionOption(name, 'keyOf', options.keyOf) ?? ((call) => call.key),
    isCacheable: functionOption(name, 'isCacheable', options.isCacheable),
    coalesce: booleanOption(name, 'coalesce', options.coalesce ?? true),
    maxEntries: integerOption(name, 'maxEntries', options.maxEntries ?? 1_000, { min: 1, max: 10_000_000 }),
  }
}
