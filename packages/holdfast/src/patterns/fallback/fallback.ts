import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { checkOptionNames, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import { SubstituteFlow } from '../../core/substitute.ts'

export interface FallbackOptions<F = unknown> {
  /** The answer to give instead. Either this or `handler`. */
  readonly value?: F
  /** Makes the answer, with the error in hand; what it throws is what the caller gets. */
  readonly handler?: (error: unknown, call: Call) => F | PromiseLike<F>
  /** Which failures are answered. @defaultValue all of them, refusals included; the caller's own abort never is */
  readonly when?: (error: unknown) => boolean
  /** @defaultValue 'fallback' */
  readonly name?: string
  readonly clock?: Clock
}

export interface FallbackUsed extends PolicyEvent {
  readonly type: 'fallback.used'
  /** What the call failed with. */
  readonly error: unknown
}

export interface FallbackFailed extends PolicyEvent {
  readonly type: 'fallback.failed'
  /** What the handler failed with. */
  readonly error: unknown
}

export type FallbackEvent = FallbackUsed | FallbackFailed

export interface FallbackStatus {
  readonly kind: 'fallback'
  readonly name: string
  /** Calls answered instead, ever. */
  readonly used: number
  /** Times the handler failed as well, ever. */
  readonly failed: number
  readonly [figure: string]: unknown
}

export interface Fallback<F = unknown> extends Policy<FallbackEvent, F> {
  readonly kind: 'fallback'
  status(): FallbackStatus
}

const optionNames = ['value', 'handler', 'when', 'name', 'clock'] as const

/**
 * Answers in place of a failed call: with a value, or with what a function makes of the error.
 * @throws whatever the handler throws.
 * @example `await fallback([]).execute(({ signal }) => search(query, { signal }))`
 */
export function fallback<F>(options: FallbackOptions<F> & ({ readonly value: F } | { readonly handler: unknown })): Fallback<F>
export function fallback<F>(handler: (error: unknown, call: Call) => F | PromiseLike<F>): Fallback<F>
export function fallback<F>(value: F): Fallback<F>
export function fallback(given: unknown): Fallback<unknown> {
  if (typeof given === 'function') return new FallbackPolicy({ handler: given as never })
  if (isOptions(given)) return new FallbackPolicy(given)
  return new FallbackPolicy({ value: given })
}

/** An object is taken for options when it has `value` or `handler` and nothing that is no option. */
function isOptions(given: unknown): given is FallbackOptions {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  const names = Object.keys(given)
  return ('value' in given || 'handler' in given) && names.every((name) => (optionNames as readonly string[]).includes(name))
}

class FallbackPolicy extends BasePolicy<FallbackEvent, unknown> implements Fallback {
  readonly kind = 'fallback' as const
  readonly [parts]: readonly Part[]
  private readonly events = new EventHub<FallbackEvent>()
  private readonly flow: SubstituteFlow
  private readonly settings: FallbackOptions

  constructor(options: FallbackOptions) {
    const name = nameOption('fallback', options.name)
    super(name, options.clock ?? systemClock)
    checkOptionNames(name, options, optionNames)
    if ('value' in options && options.handler !== undefined) throw invalidOption(name, 'handler', options.handler, "absent when 'value' is given")
    functionOption(name, 'handler', options.handler)
    functionOption(name, 'when', options.when)
    this.settings = options
    const { value, handler = (): unknown => value, when } = options
    this.flow = new SubstituteFlow({
      handler,
      when,
      used: (error) => {
        if (this.events.active) this.events.emit({ type: 'fallback.used', policy: name, at: this.clock.wallNow(), error })
      },
      failed: (error) => {
        if (this.events.active) this.events.emit({ type: 'fallback.failed', policy: name, at: this.clock.wallNow(), error })
      },
    })
    this[parts] = [this.flow]
  }

  on(listener: Listener<FallbackEvent>): () => void {
    return this.events.on(listener)
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, answers: this.settings.handler === undefined ? 'value' : 'function', conditional: this.settings.when !== undefined }
  }

  status(): FallbackStatus {
    return { kind: this.kind, name: this.name, used: this.flow.usedTotal, failed: this.flow.failedTotal }
  }
}
