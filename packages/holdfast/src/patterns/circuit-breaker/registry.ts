import { HoldfastError } from '../../core/errors.ts'
import type { Listener, Observable } from '../../core/events.ts'
import { checkOptionNames, functionOption, integerOption, show } from '../../core/options.ts'
import { CircuitBreakerPolicy, type CircuitBreaker } from './circuit-breaker.ts'
import { Circles } from './circuit-circle.ts'
import { CircuitGate } from './circuit-gate.ts'
import { Circle, ejectionCap, type EjectionCapOptions } from './circuit-group.ts'
import {
  changedSettings,
  circuitName,
  circuitOptionNames,
  circuitSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  type CircuitSettings,
} from './circuit-options.ts'
import { maxAgeOption, type RestoreOptions } from './circuit-snapshot.ts'
import type { CircuitEvent } from './events.ts'
import { checkedRegistrySnapshot, takeRegistrySnapshot, type CircuitRegistrySnapshot } from './registry-snapshot.ts'

export interface CircuitBreakerRegistryOptions extends CircuitBreakerOptions<never>, EjectionCapOptions {
  /** Breakers kept; beyond it the one that was asked for longest ago and refuses nothing is dropped. @defaultValue 10_000 */
  readonly maxKeys?: number
  /** Hears of a key whose breaker was dropped. */
  readonly onDrop?: (key: string, breaker: CircuitBreaker) => void
}

/** What may change while a registry is in use. */
export interface CircuitBreakerRegistrySettings extends CircuitBreakerSettings, EjectionCapOptions {
  /** @defaultValue 10_000 */
  readonly maxKeys?: number
}

/** One breaker per key: per host, model, tenant or shard. */
export interface CircuitBreakerRegistry extends Observable<CircuitEvent> {
  readonly name: string
  /**
   * The breaker of a key, made when first asked for. Named `name/key`.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` when the key is no text, and when all breakers kept are open or otherwise not closed: none is dropped silently.
   */
  get(key: string): CircuitBreaker
  has(key: string): boolean
  readonly size: number
  /** Breakers that are neither closed nor disabled. */
  readonly openCount: number
  entries(): IterableIterator<[string, CircuitBreaker]>
  /** Hears the events of all breakers, also of those made later. */
  on(listener: Listener<CircuitEvent>): () => void
  /**
   * Puts other rules into force for all breakers, those made later included; see {@link CircuitBreaker.reconfigure}. With a smaller
   * `maxKeys`, what may be dropped is dropped at once, and the others as soon as they may.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: CircuitBreakerRegistrySettings): void
  /** The states of all breakers of which there is something to say, as JSON. */
  snapshot(): CircuitRegistrySnapshot
  /**
   * Restores the breakers of a snapshot, made where they are missing; see {@link CircuitBreaker.restore}. Answers how many were put
   * into force: those that are too old are left out.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` for what is no snapshot of this registry, and when it holds more breakers that are not
   * closed than `maxKeys`; nothing has changed then.
   */
  restore(snapshot: CircuitRegistrySnapshot, options?: RestoreOptions): number
}

/** Keyed circuit breakers in bounded memory. A breaker that refuses calls is never dropped for lack of room. */
export function circuitBreakers(options: CircuitBreakerRegistryOptions = {}): CircuitBreakerRegistry {
  return new Registry(options)
}

const ownOptionNames = ['maxKeys', 'maxOpen', 'maxOpenRatio', 'onDrop'] as const
const longestName = 200
const defaultMaxKeys = 10_000

class Registry implements CircuitBreakerRegistry {
  readonly name: string
  private maxKeys: number
  private settings: CircuitSettings
  private readonly circle: Circle
  private readonly circles: Circles
  private readonly onDrop: ((key: string, breaker: CircuitBreaker) => void) | undefined
  /** In the order of their last use. */
  private readonly breakers = new Map<string, CircuitBreakerPolicy>()

  constructor(options: CircuitBreakerRegistryOptions) {
    checkOptionNames('circuitBreakers', options, [...circuitOptionNames, ...ownOptionNames])
    const { maxKeys = defaultMaxKeys, maxOpen, maxOpenRatio, onDrop, ...rest } = options
    this.name = circuitName(rest)
    this.settings = circuitSettings(this.name, rest)
    this.maxKeys = integerOption(this.name, 'maxKeys', maxKeys, { min: 1 })
    this.circle = new Circle(this.name, ejectionCap(this.name, capOf({ maxOpen, maxOpenRatio })), Infinity)
    this.onDrop = functionOption(this.name, 'onDrop', onDrop)
    const { group } = this.settings
    this.circles = new Circles(group === undefined ? [this.circle] : [this.circle, group])
  }

