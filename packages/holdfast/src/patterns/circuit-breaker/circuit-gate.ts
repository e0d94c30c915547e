import type { Call } from '../../core/call.ts'
import { causesOf } from '../../core/causes.ts'
import type { Clock } from '../../core/clock.ts'
import { DeadlineList, type DeadlineNode } from '../../core/deadline-list.ts'
import type { EventHub } from '../../core/events.ts'
import type { Gate, Verdict } from '../../core/layer.ts'
import { isRefusal, refusal, toError, type Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import type { CircuitControl } from './control.ts'
import { FailureTimes } from './failure-times.ts'
import type { HalfOpenRules } from './half-open.ts'
import { Probation, Probe } from './half-open.ts'
import type { OpenTime } from './open-time.ts'
import type { CircuitEvent, OpenReason } from './events.ts'
import { windowFor, type TripRules } from './trip-rules.ts'
import type { OutcomeWindow } from './windows.ts'

export type CircuitState = 'closed' | 'open' | 'half-open' | 'isolated' | 'disabled'

/** Leave to make a call. Its results count only in the generation (the stay in one state) that gave it. */
export interface CircuitPermit {
  readonly generation: number
}

export interface CircuitSettings {
  readonly name: string
  readonly clock: Clock
  readonly rules: TripRules
  readonly halfOpen: HalfOpenRules
  readonly openTime: OpenTime
  readonly metricsOnly: boolean
  readonly isFailure: ((error: unknown) => boolean) | undefined
  readonly isIgnored: ((error: unknown) => boolean) | undefined
  readonly isFailureResult: ((value: unknown) => boolean) | undefined
  readonly openOn: ((outcome: { readonly ok: boolean; readonly value: unknown }) => number | undefined) | undefined
  readonly control: CircuitControl | undefined
  /** Asked before the circuit opens by itself; false keeps it closed. */
  readonly mayOpen: (() => boolean) | undefined
}

/** The state machine. It owns no timer: time is looked at when a call comes, or when somebody reads. */
export class CircuitGate implements Gate<CircuitPermit> {
  readonly kind = 'gate' as const
  readonly settings: CircuitSettings
  readonly events: EventHub<CircuitEvent>
  state: CircuitState = 'closed'
  generation = 0
  /** Epoch ms of the last change. */
  since: number
  openedAt = 0
  openForMs = 0
  /** Openings since the circuit was last closed. */
  openings = 0
  consecutiveFailures = 0
  lastFailureAt: number | undefined = undefined
  succeeded = 0
  failed = 0
  ignored = 0
  refused = 0
  opened = 0
  readonly window: OutcomeWindow | undefined
  readonly failureTimes: FailureTimes | undefined
  probation: Probation | undefined = undefined
  /** Calls in flight that are slow already. */
  slowInFlight = 0
  /** Metrics-only: the rules say open at present. */
  wouldBeOpen = false
  private closedPermit: CircuitPermit = { generation: 0 }
  private readonly slowWatch: DeadlineList | undefined
  /** Whether a success in the closed state is no more than a number to count. */
  private readonly plainSuccess: boolean

  constructor(settings: CircuitSettings, events: EventHub<CircuitEvent>) {
    this.settings = settings
    this.events = events
    const { rules, clock } = settings
    this.since = clock.wallNow()
    this.window = windowFor(rules)
    this.failureTimes = rules.failureThreshold === Infinity ? undefined : new FailureTimes(rules.failureThreshold, rules.windowMs)
    this.plainSuccess = this.window === undefined && !settings.metricsOnly && settings.isFailureResult === undefined && settings.openOn === undefined
    this.slowWatch = rules.slowCallMs === Infinity ? undefined : new DeadlineList(clock, rules.slowCallMs)
  }

  admit(call: Call): CircuitPermit | Refusal {
    const { control } = this.settings
    if (control !== undefined && control.isolated) return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (this.state === 'closed') return this.slowWatch === undefined ? this.closedPermit : this.watchedPermit(this.slowWatch)
    return this.admitUnlessOpen(call)
  }

  settle(permit: CircuitPermit, ok: boolean, value: unknown, call: Call): void {
    if (ok && this.plainSuccess && permit === this.closedPermit) {
      this.succeeded++
      this.consecutiveFailures = 0
      return
    }
    let slow = false
    if (permit instanceof WatchedPermit) {
      this.slowWatch?.remove(permit)
      if (permit.slow && permit.generation === this.generation) this.slowInFlight--
      slow = permit.slow || this.settings.clock.now() >= permit.dueAt
    }
    const verdict = this.judge(ok, value, call)
    if (verdict === 'success') this.succeeded++
    else if (verdict === 'failure') {
      this.failed++
      this.lastFailureAt = this.settings.clock.now()
    } else this.ignored++
    if (permit.generation !== this.generation) return
    const openForMs = this.askOpenOn(ok, value)
    if (permit instanceof Probe) {
      if (openForMs !== undefined) this.open({ rule: 'asked' }, openForMs)
      else this.settleProbe(permit, verdict)
    } else if (this.state === 'closed') {
      if (openForMs !== undefined) this.open({ rule: 'asked' }, openForMs)
      else if (verdict !== 'ignored') this.count(verdict === 'failure', slow)
    }
  }

  stillValid(permit: CircuitPermit): true | Refusal {
    if (this.settings.control?.isolated === true) return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (permit.generation === this.generation || this.state === 'closed' || this.state === 'disabled') return true
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    return this.refuse('ERR_CIRCUIT_OPEN', this.retryAfterMs(this.settings.clock.now()))
  }

  /** The state at an instant, without changing anything: an open circuit whose time is over is half-open. */
  stateAt(now: number): CircuitState {
    if (this.settings.control?.isolated === true) return 'isolated'
    if (this.state === 'open') return now >= this.openedAt + this.openForMs ? 'half-open' : 'open'
    const reopenedAt = this.state === 'half-open' ? this.probation?.reopensAt(now) : undefined
    if (reopenedAt === undefined) return this.state
    return now >= reopenedAt + this.settings.openTime.next(this.openings + 1, 0.5) ? 'half-open' : 'open'
  }

  /** Milliseconds until the circuit lets a call in by itself; undefined if it will not. */
  retryAfterMs(now: number): number | undefined {
    if (this.state === 'open') return Math.max(0, this.openedAt + this.openForMs - now)
    return this.state === 'half-open' ? 0 : undefined
  }

  open(reason: OpenReason, openForMs?: number, openedAt: number = this.settings.clock.now()): void {
    const { openTime, mayOpen } = this.settings
    if (reason.rule !== 'manual' && this.state === 'closed' && mayOpen !== undefined && !mayOpen()) return
    const counts = this.counts()
    this.openings++
    this.opened++
    this.openedAt = openedAt
    this.openForMs = openForMs ?? openTime.next(this.openings)
    this.enter('open')
    if (!this.events.active) return
    const { name, clock } = this.settings
    const nextAttemptAt = this.since + (openedAt + this.openForMs - clock.now())
    this.events.emit({ type: 'circuit.opened', policy: name, at: this.since, reason, ...counts, openForMs: this.openForMs, nextAttemptAt })
  }

  close(manual: boolean): void {
    const before = this.state
    this.openings = 0
    this.enter('closed')
    if (before === 'closed') return
    if (this.events.active) this.events.emit({ type: 'circuit.closed', policy: this.settings.name, at: this.since, from: before, manual })
  }

  isolate(): void {
    if (this.state === 'isolated') return
    this.enter('isolated')
    if (this.events.active) this.events.emit({ type: 'circuit.isolated', policy: this.settings.name, at: this.since })
  }

  disable(): void {
    if (this.state === 'disabled') return
    this.enter('disabled')
    if (this.events.active) this.events.emit({ type: 'circuit.disabled', policy: this.settings.name, at: this.since })
  }

  halfOpen(): void {
    this.enter('half-open')
    this.probation = new Probation(this.settings.halfOpen)
    if (this.events.active) this.events.emit({ type: 'circuit.half-opened', policy: this.settings.name, at: this.since })
  }

  counts(): { readonly calls: number | null; readonly failures: number; readonly slowCalls: number | null } {
    const now = this.settings.clock.now()
    const { window, failureTimes, slowInFlight } = this
    window?.advance(now)
    if (window !== undefined) return { calls: window.calls, failures: window.failures, slowCalls: window.slow + slowInFlight }
    return { calls: null, failures: failureTimes === undefined ? this.consecutiveFailures : failureTimes.countAt(now), slowCalls: null }
  }

  private admitUnlessOpen(call: Call): CircuitPermit | Refusal {
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (this.state === 'disabled') return this.closedPermit
    const now = this.settings.clock.now()
    this.expireProbes(now)
    if (this.state === 'open') {
      if (now < this.openedAt + this.openForMs) return this.refuse('ERR_CIRCUIT_OPEN', this.openedAt + this.openForMs - now)
      this.halfOpen()
    }
    return this.probation?.admit(this.generation, call, now) ?? this.refuse('ERR_CIRCUIT_OPEN', 0)
  }

  /** Probes that never ended count as failures from the moment their lease ran out. */
  private expireProbes(now: number): void {
    const { probation } = this
    if (this.state !== 'half-open' || probation === undefined) return
    const reopensAt = probation.reopensAt(now)
    const expired = probation.expire(now)
    if (expired === 0) return
    this.failed += expired
    if (this.events.active) this.events.emit({ type: 'circuit.probe-expired', policy: this.settings.name, at: this.settings.clock.wallNow() })
    if (reopensAt !== undefined) this.open({ rule: 'probe-expired' }, undefined, reopensAt)
  }

  private settleProbe(probe: Probe, verdict: Verdict): void {
    const decision = this.probation?.settle(probe, verdict)
    if (decision === 'reopen') this.open({ rule: 'probe-failed' })
    else if (decision === 'close') this.close(false)
  }

  private count(failed: boolean, slow: boolean): void {
    const { rules } = this.settings
    if (failed) this.consecutiveFailures++
    else this.consecutiveFailures = 0
    if (!failed && this.window === undefined && !this.wouldBeOpen) return
    const now = this.settings.clock.now()
    const thresholdReached = failed && this.failureTimes !== undefined && this.failureTimes.record(now)
    this.window?.record(now, failed, slow)
    if (thresholdReached) this.trip({ rule: 'failure-threshold' })
    else if (this.consecutiveFailures >= rules.consecutiveFailures) this.trip({ rule: 'consecutive-failures' })
    else this.checkRatios()
  }

  private checkRatios(): void {
    const { window, failureTimes, slowInFlight } = this
    const { rules, clock } = this.settings
    if (window !== undefined) {
      const calls = window.calls + slowInFlight
      if (calls >= rules.minimumCalls) {
        if (window.failures / calls >= rules.failureRatio) return this.trip({ rule: 'failure-ratio' })
        if ((window.slow + slowInFlight) / calls >= rules.slowCallRatio) return this.trip({ rule: 'slow-call-ratio' })
      }
    }
    if (this.wouldBeOpen) this.wouldBeOpen = failureTimes !== undefined && failureTimes.countAt(clock.now()) >= rules.failureThreshold
  }

  private trip(reason: OpenReason): void {
    if (!this.settings.metricsOnly) {
      this.open(reason)
      return
    }
    if (this.wouldBeOpen) return
    this.wouldBeOpen = true
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'circuit.would-have-opened', policy: name, at: clock.wallNow(), reason, ...this.counts() })
  }

  private enter(state: CircuitState): void {
    this.state = state
    this.generation++
    this.closedPermit = { generation: this.generation }
    this.since = this.settings.clock.wallNow()
    this.probation = undefined
    this.slowInFlight = 0
    this.consecutiveFailures = 0
    this.wouldBeOpen = false
    this.window?.clear()
    this.failureTimes?.clear()
  }

  private refuse(code: 'ERR_CIRCUIT_OPEN' | 'ERR_CIRCUIT_ISOLATED', retryAfterMs: number | undefined): Refusal {
    this.refused++
    return refusal(code, this.settings.name, retryAfterMs)
  }

  private judge(ok: boolean, value: unknown, call: Call): Verdict {
    const { isFailure, isIgnored, isFailureResult } = this.settings
    if (ok) {
      if (isFailureResult === undefined) return 'success'
      return this.ask('isFailureResult', () => isFailureResult(value), false) ? 'failure' : 'success'
    }
    const verdict = verdictOf(ok, value, call)
    if (verdict === 'ignored' || (isFailure === undefined && isIgnored === undefined)) return verdict
    const errors = causesOf(toError(value))
    if (isIgnored !== undefined && this.ask('ignore', () => errors.some((error) => isIgnored(error)), false)) return 'ignored'
    if (isFailure !== undefined && !this.ask('isFailure', () => errors.some((error) => isFailure(error)), true)) return 'success'
    return 'failure'
  }

  private askOpenOn(ok: boolean, value: unknown): number | undefined {
    const { openOn } = this.settings
    if (openOn === undefined || isRefusal(value)) return undefined
    return this.ask('openOn', () => openOn({ ok, value }), undefined)
  }

  /** A predicate that throws must not change what the caller gets. */
  private ask<T>(callback: string, question: () => T, otherwise: T): T {
    try {
      return question()
    } catch (error) {
      const { name, clock } = this.settings
      if (this.events.active) this.events.emit({ type: 'circuit.callback-failed', policy: name, at: clock.wallNow(), callback, error })
      return otherwise
    }
  }

  private watchedPermit(watch: DeadlineList): CircuitPermit {
    const permit = new WatchedPermit(this)
    watch.add(permit, this.settings.clock.now())
    return permit
  }

  /** A call in flight has become slow. */
  becameSlow(permit: WatchedPermit): void {
    if (permit.generation !== this.generation || this.state !== 'closed') return
    this.slowInFlight++
    this.window?.advance(this.settings.clock.now())
    this.checkRatios()
  }
}

/** A call whose duration is watched. */
class WatchedPermit implements CircuitPermit, DeadlineNode {
  readonly gate: CircuitGate
  readonly generation: number
  slow = false
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false

  constructor(gate: CircuitGate) {
    this.gate = gate
    this.generation = gate.generation
  }

  expire(): void {
    this.slow = true
    this.gate.becameSlow(this)
  }
}
