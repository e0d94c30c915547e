import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { HoldfastError } from '../../core/errors.ts'
import type { Listener, Observable } from '../../core/events.ts'
import { checkOptionNames, integerOption, invalidOption, nameOption, show } from '../../core/options.ts'
import type { CallOptions, HealthRecord, PolicyDescription } from '../../core/policy.ts'
import type { Outcome } from '../../core/sinks.ts'
import { suggest } from '../../core/suggest.ts'
import {
  singleBulkhead,
  type Bulkhead,
  type BulkheadEvent,
  type BulkheadOptions,
  type BulkheadSettings,
  type BulkheadStatus,
} from './bulkhead.ts'
import { defaultPools, type DefaultPool } from './pools.ts'

export interface BulkheadManagerOptions<Name extends string = DefaultPool> {
  /**
   * Every pool by name, in place of the default ones.
   * @defaultValue `llm_calls` (50 places), `database_operations` (100), `memory_operations` (200), `tool_executions` (30) and
   * `file_operations` (20), each with as many seats in its queue
   */
  readonly pools?: Readonly<Record<Name, BulkheadSettings>>
  /** Pools there may be, those made later included. @defaultValue 100 */
  readonly maxPools?: number
  /** Begins the names of the pools in errors and events: `resources/llm_calls`. @defaultValue 'resources' */
  readonly name?: string
  readonly clock?: Clock
}

export interface BulkheadManagerStatus {
  readonly kind: 'bulkhead-manager'
  readonly name: string
  readonly pools: Readonly<Record<string, BulkheadStatus>>
}

