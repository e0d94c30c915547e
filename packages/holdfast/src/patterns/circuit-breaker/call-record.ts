import type { CircuitCounts, OpenReason } from './events.ts'
import { FailureTimes } from './failure-times.ts'
import type { TripRules } from './trip-rules.ts'
import { CountWindow, TimeWindow, type OutcomeWindow } from './windows.ts'

/** What a closed circuit remembers of its calls, and which of its rules that breaks. */
export class CallRecord {
  consecutiveFailures = 0
  /** Whether a success changes nothing but the row of failures. */
  readonly forgetsSuccesses: boolean
  private readonly rules: TripRules
  /** For ratios; undefined when no rule looks at one. */
  private readonly window: OutcomeWindow | undefined
  private readonly failureTimes: FailureTimes | undefined

  constructor(rules: TripRules) {
    this.rules = rules
    this.window = windowFor(rules)
    this.failureTimes = rules.failureThreshold === Infinity ? undefined : new FailureTimes(rules.failureThreshold, rules.windowMs)
    this.forgetsSuccesses = this.window === undefined
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

function windowFor(rules: TripRules): OutcomeWindow | undefined {
  if (rules.failureRatio === Infinity && rules.slowCallRatio === Infinity) return undefined
  return rules.windowCalls === undefined ? new TimeWindow(rules.windowMs) : new CountWindow(rules.windowCalls)
}
