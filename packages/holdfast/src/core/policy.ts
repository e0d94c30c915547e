import type { Duration } from './duration.ts'
import type { Call, Cost, Labels, Priority } from './call.ts'
import type { Clock } from './clock.ts'
import { Executor } from './executor.ts'
import type { Listener, Observable, PolicyEvent } from './events.ts'
import type { Part } from './layer.ts'
import { parts } from './parts.ts'
import type { Outcome } from './sinks.ts'

/** What a caller may say about one call. */
export interface CallOptions {
  /** Aborting it gives the call up at once, wherever it is: waiting, backing off or running. */
  readonly signal?: AbortSignal | undefined
  /** How long the caller waits in all, from now. */
  readonly deadline?: Duration | undefined
  /** Caller, tenant or operation, for keyed policies. */
  readonly key?: string | undefined
  /** Names the effect the call is to have once and no more: all calls with the same key are the same request. */
  readonly idempotencyKey?: string | undefined
  /** @defaultValue 'normal' */
  readonly priority?: Priority | undefined
  /** What the call uses of rate limits. @defaultValue 1 of each */
  readonly cost?: Cost | undefined
  /** Short texts that tell calls apart in events and traces: the operation, the model. Never secrets. */
  readonly labels?: Labels | undefined
  /** Anything; policies' functions and the protected function find it on the call. */
  readonly context?: unknown
}

/** A policy as plain data: what configuration, dashboard and documentation read. Durations in ms. */
export interface PolicyDescription {
  readonly kind: string
  readonly name: string
  readonly [setting: string]: unknown
}

/** `pass` | `warn` (works, but degraded) | `fail` | `unknown`, with the reason in words when it is not `pass`. */
export interface HealthRecord {
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown'
  readonly reason?: string
}

/** Only a type: it lets {@link AlternativeOf} read what a generic method cannot tell. No policy has it. */
declare const alternative: unique symbol

/**
 * A protection around function calls. Immutable settings, shared by any number of concurrent calls. `Alternative` is what
 * its calls may answer instead of the function's own result.
 */
export interface Policy<E extends PolicyEvent = PolicyEvent, Alternative = never> extends Observable<E> {
  readonly name: string
  readonly kind: string
  readonly [parts]: Part | readonly Part[]
  readonly [alternative]: Alternative
  /**
   * Calls `run` under this policy and settles as it does.
   * @throws whatever `run` throws, untouched; a HoldfastError when a policy refuses or gives up; the reason of an aborted signal.
   */
  execute<T>(run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<T | Alternative>
  /** As {@link Policy.execute}, but never rejects; a refusal comes as plain data and costs no error. */
  tryExecute<T>(run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<Outcome<T | Alternative>>
  /** The same function, protected. */
  wrap<This, A extends unknown[], R>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => Promise<Awaited<R> | Alternative>
  describe(): PolicyDescription
  /** What is going on, as plain data. Reading it changes nothing. */
  status(): PolicyStatus
  health(): HealthRecord
}

export interface PolicyStatus {
  readonly kind: string
  readonly name: string
  readonly [figure: string]: unknown
}

/** What a policy's calls may answer instead of the function's own result; unknown of one that does not say. */
export type AlternativeOf<P> = P extends { readonly [alternative]: infer Alternative } ? Alternative : unknown

/** What custom policies have to be for {@link pipeline} to take them. */
export interface PolicyLike {
  readonly name?: string
  readonly [parts]: Part | readonly Part[]
}

/** What all policies of this package share: the ways to run a function. */
export abstract class BasePolicy<E extends PolicyEvent = PolicyEvent, Alternative = never> implements Policy<E, Alternative> {
  declare readonly [alternative]: Alternative
  abstract readonly kind: string
  readonly name: string
  readonly clock: Clock
  abstract readonly [parts]: readonly Part[]
  private made: Executor | undefined = undefined

  protected constructor(name: string, clock: Clock) {
    this.name = name
    this.clock = clock
  }

  protected get executor(): Executor {
    return (this.made ??= new Executor(this[parts], this.clock))
  }

  execute<T>(run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<T | Alternative> {
    return this.executor.execute(run, options) as Promise<T | Alternative>
  }

  tryExecute<T>(run: (call: Call) => T | PromiseLike<T>, options?: CallOptions): Promise<Outcome<T | Alternative>> {
    return this.executor.tryExecute(run, options) as Promise<Outcome<T | Alternative>>
  }

  wrap<This, A extends unknown[], R>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => Promise<Awaited<R> | Alternative> {
    const { executor } = this
    executor.checkFunction(run)
    return function protectedFunction(this: This, ...args: A): Promise<Awaited<R> | Alternative> {
      return executor.execute(() => run.apply(this, args), undefined) as Promise<Awaited<R> | Alternative>
    }
  }

  abstract on(listener: Listener<E>): () => void
  abstract describe(): PolicyDescription
  abstract status(): PolicyStatus

  health(): HealthRecord {
    return { status: 'pass' }
  }
}
