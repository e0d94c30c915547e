import type { Call, CallState } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import type { EventHub } from '../../core/events.ts'
import type { Flow, Layer, Sink } from '../../core/layer.ts'
import { askPredicate, isThenable } from '../../core/predicate.ts'
import { show } from '../../core/options.ts'
import { toError } from '../../core/refusal.ts'
import type { CacheEvent, StaleNotice } from './cache.ts'
import { Flight } from './flight.ts'

export interface CacheRules {
  readonly name: string
  readonly clock: Clock
  readonly ttlMs: number
  readonly revalidateMs: number
  readonly ifErrorMs: number
  readonly staleOn: ((error: unknown) => boolean) | undefined
  readonly onStale: ((notice: StaleNotice) => unknown) | undefined
  readonly keyOf: (call: Call) => string | undefined
  readonly isCacheable: ((value: unknown) => boolean) | undefined
  readonly coalesce: boolean
  readonly maxEntries: number
}

interface Entry {
  readonly value: unknown
  /** Monotonic ms. */
  readonly storedAt: number
}

/** The values of one cache, and what is being fetched for it. */
export class CacheFlow implements Flow {
  readonly kind = 'flow' as const
  rules: CacheRules
  readonly events: EventHub<CacheEvent>
  /** Those used longest ago first. */
  readonly entries = new Map<string, Entry>()
  /** What later callers may wait for. */
  readonly flights = new Map<string, Flight>()
  /** What nobody may join, since another one for its key was begun. */
  private readonly apart = new Set<Flight>()
  hits = 0
  misses = 0
  coalesced = 0
  staleServed = 0
  evicted = 0

  constructor(rules: CacheRules, events: EventHub<CacheEvent>) {
    this.rules = rules
    this.events = events
  }

  start(next: Layer, call: Call, out: Sink): void {
    const key = this.keyOf(call)
    if (key === undefined) {
      next.start(call, out)
      return
    }
    const entry = this.entries.get(key)
    const ageMs = entry === undefined ? Infinity : this.ageOf(entry)
    if (entry !== undefined && ageMs < this.rules.ttlMs) {
      this.hits++
      this.touch(key, entry)
      out.settle(true, entry.value)
    } else if (entry !== undefined && ageMs < this.rules.ttlMs + this.rules.revalidateMs) {
      this.touch(key, entry)
      this.serveStale(key, entry, ageMs, undefined, call, out)
      if (!this.flights.has(key)) this.newFlight(key, call as CallState).begin(next)
    } else this.ask(next, call as CallState, key, out)
  }

  reconfigure(rules: CacheRules): void {
    this.rules = rules
    this.trim()
  }

  invalidate(key: string): boolean {
    const flight = this.flights.get(key)
    if (flight !== undefined) flight.outdated = true
    for (const other of this.apart) if (other.key === key) other.outdated = true
    this.flights.delete(key)
    return this.entries.delete(key)
  }

  clear(): void {
    for (const flight of [...this.flights.values(), ...this.apart]) flight.outdated = true
    this.flights.clear()
    this.entries.clear()
  }

  ageOf({ storedAt }: Entry): number {
    return Math.max(0, this.rules.clock.now() - storedAt)
  }

  /** A flight has its answer: keeps it if it may be kept, and says whether it has. */
  landed(flight: Flight, ok: boolean, value: unknown): boolean {
    this.left(flight)
    if (!ok || flight.outdated || !this.isCacheable(value)) return false
    this.entries.delete(flight.key)
    this.entries.set(flight.key, { value, storedAt: this.rules.clock.now() })
    this.trim()
    return true
  }

  /** Nobody may join a flight any more. */
  left(flight: Flight): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key)
    else this.apart.delete(flight)
  }

  /** What a caller gets for an answer that failed. */
  answerFailure(key: string, failure: unknown, call: Call, out: Sink): void {
    const entry = this.entries.get(key)
    const ageMs = entry === undefined ? Infinity : this.ageOf(entry)
    const { ttlMs, ifErrorMs } = this.rules
    const error = toError(failure)
    if (entry !== undefined && ageMs < ttlMs + ifErrorMs && this.mayBeStale(error)) this.serveStale(key, entry, ageMs, error, call, out)
    else out.settle(false, failure)
  }

  refreshFailed(key: string, failure: unknown): void {
    const { name, clock } = this.rules
    if (this.events.active)
      this.events.emit({ type: 'cache.refresh-failed', policy: name, at: clock.wallNow(), key, error: toError(failure) })
  }

  private ask(next: Layer, call: CallState, key: string, out: Sink): void {
    const known = this.rules.coalesce ? this.flights.get(key) : undefined
    if (known !== undefined) {
      this.coalesced++
      known.join(call, out)
      return
    }
    this.misses++
    const flight = this.newFlight(key, call)
    flight.lead(call, out)
    flight.begin(next)
  }

  private newFlight(key: string, call: CallState): Flight {
    const flight = new Flight(this, key, call)
    const before = this.flights.get(key)
    if (before !== undefined) this.apart.add(before)
    this.flights.set(key, flight)
    return flight
  }

  private serveStale(key: string, { value }: Entry, ageMs: number, error: unknown, call: Call, out: Sink): void {
    this.staleServed++
    const { name, clock, onStale } = this.rules
    if (this.events.active) this.events.emit({ type: 'cache.stale-served', policy: name, at: clock.wallNow(), key, ageMs, error })
    if (onStale !== undefined) {
      try {
        const answer = onStale({ key, ageMs, error, context: call.context })
        if (isThenable(answer)) Promise.resolve(answer).catch((failure: unknown) => this.report('onStale', failure))
      } catch (failure) {
        this.report('onStale', failure)
      }
    }
    out.settle(true, value)
  }

  private touch(key: string, entry: Entry): void {
    this.entries.delete(key)
    this.entries.set(key, entry)
  }

  private trim(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.rules.maxEntries) return
      this.entries.delete(key)
      this.evicted++
    }
  }

  private keyOf(call: Call): string | undefined {
    try {
      const key: unknown = this.rules.keyOf(call)
      if (typeof key === 'string' || key === undefined) return key
      throw new TypeError(`keyOf must answer with a text or undefined, got ${show(key)}`)
    } catch (error) {
      this.report('keyOf', error)
      return undefined
    }
  }

  private isCacheable(value: unknown): boolean {
    const { isCacheable } = this.rules
    return isCacheable === undefined || this.asks('isCacheable', isCacheable, value)
  }

  private mayBeStale(error: unknown): boolean {
    const { staleOn } = this.rules
    return staleOn === undefined || this.asks('staleOn', staleOn, error)
  }

  /** The answer of a user's predicate; one that throws says no. */
  private asks(callback: string, predicate: (input: unknown) => boolean, input: unknown): boolean {
    try {
      return askPredicate(callback, predicate, input)
    } catch (error) {
      this.report(callback, error)
      return false
    }
  }

  private report(callback: string, error: unknown): void {
    const { name, clock } = this.rules
    if (this.events.active) this.events.emit({ type: 'cache.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }
}
