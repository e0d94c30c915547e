import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener, type Observable } from '../../core/events.ts'
import { checkOptionNames, functionOption, integerOption, ratioOption, show } from '../../core/options.ts'
import { newCircuitBreaker, type CircuitBreaker } from './circuit-breaker.ts'
import type { CircuitGroup } from './circuit-gate.ts'
import { circuitOptionNames, type CircuitBreakerOptions } from './circuit-options.ts'
import type { CircuitEvent, CircuitState } from './events.ts'

export interface CircuitBreakerRegistryOptions extends CircuitBreakerOptions<never> {
  /** Breakers kept; beyond it the one that was asked for longest ago and refuses nothing is dropped. @defaultValue 10_000 */
  readonly maxKeys?: number
  /** Share of the breakers that may be open at once, 0..1: beyond it a further one stays closed. At least one may open. @defaultValue 1 */
  readonly maxOpenRatio?: number
  /** Hears of a key whose breaker was dropped. */
  readonly onDrop?: (key: string, breaker: CircuitBreaker) => void
}

/** One breaker per key: per host, model, tenant or shard. */
export interface CircuitBreakerRegistry extends Observable<CircuitEvent> {
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
}

/** Keyed circuit breakers in bounded memory. A breaker that refuses calls is never dropped for lack of room. */
export function circuitBreakers(options: CircuitBreakerRegistryOptions = {}): CircuitBreakerRegistry {
  return new Registry(options)
}

const longestName = 200

class Registry implements CircuitBreakerRegistry {
  private readonly name: string
  private readonly maxKeys: number
  private readonly maxOpenRatio: number
  private readonly settings: CircuitBreakerOptions<never>
  private readonly onDrop: ((key: string, breaker: CircuitBreaker) => void) | undefined
  private readonly events = new EventHub<CircuitEvent>()
  /** In the order of their last use. */
  private readonly breakers = new Map<string, CircuitBreaker>()
  private readonly openKeys = new Set<string>()

  constructor(options: CircuitBreakerRegistryOptions) {
    checkOptionNames('circuitBreakers', options, [...circuitOptionNames, 'maxKeys', 'maxOpenRatio', 'onDrop'])
    const { maxKeys = 10_000, maxOpenRatio = 1, onDrop, ...settings } = options
    this.name = newCircuitBreaker(settings).name // bad options are told now, not with the first key
    this.maxKeys = integerOption(this.name, 'maxKeys', maxKeys, { min: 1 })
    this.maxOpenRatio = ratioOption(this.name, 'maxOpenRatio', maxOpenRatio)
    this.onDrop = functionOption(this.name, 'onDrop', onDrop)
    this.settings = settings
  }

  get(key: string): CircuitBreaker {
    let breaker = this.breakers.get(key)
    if (breaker === undefined) breaker = this.add(key)
    else this.breakers.delete(key)
    this.breakers.set(key, breaker)
    return breaker
  }

  has(key: string): boolean {
    return this.breakers.has(key)
  }

  get size(): number {
    return this.breakers.size
  }

  get openCount(): number {
    return this.settings.control?.isolated === true ? this.breakers.size : this.openKeys.size
  }

  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.breakers.entries()
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.events.on(listener)
  }

  private add(key: string): CircuitBreaker {
    if (typeof key !== 'string') throw this.invalid(`a key must be a text, got ${show(key)}`)
    if (this.breakers.size >= this.maxKeys) this.dropOne()
    const group: CircuitGroup = {
      events: this.events,
      mayOpen: this.maxOpenRatio === 1 ? undefined : () => this.mayOpen(),
      changed: (state) => {
        if (made !== undefined && this.breakers.get(key) === made) this.note(key, state) // one that was dropped counts no more
      },
    }
    const name = `${this.name}/${key}`.slice(0, longestName)
    let made: CircuitBreaker | undefined
    made = newCircuitBreaker({ ...this.settings, name }, group) as CircuitBreaker
    return made
  }

  private note(key: string, state: CircuitState): void {
    if (state === 'closed' || state === 'disabled') this.openKeys.delete(key)
    else this.openKeys.add(key)
  }

  private mayOpen(): boolean {
    return this.openCount < Math.max(1, Math.floor(this.breakers.size * this.maxOpenRatio))
  }

  private dropOne(): void {
    const key = this.longestUnused((each) => !this.openKeys.has(each)) ?? this.longestUnused((_, breaker) => waitsForProbe(breaker))
    const breaker = key === undefined ? undefined : this.breakers.get(key)
    if (key === undefined || breaker === undefined) {
      throw this.invalid(`all ${this.maxKeys} circuit breakers kept are open or isolated, and none of them may be dropped; raise 'maxKeys'`)
    }
    this.breakers.delete(key)
    this.openKeys.delete(key)
    try {
      this.onDrop?.(key, breaker)
    } catch {
      // like a listener's failure, it is its own
    }
  }

  private longestUnused(mayGo: (key: string, breaker: CircuitBreaker) => boolean): string | undefined {
    for (const [key, breaker] of this.breakers) if (mayGo(key, breaker)) return key
    return undefined
  }

  private invalid(message: string): HoldfastError {
    return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', policy: this.name, message: `${this.name}: ${message}` })
  }
}

/** Whether a circuit's open time is over and nobody probes it: it would let the next call through anyway. */
function waitsForProbe(breaker: CircuitBreaker): boolean {
  return breaker.status().probes?.running === 0
}
