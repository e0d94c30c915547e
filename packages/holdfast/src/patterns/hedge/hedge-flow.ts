import type { Call, CallState } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import type { EventHub } from '../../core/events.ts'
import type { Flow, Layer, Sink } from '../../core/layer.ts'
import { askPredicate } from '../../core/predicate.ts'
import { isRefusal } from '../../core/refusal.ts'
import type { RetryBudget } from '../../core/retry-budget/retry-budget.ts'
import type { HedgeEvent } from './hedge.ts'
import { HedgeRun } from './hedge-run.ts'
import { RecentLatency } from './recent-latency.ts'

export interface HedgeRules {
  readonly name: string
  readonly clock: Clock
  readonly delayMs: number | ((attempt: number) => number) | undefined
  readonly percentile: number | undefined
  readonly minSamples: number
  readonly minDelayMs: number
  readonly maxHedges: number
  readonly onFailure: boolean | ((error: unknown) => boolean)
  readonly budget: RetryBudget | undefined
  readonly idempotent: boolean | ((call: Call) => boolean)
  readonly minRemainingMs: number
}

/** The settings of one hedge at work, with its totals and the durations it goes by. */
export class HedgeFlow implements Flow {
  readonly kind = 'flow' as const
  /** Of the calls to come; each call ends by those it began with. */
  rules: HedgeRules
  readonly events: EventHub<HedgeEvent>
  calls = 0
  hedges = 0
  won = 0
  suppressed = 0
  private latency: RecentLatency | undefined

  constructor(rules: HedgeRules, events: EventHub<HedgeEvent>) {
    this.rules = rules
    this.events = events
    this.latency = latencyOf(rules)
  }

  reconfigure(rules: HedgeRules): void {
    if (rules.percentile !== this.rules.percentile) this.latency = latencyOf(rules)
    this.rules = rules
  }

  start(next: Layer, call: Call, out: Sink): void {
    this.calls++
    new HedgeRun(this, next, call as CallState, out).begin()
  }

  /** Milliseconds that go by before an attempt is started beside the one before; undefined for never. */
  delayBefore(attempt: number): number | undefined {
    const { delayMs, minSamples, minDelayMs } = this.rules
    if (typeof delayMs === 'number') return delayMs
    if (delayMs === undefined) {
      const { latency } = this
      if (latency === undefined || latency.samples < minSamples) return undefined
      const percentile = latency.percentile()
      return percentile === undefined ? undefined : Math.max(minDelayMs, percentile)
    }
    try {
      const answer: unknown = delayMs(attempt)
      if (typeof answer === 'number' && answer >= 0) return answer
      throw new TypeError(`the delay of a hedge must be 0 ms or more, got ${String(answer)}`)
    } catch (error) {
      this.report('delay', error)
      return undefined
    }
  }

  /** Whether a failure starts the next attempt. What a policy inside refuses, it would refuse again. */
  startsNext({ onFailure }: HedgeRules, failure: unknown): boolean {
    if (onFailure === false || isRefusal(failure)) return false
    if (onFailure === true) return true
    try {
      return askPredicate('hedgeOnFailure', onFailure, failure)
    } catch (error) {
      this.report('hedgeOnFailure', error)
      return false
    }
  }

  /** The first attempt of a call took so long, or longer: it was given up. */
  learn(durationMs: number): void {
    this.latency?.record(durationMs)
  }

  mayBeDoneTwice({ idempotent }: HedgeRules, call: CallState): boolean {
    if (call.final) return false
    if (idempotent === true || call.idempotencyKey !== undefined) return true
    if (idempotent === false) return false
    try {
      return askPredicate('idempotent', idempotent, call)
    } catch (error) {
      this.report('idempotent', error)
      return false
    }
  }

  private report(callback: string, error: unknown): void {
    const { name, clock } = this.rules
    if (this.events.active) this.events.emit({ type: 'hedge.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }
}

function latencyOf({ percentile }: HedgeRules): RecentLatency | undefined {
  return percentile === undefined ? undefined : new RecentLatency(percentile)
}