  get(key: string): CircuitBreaker {
    let breaker = this.breakers.get(key)
    if (breaker === undefined) breaker = this.add(key)
    else this.breakers.delete(key)
    this.breakers.set(key, breaker)
    return breaker as unknown as CircuitBreaker
  }

  has(key: string): boolean {
    return this.breakers.has(key)
  }

  get size(): number {
    return this.breakers.size
  }

  get openCount(): number {
    return this.settings.control?.isolated === true ? this.breakers.size : this.circle.openCount
  }

  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.breakers.entries() as IterableIterator<[string, unknown]> as IterableIterator<[string, CircuitBreaker]>
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.circle.on(listener)
  }

  reconfigure(options: CircuitBreakerRegistrySettings): void {
    const { maxKeys = defaultMaxKeys, maxOpen, maxOpenRatio, ...rest } = options
    const settings = changedSettings(this.name, this.settings, rest)
    const cap = ejectionCap(this.name, capOf({ maxOpen, maxOpenRatio }))
    this.maxKeys = integerOption(this.name, 'maxKeys', maxKeys, { min: 1 })
    this.settings = settings
    this.circle.cap = cap
    for (const { gate } of this.breakers.values()) gate.reconfigure(settings)
    while (this.breakers.size > this.maxKeys && this.dropOne());
  }

  snapshot(): CircuitRegistrySnapshot {
    return takeRegistrySnapshot(this.name, this.settings.clock.wallNow(), this.breakers)
  }

  restore(given: CircuitRegistrySnapshot, options: RestoreOptions = {}): number {
    const maxAge = maxAgeOption(this.name, options)
    const roomFor = (keys: ReadonlySet<string>): number => {
      const others = [...this.breakers].filter(([key, { gate }]) => !keys.has(key) && this.circle.has(gate))
      return this.maxKeys - others.length
    }
    const saved = checkedRegistrySnapshot(this.name, given, (key) => this.nameOf(key), roomFor)
    let restored = 0
    for (const { key, breaker } of saved) if (this.get(key).restore(breaker, { maxAge })) restored++
    return restored
  }

  private add(key: string): CircuitBreakerPolicy {
    if (typeof key !== 'string') throw this.invalid(`a key must be a text, got ${show(key)}`)
    if (this.breakers.size >= this.maxKeys && !this.dropOne()) {
      throw this.invalid(`all ${this.maxKeys} circuit breakers kept are open or isolated, and none of them may be dropped; raise 'maxKeys'`)
    }
    return new CircuitBreakerPolicy(new CircuitGate(this.nameOf(key), this.settings, this.circles), undefined)
  }

  private nameOf(key: string): string {
    return `${this.name}/${key}`.slice(0, longestName)
  }

  /** Drops the breaker that was asked for longest ago and refuses nothing; false when there is none. */
  private dropOne(): boolean {
    const key = this.longestUnused((gate) => !this.circle.has(gate)) ?? this.longestUnused(waitsForProbe)
    const breaker = key === undefined ? undefined : this.breakers.get(key)
    if (key === undefined || breaker === undefined) return false
    this.breakers.delete(key)
    breaker.gate.leaveAllCircles() // it may be used on, but belongs here no more
    try {
      this.onDrop?.(key, breaker as unknown as CircuitBreaker)
    } catch {
      // like a listener's failure, it is its own
    }
    return true
  }

  private longestUnused(mayGo: (gate: CircuitGate) => boolean): string | undefined {
    for (const [key, { gate }] of this.breakers) if (mayGo(gate)) return key
    return undefined
  }

  private invalid(message: string): HoldfastError {
    return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', policy: this.name, message: `${this.name}: ${message}` })
  }
}

/** Without the options that were not given. */
function capOf({ maxOpen, maxOpenRatio }: { maxOpen: number | undefined; maxOpenRatio: number | undefined }): EjectionCapOptions {
  return { ...(maxOpen === undefined ? {} : { maxOpen }), ...(maxOpenRatio === undefined ? {} : { maxOpenRatio }) }
}

/** Whether a circuit's open time is over and nobody probes it: it would let the next call through anyway. */
function waitsForProbe(gate: CircuitGate): boolean {
  const now = gate.settings.clock.now()
  return gate.beneathControl(now).state === 'half-open' && (gate.probation === undefined || gate.probation.countsAt(now).running === 0)
}
