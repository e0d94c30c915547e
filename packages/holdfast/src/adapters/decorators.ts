import { HoldfastError } from '../core/errors.ts'
import { show } from '../core/options.ts'
import { pipeline } from '../core/pipeline.ts'
import type { Policy, PolicyLike } from '../core/policy.ts'
import type { PolicyEvent } from '../core/events.ts'
import type { Duration } from '../core/duration.ts'
import {
  bulkhead,
  circuitBreaker,
  fallback,
  rateLimiter,
  retry,
  timeout,
  type BulkheadOptions,
  type CircuitBreakerOptions,
  type FallbackOptions,
  type RateLimiterOptions,
  type RetryOptions,
} from '../patterns/index.ts'

type Method<This, A extends unknown[], R> = (this: This, ...args: A) => Promise<R>

/** A standard (TC39) decorator of asynchronous methods: static, private and public ones. */
export type MethodProtection = <This, A extends unknown[], R>(
  method: Method<This, A, R>,
  context: ClassMethodDecoratorContext<This, Method<This, A, R>>,
) => Method<This, A, R>

type AnyMethod = (this: unknown, ...args: unknown[]) => Promise<unknown>
type Wrap = (method: AnyMethod, name: string) => AnyMethod

/**
 * Runs a method under policies, outermost first. They are shared by all instances of the class.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT` where it does not decorate a method.
 * @example `class Search { @protect(retry(), breaker) async find(query: string) { … } }`
 */
export function protect(...policies: readonly PolicyLike[]): MethodProtection {
  const policy = composed(policies)
  return decorator('protect', (method) => policy.wrap(method))
}

/**
 * As {@link protect}, with policies of their own for each instance, which `make` is asked for at its first call. Static methods have
 * one set, as their class is one.
 */
export function protectEach(make: (instance: never) => PolicyLike | readonly PolicyLike[]): MethodProtection {
  return decorator('protectEach', (method) => {
    const known = new WeakMap<object, AnyMethod>()
    return function protectedMethod(this: unknown, ...args: unknown[]): Promise<unknown> {
      const instance = this as object
      let own = known.get(instance)
      if (own === undefined) {
        const made = make(instance as never)
        known.set(instance, (own = composed(Array.isArray(made) ? (made as PolicyLike[]) : [made as PolicyLike]).wrap(method)))
      }
      return own.apply(this, args)
    }
  })
}

/** A circuit breaker of its own, named after the method unless `name` is given. */
export function withCircuitBreaker(options: CircuitBreakerOptions<never> = {}): MethodProtection {
  return decorator('withCircuitBreaker', (method, name) => circuitBreaker({ name, ...options }).wrap(method))
}

/** A retry of its own, named after the method unless `name` is given. */
export function withRetry(options: RetryOptions = {}): MethodProtection {
  return decorator('withRetry', (method, name) => retry({ name, ...options }).wrap(method))
}

/** A timeout of its own, named after the method. */
export function withTimeout(after: Duration): MethodProtection {
  return decorator('withTimeout', (method, name) => timeout({ name, after }).wrap(method))
}

/** A bulkhead of its own, named after the method unless `name` is given. */
export function withBulkhead(options: BulkheadOptions): MethodProtection {
  return decorator('withBulkhead', (method, name) => bulkhead({ name, ...options }).wrap(method))
}

/** A rate limit of its own, named after the method unless `name` is given. */
export function withRateLimiter(options: RateLimiterOptions): MethodProtection {
  return decorator('withRateLimiter', (method, name) => rateLimiter({ name, ...options }).wrap(method))
}

/** A fallback of its own, named after the method unless `name` is given. */
export function withFallback<F>(options: FallbackOptions<F> & ({ readonly value: F } | { readonly handler: unknown })): MethodProtection {
  return decorator('withFallback', (method, name) =>
    fallback({ name, ...options } as FallbackOptions<F> & { readonly value: F }).wrap(method),
  )
}

function composed(policies: readonly PolicyLike[]): Policy<PolicyEvent, unknown> {
  const [only] = policies
  if (policies.length === 1 && typeof (only as { wrap?: unknown }).wrap === 'function')
    return only as unknown as Policy<PolicyEvent, unknown>
  return pipeline(...policies)
}

function decorator(owner: string, wrap: Wrap): MethodProtection {
  const decorate = (method: unknown, context: unknown): unknown => {
    const { kind, name } = checkedContext(owner, context)
    if (kind !== 'method' || typeof method !== 'function')
      throw misuse(owner, `decorates methods, not a ${kind}${name === '' ? '' : ` ('${name}')`}`)
    const guarded = wrap(method as AnyMethod, name)
    // what reads a function's name or counts its parameters finds those of the method
    Object.defineProperty(guarded, 'name', { value: method.name, configurable: true })
    Object.defineProperty(guarded, 'length', { value: method.length, configurable: true })
    return guarded
  }
  return decorate as MethodProtection
}

function checkedContext(owner: string, context: unknown): { readonly kind: string; readonly name: string } {
  if (typeof context === 'string' || typeof context === 'symbol') {
    throw misuse(owner, "is a standard decorator: take 'experimentalDecorators' out of the compiler's options")
  }
  const { kind, name } = (context ?? {}) as { kind?: unknown; name?: unknown }
  if (typeof kind !== 'string')
    throw misuse(owner, `must stand before a method as a decorator, with @; it was called with ${show(context)}`)
  if (typeof name === 'symbol') return { kind, name: name.description ?? 'method' }
  return { kind, name: typeof name === 'string' && name !== '' ? name : 'method' }
}

function misuse(owner: string, problem: string): HoldfastError {
  return new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', policy: owner, message: `@${owner} ${problem}` })
}
