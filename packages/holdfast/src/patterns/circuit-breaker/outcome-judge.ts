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

/** Says what an answer means, by the user's functions. One that throws changes nothing for the caller. */
export class OutcomeJudge {
  private readonly rules: JudgeRules
  private readonly failed: (callback: string, error: unknown) => void

  constructor(rules: JudgeRules, failed: (callback: string, error: unknown) => void) {
    this.rules = rules
    this.failed = failed
  }

  /** How long the circuit shall be open because of this answer; undefined if it says nothing about that. */
  openForMs(ok: boolean, value: unknown): number | undefined {
    const { openOn } = this.rules
    return openOn === undefined ? undefined : this.ask('openOn', () => openOn({ ok, value }), undefined)
  }

  verdict(ok: boolean, value: unknown, call: Call): Verdict {
    const { isFailure, isIgnored, isFailureResult } = this.rules
    if (ok) {
      if (isFailureResult === undefined) return 'success'
      return this.ask('isFailureResult', () => askPredicate('isFailureResult', isFailureResult, value), false) ? 'failure' : 'success'
    }
    if (isIgnored !== undefined && this.ask('ignore', () => isIgnored(value), false)) return 'ignored'
    // a hanging dependency must not pass for a healthy one because `isFailure` knows statuses only
    if (isFailure === undefined || isTimeUp(value) || call.cancelled !== undefined) return 'failure'
    return this.ask('isFailure', () => isFailure(value), true) ? 'failure' : 'success'
  }

  private ask<T>(callback: string, question: () => T, otherwise: T): T {
    try {
      return question()
    } catch (error) {
      this.failed(callback, error)
      return otherwise
    }
  }
}

/** The predicate of `isFailure` or `ignore`. */
export function errorPredicate(owner: string, option: string, match: ErrorMatch | undefined): ((error: unknown) => boolean) | undefined {
  if (match === undefined) return undefined
  if (typeof match !== 'function') return errorMatcher(owner, option, match)
  return (error) => judgedErrors(error).some((each) => askPredicate(option, match, each))
}
