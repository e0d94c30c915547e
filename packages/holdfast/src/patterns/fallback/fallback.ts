import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { checkOptionNames, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import { SubstituteFlow, type Substitute } from '../../core/substitute.ts'

export interface FallbackOptions<F = unknown> {
  /** The answer to give instead. Either this or `handler`. */
  readonly value?: F
  /** Makes the answer, with the error in hand. What it throws is what the caller gets; to throw the error in hand is to decline. */
  readonly handler?: (error: unknown, call: Call) => F | PromiseLike<F>
  /**
   * Which failures are answered; when it throws, none is. The caller's own abort and deadline never are.
   * @defaultValue all of them, refusals included
   */
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
  /** What the handler, or `when`, failed with. */
  readonly error: unknown
}

export type FallbackEvent = FallbackUsed | FallbackFailed

export interface FallbackStatus {
  readonly kind: 'fallback'
  readonly name: string
  /** Calls that were answered in place of their failure, ever. */
  readonly used: number
  /** Times the handler, or `when`, failed as well, ever. */
  readonly failed: number
  readonly [figure: string]: unknown
}

/** What may change while a fallback is in use. */
export type FallbackSettings<F = unknown> = Omit<FallbackOptions<F>, 'name' | 'clock'>

export interface Fallback<F = unknown> extends Policy<FallbackEvent, F> {
  readonly kind: 'fallback'
  status(): FallbackStatus
  /**
   * Puts another answer into force, for calls that fail from now on: what is left out is as if it had been left out at first.
   * Figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: FallbackSettings<F>): void
}

const settingNames = ['value', 'handler', 'when'] as const
const optionNames = [...settingNames, 'name', 'clock'] as const

/**
 * Answers in place of a failed call: with a value, or with what a function makes of the error. A plain object that has `value` or
 * `handler` is taken for options; to answer with such an object, write `fallback({ value: { value: … } })`.
 * @throws whatever the handler throws.
 * @example `await fallback([]).execute(({ signal }) => search(query, { signal }))`
 */
export function fallback<F>(options: FallbackOptions<F> & ({ readonly value: F } | { readonly handler: unknown })): Fallback<F>
export function fallback<F>(handler: (error: unknown, call: Call) => F | PromiseLike<F>): Fallback<F>
export function fallback<F>(value: F): Fallback<F>
export function fallback(given: unknown): Fallback {
  if (typeof given === 'function') return new FallbackPolicy({ handler: given as never })
  if (isOptions(given)) return new FallbackPolicy(given)
  return new FallbackPolicy({ value: given })
}

function isOptions(given: unknown): given is FallbackOptions {
  if (typeof given !== 'object' || given === null) return false
  const prototype: unknown = Object.getPrototypeOf(given)
  return (prototype === Object.prototype || prototype === null) && (Object.hasOwn(given, 'value') || Object.hasOwn(given, 'handler'))
}

class FallbackPolicy extends BasePolicy<FallbackEvent, unknown> implements Fallback {
  readonly kind = 'fallback' as const
  readonly [parts]: readonly Part[]
  private readonly events = new EventHub<FallbackEvent>()
  private readonly flow: SubstituteFlow
  private settings: FallbackSettings

  constructor(options: FallbackOptions) {
    checkOptionNames('fallback', options, optionNames)
    const name = nameOption('fallback', options.name)
    super(name, options.clock ?? systemClock)
    checkSettings(name, options)
    this.settings = options
    this.flow = new SubstituteFlow({
      ...answerOf(options),
      used: (error) => {
        if (this.events.active) this.events.emit({ type: 'fallback.used', policy: name, at: this.clock.wallNow(), error })
      },
      failed: (error) => {
        if (this.events.active) this.events.emit({ type: 'fallback.failed', policy: name, at: this.clock.wallNow(), error })
      },
    })
    this[parts] = [this.flow]
  }

  reconfigure(settings: FallbackSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    checkSettings(this.name, settings)
    this.settings = settings
    this.flow.reconfigure(answerOf(settings))
  }

  on(listener: Listener<FallbackEvent>): () => void {
    return this.events.on(listener)
  }

  describe(): PolicyDescription {
    return {
      kind: this.kind,
      name: this.name,
      answers: this.settings.handler === undefined ? 'value' : 'function',
      conditional: this.settings.when !== undefined,
    }
  }

  status(): FallbackStatus {
    return { kind: this.kind, name: this.name, used: this.flow.usedTotal, failed: this.flow.failedTotal }
  }
}

function checkSettings(name: string, settings: FallbackSettings): void {
  const { handler } = settings
  if (!('value' in settings) && typeof handler !== 'function')
    throw invalidOption(name, 'handler', handler, "a function, or 'value' must be given")
  if ('value' in settings && handler !== undefined) throw invalidOption(name, 'handler', handler, "absent when 'value' is given")
  functionOption(name, 'when', settings.when)
}

function answerOf({ value, handler = (): unknown => value, when }: FallbackSettings): Pick<Substitute, 'handler' | 'when'> {
  return { handler, when }
}
