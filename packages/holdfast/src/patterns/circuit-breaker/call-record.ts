import type { CircuitCounts, OpenReason } from './events.ts'
import { FailureTimes } from './failure-times.ts'
import type { TripRules } from './trip-rules.ts'
import { CountWindow, TimeWindow, type OutcomeWindow } from './windows.ts'

/** What a closed circuit remembers of its calls, and which of its rules that breaks. */
export class CallRecord {
  consecutiveFailures = 0
  private rules: TripRules
  /** For ratios; undefined when no rule looks at one. */
  private window: OutcomeWindow | undefined
  private failureTimes: FailureTimes | undefined

  constructor(rules: TripRules) {
    this.rules = rules
    this.window = windowFor(rules)
    this.failureTimes = failureTimesFor(rules)
  }

  /** Other rules. What is remembered stays as far as they look at it in the same way. */
  reconfigure(rules: TripRules): void {
    const before = this.rules
    this.rules = rules
    if (rules.failureThreshold !== before.failureThreshold || rules.windowMs !== before.windowMs) {
      const earlier = this.failureTimes
      this.failureTimes = failureTimesFor(rules)
      if (earlier !== undefined) this.failureTimes?.take(earlier)
    }
    this.window = changedWindow(this.window, before, rules)
  }

  add(now: number, failed: boolean, slow: boolean): void {
    if (failed) {
      this.consecutiveFailures++
      this.failureTimes?.record(now)
    } else this.consecutiveFailures = 0
    this.window?.record(now, failed, slow)
  }

  /** The rule that opens the circuit at `now`, with so many slow calls in flight. */
  brokenRule(now: number, slowInFlight: number): OpenReason['rule'] | undefined {
    const { rules, window, failureTimes } = this
    if (failureTimes !== undefined && failureTimes.areAllWithin(now)) return 'failure-threshold'
    if (this.consecutiveFailures >= rules.consecutiveFailures) return 'consecutive-failures'
    if (window === undefined) return undefined
    window.advance(now)
    if (window.calls >= rules.minimumCalls && window.failures / window.calls >= rules.failureRatio) return 'failure-ratio'
    const calls = window.calls + slowInFlight
    return calls >= rules.minimumCalls && (window.slow + slowInFlight) / calls >= rules.slowCallRatio ? 'slow-call-ratio' : undefined
  }

  counts(now: number, slowInFlight: number): CircuitCounts {
    const { window, failureTimes } = this
    if (window === undefined)
      return { calls: null, failures: failureTimes === undefined ? this.consecutiveFailures : failureTimes.countAt(now), slowCalls: null }
    window.advance(now)
    return { calls: window.calls, failures: window.failures, slowCalls: window.slow + slowInFlight }
  }

  clear(): void {
    this.consecutiveFailures = 0
    this.window?.clear()
    this.failureTimes?.clear()
  }
}

function failureTimesFor({ failureThreshold, windowMs }: TripRules): FailureTimes | undefined {
  return failureThreshold === Infinity ? undefined : new FailureTimes(failureThreshold, windowMs)
}

/** The window of other rules, with what the one before remembers, if both are of one kind. */
function changedWindow(window: OutcomeWindow | undefined, before: TripRules, rules: TripRules): OutcomeWindow | undefined {
  const isSameSize = before.windowCalls === rules.windowCalls && (rules.windowCalls !== undefined || before.windowMs === rules.windowMs)
  const made = windowFor(rules)
  const next = window !== undefined && made !== undefined && isSameSize ? window : made
  if (
    next !== window &&
    ((next instanceof CountWindow && window instanceof CountWindow) || (next instanceof TimeWindow && window instanceof TimeWindow))
  )
    next.take(window as never)
  // a call that was slow by another measure says nothing
  if (before.slowCallMs !== rules.slowCallMs) next?.forgetSlow()
  return next
}

function windowFor(rules: TripRules): OutcomeWindow | undefined {
  if (!rules.byRatio) return undefined
  return rules.windowCalls === undefined ? new TimeWindow(rules.windowMs) : new CountWindow(rules.windowCalls)
}
