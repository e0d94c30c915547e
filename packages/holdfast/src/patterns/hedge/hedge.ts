import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import { retryBudget, type RetryBudget } from '../../core/retry-budget/retry-budget.ts'
import { HedgeFlow, type HedgeRules } from './hedge-flow.ts'

export interface HedgeOptions {
  /**
   * How long an attempt may take before another one is started beside it: a duration, or a function of the number of the attempt to
   * come (2 or more) that answers in ms. 0 starts all at once. Either this or `percentile`.
   */
  readonly delay?: Duration | ((attempt: number) => number)
  /**
   * The delay is this percentile (0.5 to 0.999) of how long first attempts took lately: successes, timeouts, and those that another
   * one overtook, not failures, which are often fast. 0.95 hedges the slowest 5 %.
   */
  readonly percentile?: number
  /** Durations that must be known before a percentile is gone by; until then nothing is hedged. 1 to 500. @defaultValue 20 */
  readonly minSamples?: number
  /** With `percentile`: no delay is shorter. @defaultValue '1ms' */
  readonly minDelay?: Duration
  /** Attempts beside the first, 1 to 10. @defaultValue 1 */
  readonly maxHedges?: number
  /**
   * An attempt that fails starts the next one at once, within `maxHedges` and the budget; a function decides by the error. What a
   * policy inside refuses starts none. @defaultValue false
   */
  readonly hedgeOnFailure?: boolean | ((error: unknown) => boolean)
  /**
   * Shared limit of hedges; may be that of the retries of the same dependency. false for none: when everything is slow, everything is
   * asked twice then. @defaultValue a budget of its own: one hedge for ten calls, and one per second
   */
  readonly budget?: RetryBudget | false
  /**
   * Whether the work may be done twice at the same time. A call with an idempotency key may. A function decides per call.
   * @defaultValue true
   */
  readonly idempotent?: boolean | ((call: Call) => boolean)
  /** A hedge is started only if the call's deadline leaves at least this much time for it. @defaultValue '10ms' */
  readonly minRemaining?: Duration
  /** @defaultValue 'hedge' */
  readonly name?: string
  readonly clock?: Clock
}

/** What may change while a hedge is in use. */
export type HedgeSettings = Omit<HedgeOptions, 'name' | 'clock'>

export interface HedgeStarted extends PolicyEvent {
  readonly type: 'hedge.started'
  /** Number of the attempt, 2 or more. */
  readonly attempt: number
  /** Time since the call began, in ms. */
  readonly afterMs: number
}

/** An attempt that was started beside another answered first. */
export interface HedgeWon extends PolicyEvent {
  readonly type: 'hedge.won'
  readonly attempt: number
}

/** The budget allowed no further attempt. */
export interface HedgeSuppressed extends PolicyEvent {
  readonly type: 'hedge.suppressed'
  readonly attempt: number
  /** Name of the budget. */
  readonly budget: string
}

/** A function of yours has thrown. */
export interface HedgeCallbackFailed extends PolicyEvent {
  readonly type: 'hedge.callback-failed'
  readonly callback: string
  readonly error: unknown
}

export type HedgeEvent = HedgeStarted | HedgeWon | HedgeSuppressed | HedgeCallbackFailed

export interface HedgeStatus {
  readonly kind: 'hedge'
  readonly name: string
  readonly calls: number
  /** Attempts started beside others, ever. */
  readonly hedges: number
  /** Calls that such an attempt answered, ever. */
  readonly won: number
  /** Hedges that the budget did not allow, ever. */
  readonly suppressed: number
  /** The delay of the next first hedge, in ms; null while too few durations are known. */
  readonly delayMs: number | null
  readonly [figure: string]: unknown
}