/** Bulkheads by the name of the resource they guard. `Name`: those known when it was made. */
export interface BulkheadManager<Name extends string = string> extends Observable<BulkheadEvent>, Disposable {
  readonly kind: 'bulkhead-manager'
  readonly name: string
  readonly poolNames: readonly string[]
  /**
   * The pool itself, for pipelines.
   * @throws HoldfastError `ERR_UNKNOWN_NAME`.
   */
  get(pool: Name): Bulkhead
  /** The same for names that only the running program knows; undefined when there is no such pool. */
  find(pool: string): Bulkhead | undefined
  /**
   * Makes another pool.
   * @throws HoldfastError `ERR_DUPLICATE_NAME`; `ERR_INVALID_OPTION`; `ERR_INVALID_ARGUMENT` when there are `maxPools`.
   */
  create(pool: string, settings: BulkheadSettings): Bulkhead
  /** Takes a pool out: those who wait for it are turned away, those who run go on. Answers whether there was one. */
  remove(pool: string): boolean
  /**
   * Runs a function in a pool.
   * @throws what the function throws; HoldfastError `ERR_BULKHEAD_FULL`, `ERR_BULKHEAD_WAIT`; `ERR_UNKNOWN_NAME`.
   */
  execute<T>(pool: Name, run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<T>
  /** As {@link BulkheadManager.execute}, but never rejects; a refusal comes as plain data. */
  tryExecute<T>(pool: Name, run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<Outcome<T>>
  describe(): PolicyDescription
  status(): BulkheadManagerStatus
  /** Warns while a pool has neither a place nor a seat. */
  health(): HealthRecord
  /** Sets the totals of all pools to zero. Places and waiters stay as they are: resetting figures heals nothing. */
  resetStatistics(): void
  /** Disposes of all pools; none can be made any more. */
  dispose(): void
}

/**
 * Gives each kind of resource places of its own, by name, so that slow tools cannot take the places of the database.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const resources = bulkheadManager(); await resources.execute('llm_calls', () => complete(prompt))`
 */
export function bulkheadManager<Name extends string = DefaultPool>(options: BulkheadManagerOptions<Name> = {}): BulkheadManager<Name> {
  return new ResourcePools(options)
}

class ResourcePools implements BulkheadManager {
  readonly kind = 'bulkhead-manager' as const
  readonly name: string
  private readonly clock: Clock
  private readonly maxPools: number
  private readonly pools = new Map<string, Bulkhead>()
  private readonly subscriptions = new Set<Subscription>()
  private disposed = false

  constructor(options: BulkheadManagerOptions<string>) {
    checkOptionNames('bulkheadManager', options, ['pools', 'maxPools', 'name', 'clock'])
    this.name = nameOption('resources', options.name)
    this.clock = options.clock ?? systemClock
    this.maxPools = integerOption(this.name, 'maxPools', options.maxPools ?? 100, { min: 1 })
    const pools: Readonly<Record<string, BulkheadSettings>> = options.pools === undefined ? defaultPools : options.pools
    if (typeof pools !== 'object' || pools === null) throw invalidOption(this.name, 'pools', pools, 'an object of pools by their names')
    for (const [pool, settings] of Object.entries(pools)) this.create(pool, settings)
  }

  get poolNames(): readonly string[] {
    return [...this.pools.keys()]
  }

  get(pool: string): Bulkhead {
    const found = this.pools.get(pool)
    if (found === undefined) throw this.unknown(pool)
    return found
  }

  find(pool: string): Bulkhead | undefined {
    return this.pools.get(pool)
  }

  create(pool: string, settings: BulkheadSettings): Bulkhead {
    if (this.disposed) throw new HoldfastError({ code: 'ERR_DISPOSED', policy: this.name })
    if (typeof pool !== 'string' || pool === '') throw invalidOption(this.name, 'pool', pool, 'a name')
    if (this.pools.has(pool)) {
      throw new HoldfastError({ code: 'ERR_DUPLICATE_NAME', policy: this.name, message: `${this.name}: there is a pool '${pool}' already` })
    }
    if (this.pools.size >= this.maxPools) {
      const message = `${this.name}: there are ${this.maxPools} pools already; raise 'maxPools', or remove one`
      throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', policy: this.name, message })
    }
    for (const option of ['name', 'clock'] as const) {
      const given = (settings as Partial<BulkheadOptions> | undefined)?.[option]
      if (given !== undefined) throw invalidOption(`${this.name}/${pool}`, option, given, 'absent: the manager has it for all pools')
    }
    const made = singleBulkhead({ ...settings, name: `${this.name}/${pool}`, clock: this.clock })
    this.pools.set(pool, made)
    for (const subscription of this.subscriptions) subscription.add(pool, made)
    return made
  }

  remove(pool: string): boolean {
    const found = this.pools.get(pool)
    if (found === undefined) return false
    this.pools.delete(pool)
    found.dispose()
    for (const subscription of this.subscriptions) subscription.remove(pool)
    return true
  }

  // async: an unknown name rejects, as every other failure of a call does
  async execute<T>(pool: string, run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<T> {
    return this.get(pool).execute(run, options)
  }

  async tryExecute<T>(pool: string, run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<Outcome<T>> {
    const found = this.pools.get(pool)
    if (found !== undefined) return found.tryExecute(run, options)
    return { ok: false, error: this.unknown(pool) }
  }

  on(listener: Listener<BulkheadEvent>): () => void {
    const subscription = new Subscription(listener, this.pools)
    this.subscriptions.add(subscription)
    return () => {
      this.subscriptions.delete(subscription)
      subscription.end()
    }
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, maxPools: this.maxPools, pools: this.ofEach((pool) => pool.describe()) }
  }

  status(): BulkheadManagerStatus {
    return { kind: this.kind, name: this.name, pools: this.ofEach((pool) => pool.status()) }
  }

  health(): HealthRecord {
    if (this.disposed) return { status: 'fail', reason: `'${this.name}' has been disposed of` }
    const troubled = [...this.pools.values()].map((pool) => pool.health()).filter(({ status }) => status !== 'pass')
    if (troubled.length === 0) return { status: 'pass' }
    return { status: 'warn', reason: troubled.map(({ reason }) => reason).join('; ') }
  }

  resetStatistics(): void {
    for (const pool of this.pools.values()) pool.resetStatistics()
  }

  dispose(): void {
    this.disposed = true
    for (const pool of this.pools.values()) pool.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private unknown(pool: unknown): HoldfastError {
    const near = suggest(String(pool), this.poolNames)
    const hint = near === undefined ? `there are: ${this.poolNames.join(', ') || 'none'}` : `did you mean '${near}'?`
    const message = `${this.name}: there is no pool ${show(pool)} (${hint})`
    return new HoldfastError({ code: 'ERR_UNKNOWN_NAME', policy: this.name, message })
  }

  private ofEach<T>(read: (pool: Bulkhead) => T): Readonly<Record<string, T>> {
    return Object.fromEntries([...this.pools].map(([name, pool]) => [name, read(pool)]))
  }
}

/** A listener to all pools, those made later included. */
class Subscription {
  private readonly listener: Listener<BulkheadEvent>
  private readonly ends = new Map<string, () => void>()

  constructor(listener: Listener<BulkheadEvent>, pools: ReadonlyMap<string, Bulkhead>) {
    this.listener = listener
    for (const [name, pool] of pools) this.add(name, pool)
  }

  add(name: string, pool: Bulkhead): void {
    this.ends.set(name, pool.on(this.listener))
  }

  remove(name: string): void {
    this.ends.get(name)?.()
    this.ends.delete(name)
  }

  end(): void {
    for (const name of this.ends.keys()) this.remove(name)
  }
}
