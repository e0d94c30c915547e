import { durationMs, type Duration } from '../../core/duration.ts'
import { HoldfastError, isHoldfastError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { newCall, plainInvocation } from '../../core/executor.ts'
import type { Part } from '../../core/layer.ts'
import { show } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import { isRefusal } from '../../core/refusal.ts'
import { SubstituteFlow } from '../../core/substitute.ts'
import { noCircles, Circles } from './circuit-circle.ts'
import { CircuitGate } from './circuit-gate.ts'
import {
  changedSettings,
  circuitName,
  circuitSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  type CircuitSettings,
} from './circuit-options.ts'
import { maxAgeOption, restoreSnapshot, takeSnapshot, type CircuitSnapshot, type RestoreOptions } from './circuit-snapshot.ts'
import { circuitStatistics, type CircuitStatistics } from './circuit-statistics.ts'
import { circuitStatus, failureRate, type CircuitStatus } from './circuit-status.ts'
import type { CircuitEvent, CircuitState } from './events.ts'
import { describeHalfOpenRules } from './half-open.ts'
import { describeTripRules } from './trip-rules.ts'

export interface CircuitBreaker<F = never> extends Policy<CircuitEvent, F>, Acquirable {
  readonly kind: 'circuit-breaker'
  /** The state now: an open circuit whose time is over reads as half-open, though its event comes with the first probe. Reading changes nothing. */
  readonly state: CircuitState
  status(): CircuitStatus
  /** Failures / calls: within the window where a rule looks at ratios, else ever; null without calls. */
  failureRate(): number | null
  /** Lets nothing through until it is closed, or set otherwise by hand: neither time nor results end it. */
  isolate(): void
  /** Opens now, for the given or the configured time; then probes decide as usual. */
  forceOpen(openFor?: Duration): void
  /** Closes by hand from any state, with an empty window. A {@link CircuitControl} that isolates goes on doing so. */
  close(): void
  /** Lets everything through, uncounted, until it is closed or set otherwise by hand. */
  disable(): void
  /** Closes and sets all figures to zero. */
  reset(): void
  /**
   * Puts other rules into force; what is left out is as if it had been left out at first. The state stays, and with it the time that
   * an open circuit has left, the probes of a half-open one (they decide by the rules they began with), calls under way, figures, and
   * what is remembered of earlier calls as far as the new rules look at the same: the next result is judged by all of it. A `mode` of
   * `disabled` disables, and another one after it closes.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: CircuitBreakerSettings): void
  /**
   * Probes now instead of waiting for the open time to end: `check` runs as a probe, and its result counts as one.
   * Answers whether it counted as a success. An isolated circuit is not probed, nor one whose probes all run: the answer is
   * false, and `check` does not run.
   */
  attemptReset(check: () => unknown): Promise<boolean>
  /** Totals and rates since it was made or reset. */
  statistics(): CircuitStatistics
  /** The state as JSON, to be restored after a restart. */
  snapshot(): CircuitSnapshot
  /**
   * Goes on where a snapshot was taken: open for the time that is left, whatever the wall clock did in between, isolated or disabled.
   * Probes that ran then are not brought back, and calls that run now decide nothing. Answers false for a snapshot that is too old;
   * nothing has changed then.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` for what is no snapshot of this breaker; nothing has changed then.
   */
  restore(snapshot: CircuitSnapshot, options?: RestoreOptions): boolean
}

/** The breaker behind `circuitBreaker()`. */
export function newCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker<unknown> {
  const name = circuitName(options)
  const settings = circuitSettings(name, options)
  const circles = settings.group === undefined ? noCircles : new Circles([settings.group])
  return new CircuitBreakerPolicy(new CircuitGate(name, settings, circles), options.fallback)
}

/** The policy around a gate. */
export class CircuitBreakerPolicy extends GatePolicy<CircuitEvent, unknown> implements CircuitBreaker<unknown> {
  readonly gate: CircuitGate
  private readonly substitute: SubstituteFlow | undefined

  constructor(gate: CircuitGate, fallback: unknown) {
    super(gate.name, gate.settings.clock)
    this.gate = gate
    this.substitute = fallback === undefined ? undefined : this.substituteOf(fallback)
  }

  get kind(): 'circuit-breaker' {
    return 'circuit-breaker'
  }

  get [parts](): readonly Part[] {
    return this.substitute === undefined ? [this.gate] : [this.substitute, this.gate]
  }

  get state(): CircuitState {
    return this.gate.at(this.clock.now()).state
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    return descriptionOf(this.name, this.gate.settings, this.substitute !== undefined)
  }

  status(): CircuitStatus {
    return circuitStatus(this.gate)
  }

  failureRate(): number | null {
    return failureRate(this.gate)
  }

  override health(): HealthRecord {
    const now = this.clock.now()
    const { state, endsAt = Infinity } = this.gate.at(now)
    if (state === 'closed' || state === 'disabled') return { status: 'pass' }
    const when = endsAt === Infinity ? '' : `, next attempt in ${Math.ceil((endsAt - now) / 1_000)} s`
    return { status: 'warn', reason: `circuit breaker '${this.name}' is ${state}${when}` }
  }

  isolate(): void {
    this.gate.isolate()
  }

  forceOpen(openFor?: Duration): void {
    const forMs = openFor === undefined ? undefined : durationMs(this.name, 'openFor', openFor, { min: 1, allowInfinity: true })
    this.gate.forceOpen(forMs)
  }

  close(): void {
    this.gate.close(true)
  }

  disable(): void {
    this.gate.disable()
  }

  reset(): void {
    this.gate.close(true)
    this.gate.resetTotals()
  }

  reconfigure(options: CircuitBreakerSettings): void {
    this.gate.reconfigure(changedSettings(this.name, this.gate.settings, options))
  }

  statistics(): CircuitStatistics {
    return circuitStatistics(this.gate)
  }

  snapshot(): CircuitSnapshot {
    return takeSnapshot(this.gate)
  }

  restore(snapshot: CircuitSnapshot, options: RestoreOptions = {}): boolean {
    return restoreSnapshot(this.gate, snapshot, maxAgeOption(this.name, options))
  }

  async attemptReset(check: () => unknown): Promise<boolean> {
    const { gate, name } = this
    if (typeof check !== 'function') {
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: name,
        message: `${name}: attemptReset needs a function, got ${show(check)}`,
      })
    }
    if (this.state === 'isolated') return false
    gate.endOpenTime()
    const call = newCall(check, undefined, plainInvocation(this.clock))
    const permit = gate.admit(call)
    if (isRefusal(permit)) return false
    try {
      const result = await check()
      return gate.settle(permit, true, result, call) === 'success'
    } catch (error) {
      return gate.settle(permit, false, error, call) === 'success'
    }
  }

  /** Answers in place of this breaker's own refusals. */
  private substituteOf(fallback: unknown): SubstituteFlow {
    return new SubstituteFlow({
      handler: typeof fallback === 'function' ? (error) => (fallback as (error: unknown) => unknown)(error) : () => fallback,
      when: (error) =>
        isHoldfastError(error) &&
        error.policy === this.name &&
        (error.code === 'ERR_CIRCUIT_OPEN' || error.code === 'ERR_CIRCUIT_ISOLATED'),
      used: () => undefined,
      failed: () => undefined,
    })
  }
}

function descriptionOf(name: string, settings: CircuitSettings, hasFallback: boolean): PolicyDescription {
  const { mode, rules, halfOpen, openTime, group } = settings
  return Object.freeze({
    kind: 'circuit-breaker',
    name,
    ...describeTripRules(rules),
    ...describeHalfOpenRules(halfOpen),
    ...openTime.describe(),
    mode,
    trips: 'any',
    hasFallback,
    ...(group === undefined ? {} : { group: group.name }),
  })
}
