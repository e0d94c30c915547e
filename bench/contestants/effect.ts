import { Context, Effect, Layer, ManagedRuntime } from 'effect'
import * as CircuitBreaker from 'effect/persistence/CircuitBreaker'
import * as RateLimiter from 'effect/persistence/RateLimiter'
import type { TimedContestant } from '../case.ts'
import { names } from './common.ts'
import { work } from './work.ts'

/** Effect pays for entering its runtime once per program: inside, many calls share one. */
const callsPerProgram = 500

type Program = Effect.Effect<unknown, unknown>

/** The protected work as an effect. */
export const effectWork: Effect.Effect<number, unknown> = Effect.tryPromise(work)

/** A call from ordinary code, and calls from code that is itself written with Effect. */
export function viaEffect(program: Program, works = 1): readonly TimedContestant[] {
  const many = Effect.suspend(() => {
    let left = callsPerProgram
    return Effect.whileLoop({ while: () => left > 0, body: () => program, step: () => void left-- })
  })
  return [
    { name: names.effect, role: 'peer', call: () => Effect.runPromise(program), works },
    { name: `${names.effect}, inside a fiber`, role: 'peer', call: () => Effect.runPromise(many), operations: callsPerProgram, works },
  ]
}

export async function effectBreaker(
  tripPolicy: CircuitBreaker.TripPolicy = CircuitBreaker.consecutive(5),
): Promise<CircuitBreaker.CircuitBreaker> {
  const layer = CircuitBreaker.layer({ tripPolicy, openDuration: '60 seconds' })
  return service(CircuitBreaker.CircuitBreaker, layer.pipe(Layer.provide(CircuitBreaker.layerStoreMemory())))
}

export async function effectLimiter(): Promise<RateLimiter.RateLimiter> {
  return service(RateLimiter.RateLimiter, RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)))
}

/** A policy that remembers the outcomes of the last calls. */
export const effectRatePolicy: CircuitBreaker.TripPolicy = CircuitBreaker.rate({ threshold: 0.5, size: 10, minimumCalls: 10 })

function service<I, S>(tag: Context.Key<I, S>, layer: Layer.Layer<I>): Promise<S> {
  return ManagedRuntime.make(layer).runPromise(Effect.map(Effect.context<I>(), (context) => Context.get(context, tag)))
}
