import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import type { ErrorMatch } from '../../core/match-error.ts'
import { checkOptionNames, choiceOption, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { isThenable } from '../../core/predicate.ts'
import type { Random } from '../../core/random.ts'
import type { CircuitControl } from './control.ts'
import { halfOpenOptionNames, halfOpenRules, type HalfOpenOptions, type HalfOpenRules } from './half-open.ts'
import { openTime, openTimeOptionNames, type OpenTime, type OpenTimeOptions } from './open-time.ts'
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
  'clock',
  'random',
] as const

/** What may change while a circuit breaker is in use. */
export type CircuitBreakerSettings = Omit<CircuitBreakerOptions, 'name' | 'clock' | 'random' | 'control' | 'fallback'>

const fixedOptionNames: readonly string[] = ['name', 'clock', 'random', 'control', 'fallback']
const settingNames: readonly string[] = circuitOptionNames.filter((name) => !fixedOptionNames.includes(name))

/** Validated {@link CircuitBreakerOptions}. */
export interface CircuitSettings extends JudgeRules {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly mode: CircuitMode
  readonly rules: TripRules
  readonly halfOpen: HalfOpenRules
  readonly openTime: OpenTime
  readonly control: CircuitControl | undefined
}

/** @throws HoldfastError `ERR_INVALID_OPTION` */
export function circuitSettings(options: CircuitBreakerOptions): CircuitSettings {
  checkOptionNames('circuitBreaker', options, circuitOptionNames)
  const name = nameOption('circuit-breaker', options.name)
  const { control, clock = systemClock, openOn } = options
  if (control !== undefined && typeof control?.isolate !== 'function') throw invalidOption(name, 'control', control, 'a circuitControl()')
  if (!isClock(clock)) throw invalidOption(name, 'clock', clock, 'a Clock')
  functionOption(name, 'openOn', openOn)
  const random = functionOption(name, 'random', options.random) ?? Math.random
  const time = openTime(name, options, random)
  return {
    name,
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
  }
}

/**
 * Other settings for the same circuit breaker.
 * @throws HoldfastError `ERR_INVALID_OPTION`
 */
export function changedSettings({ name, clock, random, control }: CircuitSettings, options: CircuitBreakerSettings): CircuitSettings {
  checkOptionNames(name, options, settingNames)
  return circuitSettings({ ...options, name, clock, random, ...(control === undefined ? {} : { control }) })
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
