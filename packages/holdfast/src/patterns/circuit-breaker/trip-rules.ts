import { durationMs, type Duration } from '../../core/duration.ts'
import { integerOption, invalidOption, ratioOption } from '../../core/options.ts'
import { CountWindow, TimeWindow, type OutcomeWindow } from './windows.ts'

/** When a closed circuit opens. Several rules may be given: the first that applies opens it. */
export interface TripOptions {
  /**
   * Opens at this many failures within `failureWindow`. @defaultValue 5, when no other rule is given
   */
  readonly failureThreshold?: number
  /** Opens at this many failures in a row, however long they take. */
  readonly consecutiveFailures?: number
  /** Opens when failures / calls reaches this share (0..1], once there were `minimumCalls`. */
  readonly failureRatio?: number
  /** Opens when slow calls / calls reaches this share (0..1], once there were `minimumCalls`. Slow is `slowCallDuration` or more. */
  readonly slowCallRatio?: number
  /** From which duration a call is slow; calls still running count as soon as they are. Required with `slowCallRatio`. */
  readonly slowCallDuration?: Duration
  /** Calls below which no ratio opens the circuit. At most `windowCalls`. @defaultValue 20, or `windowCalls` if that is less */
  readonly minimumCalls?: number
  /** How far back failures and ratios look. @defaultValue '60s' */
  readonly failureWindow?: Duration
  /** Ratios look at this many last calls instead of at a time. */
  readonly windowCalls?: number
}

export const tripOptionNames = [
  'failureThreshold',
  'consecutiveFailures',
  'failureRatio',
  'slowCallRatio',
  'slowCallDuration',
  'minimumCalls',
  'failureWindow',
  'windowCalls',
] as const

/** Validated {@link TripOptions}; Infinity switches a rule off. */
export interface TripRules {
  readonly failureThreshold: number
  readonly consecutiveFailures: number
  readonly failureRatio: number
  readonly slowCallRatio: number
  readonly slowCallMs: number
  readonly minimumCalls: number
  readonly windowMs: number
  readonly windowCalls: number | undefined
  readonly description: Readonly<Record<string, unknown>>
}

export function tripRules(owner: string, options: TripOptions): TripRules {
  const { failureRatio, slowCallRatio, consecutiveFailures, failureThreshold, windowCalls: askedWindowCalls } = options
  const windowMs = durationMs(owner, 'failureWindow', options.failureWindow ?? '60s', { min: 1 })
  const windowCalls = askedWindowCalls === undefined ? undefined : integerOption(owner, 'windowCalls', askedWindowCalls, { min: 1, max: 1_000_000 })
  const byRatio = failureRatio !== undefined || slowCallRatio !== undefined
  const byDefault = !byRatio && consecutiveFailures === undefined && failureThreshold === undefined
  if (!byRatio && askedWindowCalls !== undefined) throw invalidOption(owner, 'windowCalls', askedWindowCalls, "given together with 'failureRatio' or 'slowCallRatio'")
  if (slowCallRatio !== undefined && options.slowCallDuration === undefined) {
    throw invalidOption(owner, 'slowCallDuration', undefined, "given together with 'slowCallRatio'")
  }
  const minimumCalls = integerOption(owner, 'minimumCalls', options.minimumCalls ?? Math.min(20, windowCalls ?? 20), { min: 1 })
  if (windowCalls !== undefined && minimumCalls > windowCalls) {
    throw invalidOption(owner, 'minimumCalls', minimumCalls, `at most windowCalls (${windowCalls}): the circuit could never open`)
  }
  const rules = {
    failureThreshold: byDefault ? 5 : failureThreshold === undefined ? Infinity : integerOption(owner, 'failureThreshold', failureThreshold, { min: 1, max: 100_000 }),
    consecutiveFailures: consecutiveFailures === undefined ? Infinity : integerOption(owner, 'consecutiveFailures', consecutiveFailures, { min: 1 }),
    failureRatio: failureRatio === undefined ? Infinity : ratioOption(owner, 'failureRatio', failureRatio, true),
    slowCallRatio: slowCallRatio === undefined ? Infinity : ratioOption(owner, 'slowCallRatio', slowCallRatio, true),
    slowCallMs: options.slowCallDuration === undefined ? Infinity : durationMs(owner, 'slowCallDuration', options.slowCallDuration, { min: 1 }),
    minimumCalls,
    windowMs,
    windowCalls,
  }
  return { ...rules, description: describeRules(rules, byRatio) }
}

function describeRules(rules: Omit<TripRules, 'description'>, byRatio: boolean): Record<string, unknown> {
  const { failureThreshold, consecutiveFailures, failureRatio, slowCallRatio, slowCallMs, minimumCalls, windowMs, windowCalls } = rules
  return {
    ...(failureThreshold === Infinity ? {} : { failureThreshold }),
    ...(consecutiveFailures === Infinity ? {} : { consecutiveFailures }),
    ...(failureRatio === Infinity ? {} : { failureRatio }),
    ...(slowCallRatio === Infinity ? {} : { slowCallRatio }),
    ...(slowCallMs === Infinity ? {} : { slowCallMs }),
    ...(byRatio ? { minimumCalls } : {}),
    ...(byRatio && windowCalls !== undefined ? { windowCalls } : {}),
    failureWindowMs: windowMs,
  }
}

/** What a closed circuit remembers for its ratios; undefined when no rule looks at a ratio. */
export function windowFor(rules: TripRules): OutcomeWindow | undefined {
  if (rules.failureRatio === Infinity && rules.slowCallRatio === Infinity) return undefined
  return rules.windowCalls === undefined ? new TimeWindow(rules.windowMs) : new CountWindow(rules.windowCalls)
}
