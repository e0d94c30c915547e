import { HoldfastError } from '../../core/errors.ts'
import { integerOption, invalidOption, ratioOption } from '../../core/options.ts'
import { newCircuitBreaker, type CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts'

export interface CircuitBreakerRegistryOptions extends CircuitBreakerOptions<never> {
  /** Breakers kept; beyond it the closed one that was asked for longest ago is dropped. @defaultValue 10_000 */
  readonly maxKeys?: number
  /** Share of the breakers that may be open at once, 0..1: beyond it a further one stays closed. At least one may open. @defaultValue 1 */
  readonly maxOpenRatio?: number
  /** Hears of a key whose breaker was dropped. */
  readonly onDrop?: (key: string) => void
}

/** One breaker per key: per host, model, tenant or shard. */
export interface CircuitBreakerRegistry {
  /**
   * The breaker of a key, made when first asked for. Named `name/key`.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` when all breakers kept are open or otherwise not closed: none is dropped silently.
   */
  get(key: string): CircuitBreaker
  has(key: string): boolean
  readonly size: number
  /** Breakers that are not closed. */
  readonly openCount: number
  entries(): IterableIterator<[string, CircuitBreaker]>
}

/** Keyed circuit breakers in bounded memory. An open breaker is never dropped for lack of room. */
export function circuitBreakers(options: CircuitBreakerRegistryOptions = {}): CircuitBreakerRegistry {
  return new Registry(options)
}

class Registry implements CircuitBreakerRegistry {
  private readonly name: string
  private readonly maxKeys: number
  private readonly maxOpenRatio: number
  private readonly settings: CircuitBreakerOptions<never>
  private readonly onDrop: ((key: string) => void) | undefined
  /** In the order of their last use. */
  private readonly breakers = new Map<string, CircuitBreaker>()

  constructor(options: CircuitBreakerRegistryOptions) {
    const { maxKeys = 10_000, maxOpenRatio = 1, onDrop, ...settings } = options
    this.name = settings.name ?? 'circuit-breaker'
    this.maxKeys = integerOption(this.name, 'maxKeys', maxKeys, { min: 1 })
    this.maxOpenRatio = ratioOption(this.name, 'maxOpenRatio', maxOpenRatio)
    if (onDrop !== undefined && typeof onDrop !== 'function') throw invalidOption(this.name, 'onDrop', onDrop, 'a function')
    this.onDrop = onDrop
    this.settings = settings
    newCircuitBreaker(settings) // bad options are told now, not with the first key
  }

  get(key: string): CircuitBreaker {
    let breaker = this.breakers.get(key)
    if (breaker === undefined) {
      if (this.breakers.size >= this.maxKeys) this.dropOne()
      breaker = newCircuitBreaker({ ...this.settings, name: `${this.name}/${key}` }, () => this.mayOpen()) as CircuitBreaker
    } else this.breakers.delete(key)
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
    let count = 0
    for (const breaker of this.breakers.values()) if (breaker.state !== 'closed' && breaker.state !== 'disabled') count++
    return count
  }

  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.breakers.entries()
  }

  private mayOpen(): boolean {
    return this.openCount < Math.max(1, Math.floor(this.breakers.size * this.maxOpenRatio))
  }

  private dropOne(): void {
    for (const [key, breaker] of this.breakers) {
      if (breaker.state !== 'closed') continue
      this.breakers.delete(key)
      this.onDrop?.(key)
      return
    }
    throw new HoldfastError({
      code: 'ERR_INVALID_ARGUMENT',
      policy: this.name,
      message: `${this.name}: all ${this.maxKeys} circuit breakers kept are open or isolated, and none of them may be dropped; raise 'maxKeys'`,
    })
  }
}
