import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import type { ErrorMatch } from '../../core/match-error.ts'
import { checkOptionNames, choiceOption, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { isThenable } from '../../core/predicate.ts'
import type { Random } from '../../core/random.ts'
import { Circle, type CircuitGroup } from './circuit-group.ts'
import { sharedByContent } from './shared-settings.ts'
import type { CircuitControl } from './control.ts'
import { halfOpenOptionNames, halfOpenRules, type HalfOpenOptions, type HalfOpenRules } from './half-open.ts'
import { OpenTime, openTimeOptionNames, type OpenTimeOptions } from './open-time.ts'
import { errorPredicate, type CircuitOutcome, type JudgeRules } from './outcome-judge.ts'
import { tripOptionNames, tripRules, type TripOptions, type TripRules } from './trip-rules.ts'

export interface CircuitBreakerOptions<F = unknown> extends TripOptions, HalfOpenOptions, OpenTimeOptions {
  /** @defaultValue 'circuit-breaker' */
  readonly name?: string
  /**
   * Which errors are failures; others count as successes. A list looks behind wrappers; a function is asked about the error
   * and, where that is a mere wrapper, about what it wraps. Timeouts and deadlines are failures whatever it says.
   * @defaultValue all errors
   */
  readonly isFailure?: ErrorMatch
  /** Which errors count as nothing at all; asked before `isFailure`, and in the same way. */
  readonly ignore?: ErrorMatch
  /** Which results are failures. */
  readonly isFailureResult?: (value: unknown) => boolean
  /**
   * Opens the circuit for as long as it answers (429 with Retry-After, say; `maxOpenFor` at most), without counting the call.
   * An answer of 0 only leaves the call uncounted.
   */
  readonly openOn?: (outcome: CircuitOutcome) => Duration | undefined
  /** The answer while the circuit is open or isolated: a value, or a function of the error. */
  readonly fallback?: F | ((error: unknown) => F | PromiseLike<F>)
  /**
   * `metrics-only` says when a closed circuit would have opened, but keeps it closed; `disabled` lets everything pass uncounted.
   * @defaultValue 'enforce'
   */
  readonly mode?: CircuitMode
  /** Shared hand; see {@link circuitControl}. */
  readonly control?: CircuitControl
  /** Breakers of which only so many are open at once; see {@link circuitGroup}. */
  readonly group?: CircuitGroup
  readonly clock?: Clock
  readonly random?: Random
}

export type CircuitMode = 'enforce' | 'metrics-only' | 'disabled'

export const circuitOptionNames = [
  ...tripOptionNames,
  ...halfOpenOptionNames,
  ...openTimeOptionNames,
  'name',
  'isFailure',
  'ignore',
  'isFailureResult',
  'openOn',
  'fallback',
  'mode',
  'control',
  'group',
  'clock',
  'random',
] as const

/** What may change while a circuit breaker is in use. */
export type CircuitBreakerSettings = Omit<CircuitBreakerOptions, 'name' | 'clock' | 'random' | 'control' | 'group' | 'fallback'>

const fixedOptionNames: readonly string[] = ['name', 'clock', 'random', 'control', 'group', 'fallback']
const contentNames = circuitOptionNames.filter((name) => name !== 'name' && name !== 'fallback')
const settingNames: readonly string[] = circuitOptionNames.filter((name) => !fixedOptionNames.includes(name))

/** Validated {@link CircuitBreakerOptions}. Never changes; breakers whose options say the same share one. */
export interface CircuitSettings extends JudgeRules {
  readonly clock: Clock
  readonly random: Random
  readonly mode: CircuitMode
  readonly rules: TripRules
  readonly halfOpen: HalfOpenRules
  readonly openTime: OpenTime
  readonly control: CircuitControl | undefined
  readonly group: Circle | undefined
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function circuitName(options: CircuitBreakerOptions): string {
  checkOptionNames('circuitBreaker', options, circuitOptionNames)
  return nameOption('circuit-breaker', options.name)
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function circuitSettings(name: string, options: CircuitBreakerOptions): CircuitSettings {
  return sharedByContent(options, contentNames, () => validated(name, options))
}

/**
 * Other settings for the same circuit breaker.
 * @throws HoldfastError `ERR_INVALID_OPTION`
 */
export function changedSettings(name: string, before: CircuitSettings, options: CircuitBreakerSettings): CircuitSettings {
  checkOptionNames(name, options, settingNames)
  const { clock, random, control, group } = before
  return { ...validated(name, { ...options, clock, random }), control, group }
}

function validated(name: string, options: CircuitBreakerOptions): CircuitSettings {
  const { control, group, clock = systemClock, openOn } = options
  if (control !== undefined && typeof control?.isolate !== 'function') throw invalidOption(name, 'control', control, 'a circuitControl()')
  if (group !== undefined && !(group instanceof Circle)) throw invalidOption(name, 'group', group, 'a circuitGroup()')
  if (!isClock(clock)) throw invalidOption(name, 'clock', clock, 'a Clock')
  functionOption(name, 'openOn', openOn)
  const random = functionOption(name, 'random', options.random) ?? Math.random
  const time = new OpenTime(name, options, random)
  return {
    clock,
    random,
    mode: choiceOption(name, 'mode', options.mode ?? 'enforce', ['enforce', 'metrics-only', 'disabled']),
    rules: tripRules(name, options),
    halfOpen: halfOpenRules(name, options, time.firstMs),
    openTime: time,
    isFailure: errorPredicate(name, 'isFailure', options.isFailure),
    isIgnored: errorPredicate(name, 'ignore', options.ignore),
    isFailureResult: functionOption(name, 'isFailureResult', options.isFailureResult),
    openOn: openOn === undefined ? undefined : (outcome) => openForMs(name, openOn(outcome), time.maxMs),
    control,
    group,
  }
}

function openForMs(name: string, openFor: unknown, maxMs: number): number | undefined {
  if (openFor === undefined) return undefined
  if (isThenable(openFor)) Promise.resolve(openFor).catch(() => undefined) // told as what is no duration, it must not be unhandled as well
  return Math.min(durationMs(name, 'openOn', openFor, { allowInfinity: true }), maxMs)
}

function isClock(value: unknown): boolean {
  const { now, wallNow, setTimer } = (value ?? {}) as Partial<Clock>
  return [now, wallNow, setTimer].every((method) => typeof method === 'function')
}
