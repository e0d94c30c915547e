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
import { CircuitGate, type CircuitGroup } from './circuit-gate.ts'
import {
  changedSettings,
  circuitSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  type CircuitSettings,
} from './circuit-options.ts'
import { circuitStatus, failureRate, type CircuitStatus } from './circuit-status.ts'
import type { CircuitEvent, CircuitState } from './events.ts'

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
}

/** The breaker behind `circuitBreaker()` and `circuitBreakers()`. */
export function newCircuitBreaker(options: CircuitBreakerOptions, group?: CircuitGroup): CircuitBreaker<unknown> {
  return new CircuitBreakerPolicy(options, group)
}

class CircuitBreakerPolicy extends GatePolicy<CircuitEvent, unknown> implements CircuitBreaker<unknown> {
  readonly kind = 'circuit-breaker' as const
  readonly [parts]: readonly Part[]
  protected readonly gate: CircuitGate
  private description: PolicyDescription
  private readonly hasFallback: boolean

  constructor(options: CircuitBreakerOptions, group: CircuitGroup | undefined) {
    const settings = circuitSettings(options)
    super(settings.name, settings.clock)
    this.hasFallback = options.fallback !== undefined
    this.gate = new CircuitGate(settings, group)
    if (settings.mode === 'disabled') this.gate.disable()
    this[parts] = this.hasFallback ? [this.substitute(options.fallback), this.gate] : [this.gate]
    this.description = this.descriptionOf(settings)
  }

  get state(): CircuitState {
    return this.gate.at(this.clock.now()).state
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    return this.description
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
    const settings = changedSettings(this.gate.settings, options)
    this.gate.reconfigure(settings)
    this.description = this.descriptionOf(settings)
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

  private descriptionOf({ name, mode, rules, halfOpen, openTime }: CircuitSettings): PolicyDescription {
    return Object.freeze({
      kind: this.kind,
      name,
      ...rules.description,
      ...halfOpen.description,
      ...openTime.description,
      mode,
      trips: 'any',
      hasFallback: this.hasFallback,
    })
  }

  /** Answers in place of this breaker's own refusals. */
  private substitute(fallback: unknown): SubstituteFlow {
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
