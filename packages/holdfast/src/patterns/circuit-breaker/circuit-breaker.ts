import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { isHoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import type { Part } from '../../core/layer.ts'
import { errorMatcher, type ErrorMatch } from '../../core/match-error.ts'
import { checkOptionNames, choiceOption, functionOption, invalidOption, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import type { Random } from '../../core/random.ts'
import { SubstituteFlow } from '../../core/substitute.ts'
import { CircuitGate, type CircuitSettings, type CircuitState } from './circuit-gate.ts'
import type { CircuitControl } from './control.ts'
import type { CircuitEvent } from './events.ts'
import { halfOpenOptionNames, halfOpenRules, type HalfOpenOptions } from './half-open.ts'
import { openTime, openTimeOptionNames, type OpenTimeOptions } from './open-time.ts'
import { tripOptionNames, tripRules, type TripOptions } from './trip-rules.ts'

/** What {@link CircuitBreakerOptions.openOn} looks at: a result when `ok`, an error otherwise. */
export interface CircuitOutcome {
  readonly ok: boolean
  readonly value: unknown
}

export interface CircuitBreakerOptions<F = unknown> extends TripOptions, HalfOpenOptions, OpenTimeOptions {
  /** @defaultValue 'circuit-breaker' */
  readonly name?: string
  /** Which errors are failures; others count as successes. Looks behind wrappers too. @defaultValue all errors */
  readonly isFailure?: ErrorMatch
  /** Which errors count as nothing at all. */
  readonly ignore?: ErrorMatch
  /** Which results are failures. */
  readonly isFailureResult?: (value: unknown) => boolean
  /** Opens the circuit for as long as it answers (429 with Retry-After, say), without counting the call as a failure. */
  readonly openOn?: (outcome: CircuitOutcome) => Duration | undefined
  /** The answer while the circuit is open or isolated: a value, or a function of the error. */
  readonly fallback?: F | ((error: unknown) => F | PromiseLike<F>)
  /** `metrics-only` says when the circuit would have opened but never refuses; `disabled` lets everything pass uncounted. @defaultValue 'enforce' */
  readonly mode?: 'enforce' | 'metrics-only' | 'disabled'
  /** Shared hand; see {@link circuitControl}. */
  readonly control?: CircuitControl
  readonly clock?: Clock
  readonly random?: Random
}

/** A circuit as plain data. Instants in epoch ms; rates are null without data. */
export interface CircuitStatus {
  readonly kind: 'circuit-breaker'
  readonly name: string
  readonly state: CircuitState
  readonly mode: 'enforce' | 'metrics-only'
  /** When the state began. */
  readonly since: number
  /** Within the window; null when no rule looks at ratios. */
  readonly calls: number | null
  /** Within the window. */
  readonly failures: number
  readonly failureRate: number | null
  readonly slowCallRate: number | null
  readonly consecutiveFailures: number
  /** Successful and failed probes of this half-open state; null in the others. */
  readonly probes: { readonly running: number; readonly successes: number; readonly failures: number } | null
  readonly successTotal: number
  readonly failureTotal: number
  readonly ignoredTotal: number
  readonly refusedTotal: number
  readonly openedTotal: number
  readonly lastFailureAt: number | null
  readonly timeSinceLastFailureMs: number | null
  /** When the first probe is let in; null unless the circuit is open. */
  readonly nextAttemptAt: number | null
  readonly [figure: string]: unknown
}

export interface CircuitBreaker<F = never> extends Policy<CircuitEvent, F>, Acquirable {
  readonly kind: 'circuit-breaker'
  /** The state now: an open circuit whose time is over reads as half-open, though its event comes with the first probe. Reading changes nothing. */
  readonly state: CircuitState
  status(): CircuitStatus
  /** Failures / calls: within the window where a rule looks at ratios, else ever; null without calls. */
  failureRate(): number | null
  /** Lets nothing through until {@link CircuitBreaker.close}. */
  isolate(): void
  /** Opens now, for the given or the configured time; then probes decide as usual. */
  forceOpen(openFor?: Duration): void
  /** Closes by hand from any state, with an empty window. */
  close(): void
  /** Lets everything through, uncounted, until {@link CircuitBreaker.close}. */
  disable(): void
  /** Closes and sets all figures to zero. */
  reset(): void
  /**
   * Probes now instead of waiting for the open time to end: `check` runs as a probe, and its result counts as one.
   * Answers whether it succeeded. An isolated circuit is not probed.
   */
  attemptReset(check: () => unknown): Promise<boolean>
}

const optionNames = [
  ...tripOptionNames,
  ...halfOpenOptionNames,
  ...openTimeOptionNames,
  'name',
  'isFailure',
  'ignore',
  'isFailureResult',
  'openOn',
  'fallback',
  'mode',
  'control',
  'clock',
  'random',
] as const

/** The breaker behind {@link circuitBreaker}; `mayOpen` lets a group of breakers limit how many of them are open. */
export function newCircuitBreaker(options: CircuitBreakerOptions, mayOpen?: () => boolean): CircuitBreaker<unknown> {
  return new CircuitBreakerPolicy(options, mayOpen)
}

class CircuitBreakerPolicy extends GatePolicy<CircuitEvent, unknown> implements CircuitBreaker<unknown> {
  readonly kind = 'circuit-breaker' as const
  readonly [parts]: readonly Part[]
  protected readonly gate: CircuitGate
  private readonly description: PolicyDescription

  constructor(options: CircuitBreakerOptions, mayOpen: (() => boolean) | undefined) {
    checkOptionNames('circuitBreaker', options, optionNames)
    const name = nameOption('circuit-breaker', options.name)
    super(name, options.clock ?? systemClock)
    const mode = choiceOption(name, 'mode', options.mode ?? 'enforce', ['enforce', 'metrics-only', 'disabled'])
    const settings = circuitSettings(name, this.clock, options, mode === 'metrics-only', mayOpen)
    this.gate = new CircuitGate(settings, new EventHub())
    if (mode === 'disabled') this.gate.disable()
    this[parts] = 'fallback' in options && options.fallback !== undefined ? [this.substitute(options.fallback), this.gate] : [this.gate]
    this.description = {
      kind: this.kind,
      name,
      ...settings.rules.description,
      ...settings.halfOpen.description,
      ...settings.openTime.description,
      mode,
      trips: 'any',
      hasFallback: options.fallback !== undefined,
    }
  }

  get state(): CircuitState {
    return this.gate.stateAt(this.clock.now())
  }

  on(listener: Listener<CircuitEvent>): () => void {
    return this.gate.events.on(listener)
  }

  describe(): PolicyDescription {
    return this.description
  }

  status(): CircuitStatus {
    const { gate, clock } = this
    const now = clock.now()
    const wallNow = clock.wallNow()
    const state = gate.stateAt(now)
    const { calls, failures, slowCalls } = gate.counts()
    const sinceFailure = gate.lastFailureAt === undefined ? null : Math.max(0, now - gate.lastFailureAt)
    const { probation } = gate
    return {
      kind: this.kind,
      name: this.name,
      state,
      mode: gate.settings.metricsOnly ? 'metrics-only' : 'enforce',
      since: gate.state === 'open' && state === 'half-open' ? wallNow - (now - gate.openedAt - gate.openForMs) : gate.since,
      calls,
      failures,
      failureRate: this.failureRate(),
      slowCallRate: calls === null || calls === 0 || slowCalls === null ? null : slowCalls / (calls + gate.slowInFlight),
      consecutiveFailures: gate.consecutiveFailures,
      probes: probation === undefined ? null : { running: probation.running.size, successes: probation.successes, failures: probation.failures },
      successTotal: gate.succeeded,
      failureTotal: gate.failed,
      ignoredTotal: gate.ignored,
      refusedTotal: gate.refused,
      openedTotal: gate.opened,
      lastFailureAt: sinceFailure === null ? null : wallNow - sinceFailure,
      timeSinceLastFailureMs: sinceFailure,
      nextAttemptAt: state === 'open' && gate.openForMs !== Infinity ? wallNow + (gate.openedAt + gate.openForMs - now) : null,
    }
  }

  failureRate(): number | null {
    const { calls, failures } = this.gate.counts()
    if (calls !== null) return calls === 0 ? null : failures / calls
    const ever = this.gate.succeeded + this.gate.failed
    return ever === 0 ? null : this.gate.failed / ever
  }

  override health(): HealthRecord {
    const { state } = this
    if (state === 'closed' || state === 'disabled') return { status: 'pass' }
    const retryAfterMs = this.gate.retryAfterMs(this.clock.now())
    const when = state === 'open' && retryAfterMs !== undefined && retryAfterMs !== Infinity ? `, next attempt in ${Math.ceil(retryAfterMs / 1_000)} s` : ''
    return { status: 'warn', reason: `circuit breaker '${this.name}' is ${state}${when}` }
  }

  isolate(): void {
    this.gate.isolate()
  }

  forceOpen(openFor?: Duration): void {
    const forMs = openFor === undefined ? undefined : durationMs(this.name, 'openFor', openFor, { min: 1, allowInfinity: true })
    this.gate.open({ rule: 'manual' }, forMs)
  }

  close(): void {
    this.gate.close(true)
  }

  disable(): void {
    this.gate.disable()
  }

  reset(): void {
    this.gate.close(true)
    this.gate.succeeded = 0
    this.gate.failed = 0
    this.gate.ignored = 0
    this.gate.refused = 0
    this.gate.opened = 0
    this.gate.lastFailureAt = undefined
  }

  async attemptReset(check: () => unknown): Promise<boolean> {
    if (this.state === 'isolated') return false
    if (this.gate.state === 'open') this.gate.halfOpen()
    const outcome = await this.tryExecute(check)
    return outcome.ok && !this.refusedNow()
  }

  private refusedNow(): boolean {
    const { state } = this
    return state === 'open' || state === 'isolated'
  }

  private substitute(fallback: unknown): SubstituteFlow {
    return new SubstituteFlow({
      handler: typeof fallback === 'function' ? (error) => (fallback as (error: unknown) => unknown)(error) : () => fallback,
      when: (error) => isHoldfastError(error) && error.policy === this.name && (error.code === 'ERR_CIRCUIT_OPEN' || error.code === 'ERR_CIRCUIT_ISOLATED'),
      used: () => undefined,
      failed: () => undefined,
    })
  }
}

function circuitSettings(
  name: string,
  clock: Clock,
  options: CircuitBreakerOptions,
  metricsOnly: boolean,
  mayOpen: (() => boolean) | undefined,
): CircuitSettings {
  const time = openTime(name, options, options.random ?? Math.random)
  const { control, openOn } = options
  if (control !== undefined && typeof control.isolate !== 'function') throw invalidOption(name, 'control', control, 'a circuitControl()')
  functionOption(name, 'openOn', openOn)
  return {
    name,
    clock,
    rules: tripRules(name, options),
    halfOpen: halfOpenRules(name, options, time.firstMs),
    openTime: time,
    metricsOnly,
    isFailure: options.isFailure === undefined ? undefined : errorMatcher(name, 'isFailure', options.isFailure),
    isIgnored: options.ignore === undefined ? undefined : errorMatcher(name, 'ignore', options.ignore),
    isFailureResult: functionOption(name, 'isFailureResult', options.isFailureResult),
    openOn: openOn === undefined ? undefined : (outcome) => openForOf(name, openOn(outcome)),
    control,
    mayOpen,
  }
}

function openForOf(name: string, openFor: Duration | undefined): number | undefined {
  return openFor === undefined ? undefined : durationMs(name, 'openOn', openFor, { allowInfinity: true })
}
