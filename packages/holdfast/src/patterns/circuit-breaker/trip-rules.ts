import { durationMs, type Duration } from '../../core/duration.ts'
import { integerOption, invalidOption, ratioOption } from '../../core/options.ts'

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
  /** Opens when slow calls / calls reaches this share (0..1], once there were `minimumCalls`. Needs `slowCallDuration`. */
  readonly slowCallRatio?: number
  /** A call of this duration or more is slow; one still running counts as soon as it is. */
  readonly slowCallDuration?: Duration
  /** Calls below which no ratio opens the circuit; at most `windowCalls`. @defaultValue 20, or `windowCalls` if that is less */
  readonly minimumCalls?: number
  /** How far back `failureThreshold` looks, and ratios without `windowCalls`. @defaultValue '60s' */
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
  /** Whether a rule looks at shares of calls, so that successes have to be remembered. */
  readonly byRatio: boolean
}

export function tripRules(owner: string, options: TripOptions): TripRules {
  const { failureThreshold, consecutiveFailures, failureRatio, slowCallRatio } = options
  const byRatio = failureRatio !== undefined || slowCallRatio !== undefined
  const byDefault = !byRatio && consecutiveFailures === undefined && failureThreshold === undefined
  checkCompanions(owner, options, byRatio)
  const windowCalls = optional(options.windowCalls, undefined, (value) =>
    integerOption(owner, 'windowCalls', value, { min: 1, max: 1_000_000 }),
  )
  const minimumCalls = integerOption(owner, 'minimumCalls', options.minimumCalls ?? Math.min(20, windowCalls ?? 20), { min: 1 })
  if (windowCalls !== undefined && minimumCalls > windowCalls) {
    throw invalidOption(owner, 'minimumCalls', minimumCalls, `at most windowCalls (${windowCalls}): the circuit could never open`)
  }
  return {
    failureThreshold: optional(failureThreshold, byDefault ? 5 : Infinity, (value) =>
      integerOption(owner, 'failureThreshold', value, { min: 1, max: 100_000 }),
    ),
    consecutiveFailures: optional(consecutiveFailures, Infinity, (value) => integerOption(owner, 'consecutiveFailures', value, { min: 1 })),
    failureRatio: optional(failureRatio, Infinity, (value) => ratioOption(owner, 'failureRatio', value, true)),
    slowCallRatio: optional(slowCallRatio, Infinity, (value) => ratioOption(owner, 'slowCallRatio', value, true)),
    slowCallMs: optional(options.slowCallDuration, Infinity, (value) => durationMs(owner, 'slowCallDuration', value, { min: 1 })),
    minimumCalls,
    windowMs: durationMs(owner, 'failureWindow', options.failureWindow ?? '60s', { min: 1 }),
    windowCalls,
    byRatio,
  }
}

function optional<Given, Value, Default>(given: Given | undefined, otherwise: Default, check: (given: Given) => Value): Value | Default {
  return given === undefined ? otherwise : check(given)
}

/** Refuses options that would say nothing, since the option they belong to is absent. */
function checkCompanions(owner: string, options: TripOptions, byRatio: boolean): void {
  const { slowCallRatio, slowCallDuration, windowCalls, minimumCalls } = options
  if (slowCallRatio !== undefined && slowCallDuration === undefined) {
    throw invalidOption(owner, 'slowCallDuration', undefined, "given together with 'slowCallRatio'")
  }
  if (slowCallRatio === undefined && slowCallDuration !== undefined) {
    throw invalidOption(owner, 'slowCallDuration', slowCallDuration, "given together with 'slowCallRatio'")
  }
  if (byRatio) return
  for (const [name, value] of Object.entries({ windowCalls, minimumCalls })) {
    if (value !== undefined) throw invalidOption(owner, name, value, "given together with 'failureRatio' or 'slowCallRatio'")
  }
}

/** The rules in force, as plain data. */
export function describeTripRules(rules: TripRules): Readonly<Record<string, unknown>> {
  const { failureThreshold, consecutiveFailures, failureRatio, slowCallRatio, slowCallMs, minimumCalls, windowMs, windowCalls, byRatio } =
    rules
  const usesTime = failureThreshold !== Infinity || (byRatio && windowCalls === undefined)
  return {
    ...(failureThreshold === Infinity ? {} : { failureThreshold }),
    ...(consecutiveFailures === Infinity ? {} : { consecutiveFailures }),
    ...(failureRatio === Infinity ? {} : { failureRatio }),
    ...(slowCallRatio === Infinity ? {} : { slowCallRatio, slowCallMs }),
    ...(byRatio ? { minimumCalls } : {}),
    ...(windowCalls === undefined ? {} : { windowCalls }),
    ...(usesTime ? { failureWindowMs: windowMs } : {}),
  }
}