export interface Hedge extends Policy<HedgeEvent> {
  readonly kind: 'hedge'
  status(): HedgeStatus
  /**
   * Puts other settings into force, for calls to come: what is left out is as if it had been left out at first. Figures stay, and
   * durations do while the percentile stays the same.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: HedgeSettings): void
}

const settingNames = [
  'delay',
  'percentile',
  'minSamples',
  'minDelay',
  'maxHedges',
  'hedgeOnFailure',
  'budget',
  'idempotent',
  'minRemaining',
] as const

/**
 * Asks a second time when the first answer is late, and takes what comes first; the others are cancelled. Cuts the slowest answers
 * for a little more load. When all attempts fail, the caller has the error of the first one. Source: Dean and Barroso, The Tail at
 * Scale (2013).
 * @throws whatever the first attempt failed with.
 * @example `await hedge({ percentile: 0.95 }).execute(({ signal }) => search(query, { signal }))`
 */
export function hedge(options: HedgeOptions): Hedge {
  return new HedgePolicy(options)
}

class HedgePolicy extends BasePolicy<HedgeEvent> implements Hedge {
  readonly kind = 'hedge' as const
  readonly [parts]: readonly Part[]
  private readonly flow: HedgeFlow

  constructor(options: HedgeOptions) {
    checkOptionNames('hedge', options, [...settingNames, 'name', 'clock'])
    const name = nameOption('hedge', options.name)
    super(name, options.clock ?? systemClock)
    this.flow = new HedgeFlow(rulesOf(name, this.clock, options), new EventHub())
    this[parts] = [this.flow]
  }

  reconfigure(settings: HedgeSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    this.flow.reconfigure(rulesOf(this.name, this.clock, settings, this.flow.rules.budget))
  }

  on(listener: Listener<HedgeEvent>): () => void {
    return this.flow.events.on(listener)
  }

  describe(): PolicyDescription {
    const { delayMs, percentile, minSamples, minDelayMs, maxHedges, onFailure, minRemainingMs, budget } = this.flow.rules
    return {
      kind: this.kind,
      name: this.name,
      ...(percentile === undefined ? {} : { percentile, minSamples, minDelayMs }),
      ...(typeof delayMs === 'number' ? { delayMs } : {}),
      maxHedges,
      hedgeOnFailure: onFailure !== false,
      minRemainingMs,
      ...(budget === undefined ? {} : { budget: budget.describe() }),
    }
  }

  status(): HedgeStatus {
    const { flow } = this
    return {
      kind: this.kind,
      name: this.name,
      calls: flow.calls,
      hedges: flow.hedges,
      won: flow.won,
      suppressed: flow.suppressed,
      delayMs: flow.delayBefore(2) ?? null,
    }
  }
}

function rulesOf(name: string, clock: Clock, options: HedgeSettings, ownBudget?: RetryBudget): HedgeRules {
  const { delay, percentile, budget, idempotent = true, hedgeOnFailure = false } = options
  if ((delay === undefined) === (percentile === undefined)) {
    throw invalidOption(name, 'delay', delay, "given, or 'percentile', but not both")
  }
  if (percentile !== undefined && !(typeof percentile === 'number' && percentile >= 0.5 && percentile <= 0.999))
    throw invalidOption(name, 'percentile', percentile, 'a share from 0.5 to 0.999')
  if (budget !== undefined && budget !== false && typeof (budget as { begin?: unknown }).begin !== 'function')
    throw invalidOption(name, 'budget', budget, 'a retry budget, or false')
  return {
    name,
    clock,
    delayMs: typeof delay === 'function' || delay === undefined ? delay : durationMs(name, 'delay', delay),
    percentile,
    minSamples: integerOption(name, 'minSamples', options.minSamples ?? 20, { min: 1, max: 500 }),
    minDelayMs: durationMs(name, 'minDelay', options.minDelay ?? 1),
    maxHedges: integerOption(name, 'maxHedges', options.maxHedges ?? 1, { min: 1, max: 10 }),
    onFailure:
      typeof hedgeOnFailure === 'boolean'
        ? hedgeOnFailure
        : (functionOption(name, 'hedgeOnFailure', hedgeOnFailure) as (error: unknown) => boolean),
    budget:
      budget === false ? undefined : (budget ?? ownBudget ?? retryBudget({ name: `${name}-budget`, ratio: 0.1, minPerSecond: 1, clock })),
    idempotent: typeof idempotent === 'boolean' ? idempotent : (functionOption(name, 'idempotent', idempotent) as (call: Call) => boolean),
    minRemainingMs: durationMs(name, 'minRemaining', options.minRemaining ?? 10),
  }
}
