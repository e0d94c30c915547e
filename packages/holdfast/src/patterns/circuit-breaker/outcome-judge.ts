import type { Call } from '../../core/call.ts'
import type { Verdict } from '../../core/layer.ts'
import { errorMatcher, type ErrorMatch } from '../../core/match-error.ts'
import { askPredicate } from '../../core/predicate.ts'
import { isTimeUp } from '../../core/verdict.ts'
import { judgedErrors } from './wrapped-errors.ts'

/** What `openOn` looks at: a result when `ok`, an error otherwise. */
export interface CircuitOutcome {
  readonly ok: boolean
  readonly value: unknown
}

/** The user's functions, validated. */
export interface JudgeRules {
  readonly isFailure: ((error: unknown) => boolean) | undefined
  readonly isIgnored: ((error: unknown) => boolean) | undefined
  readonly isFailureResult: ((value: unknown) => boolean) | undefined
  /** Milliseconds. */
  readonly openOn: ((outcome: CircuitOutcome) => number | undefined) | undefined
}

/** Hears of a user's function that threw; it changes nothing for the caller. */
export interface CallbackFailures {
  callbackFailed(callback: string, error: unknown): void
}

/** How long the circuit shall be open because of an answer; undefined if it says nothing about that. */
export function askedOpenForMs({ openOn }: JudgeRules, ok: boolean, value: unknown, failures: CallbackFailures): number | undefined {
  return openOn === undefined ? undefined : ask(failures, 'openOn', () => openOn({ ok, value }), undefined)
}

/** What an answer means, by the user's functions. */
export function judge(rules: JudgeRules, ok: boolean, value: unknown, call: Call, failures: CallbackFailures): Verdict {
  const { isFailure, isIgnored, isFailureResult } = rules
  if (ok) {
    if (isFailureResult === undefined) return 'success'
    return ask(failures, 'isFailureResult', () => askPredicate('isFailureResult', isFailureResult, value), false) ? 'failure' : 'success'
  }
  if (isIgnored !== undefined && ask(failures, 'ignore', () => isIgnored(value), false)) return 'ignored'
  // a hanging dependency must not pass for a healthy one because `isFailure` knows statuses only
  if (isFailure === undefined || isTimeUp(value) || call.cancelled !== undefined) return 'failure'
  return ask(failures, 'isFailure', () => isFailure(value), true) ? 'failure' : 'success'
}

/** The predicate of `isFailure` or `ignore`. */
export function errorPredicate(owner: string, option: string, match: ErrorMatch | undefined): ((error: unknown) => boolean) | undefined {
  if (match === undefined) return undefined
  if (typeof match !== 'function') return errorMatcher(owner, option, match)
  return (error) => judgedErrors(error).some((each) => askPredicate(option, match, each))
}

function ask<T>(failures: CallbackFailures, callback: string, question: () => T, otherwise: T): T {
  try {
    return question()
  } catch (error) {
    failures.callbackFailed(callback, error)
    return otherwise
  }
}
