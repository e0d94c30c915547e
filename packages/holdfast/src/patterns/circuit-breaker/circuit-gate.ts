import type { Call } from '../../core/call.ts'
import type { Gate, Verdict } from '../../core/layer.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import { CallRecord } from './call-record.ts'
import { noCircles, type Circles, type CircuitCircle } from './circuit-circle.ts'
import { CircuitCore } from './circuit-core.ts'
import type { CircuitSettings } from './circuit-options.ts'
import { positionOf, type CircuitPosition } from './circuit-position.ts'
import type { ResumedState } from './circuit-snapshot.ts'
import type { CircuitCounts, CircuitState, OpenReason } from './events.ts'
import { OpenPeriods } from './open-periods.ts'
import { askedOpenForMs, judge } from './outcome-judge.ts'
import { Probation, Probe } from './probation.ts'
import { SlowCalls, WatchedPermit, type SlowCallsOwner } from './slow-calls.ts'

/** Leave to make a call. Its results count only in the generation (the stay in one state) that gave it. */
export interface CircuitPermit {
  readonly generation: number
}

/** Of a disabled circuit, which counts nothing. */
const uncounted: CircuitPermit = { generation: -1 }
/** Of circuits that have never left the state they were made in. */
const first: CircuitPermit = { generation: 0 }

/**
 * The state machine. It owns no timer: time is looked at when a call comes, or when somebody reads. What only troubled circuits
 * need is made with the first trouble.
 */
export class CircuitGate extends CircuitCore implements Gate<CircuitPermit>, SlowCallsOwner {
  readonly kind = 'gate' as const
  state: CircuitState = 'closed'
  /** Epoch ms of the last change. */
  since: number
  succeeded = 0
  failed = 0
  /** Monotonic ms. */
  lastFailureAt: number | undefined = undefined
  /** Undefined: nothing but successes so far, and no rule that remembers them. */
  record: CallRecord | undefined = undefined
  probation: Probation | undefined = undefined
  private slowCalls: SlowCalls | undefined
  /** Whether a success in the closed state is no more than a number to count. */
  private plainSuccess: boolean
  private generation = 0
  private closedPermit: CircuitPermit = first
  /** A rule says open, but the circuit stays closed. */
  private wouldBeOpen = false

  constructor(name: string, settings: CircuitSettings, circles: Circles = noCircles) {
    super(name, settings, circles)
    this.since = settings.clock.wallNow()
    this.slowCalls = this.newSlowCalls(settings)
    this.plainSuccess = this.isPlainSuccess(settings)
    if (settings.mode === 'disabled') this.disable()
  }

  /** Other rules; what happens next is judged by them. */
  reconfigure(settings: CircuitSettings): void {
    const before = this.settings
    this.expireProbes() // what has run out has done so under the rules before
    this.settings = settings
    this.record?.reconfigure(settings.rules)
    if (settings.rules.slowCallMs !== before.rules.slowCallMs) {
      this.slowCalls?.retire()
      this.slowCalls = this.newSlowCalls(settings)
    }
    this.plainSuccess = this.isPlainSuccess(settings)
    if (settings.mode === 'disabled' && before.mode !== 'disabled') this.disable()
    if (settings.mode !== 'disabled' && before.mode === 'disabled' && this.state === 'disabled') this.close(true)
  }

  admit(call: Call): CircuitPermit | Refusal {
    const { control } = this.settings
    if (control !== undefined && control.isolated) return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (this.state === 'closed') return this.slowCalls === undefined ? this.closedPermit : this.slowCalls.begin(this.generation)
    return this.admitUnlessOpen(call)
  }

  admitNow(): CircuitPermit | undefined {
    return this.state === 'closed' && this.slowCalls === undefined && this.settings.control?.isolated !== true
      ? this.closedPermit
      : undefined
  }

  settle(permit: CircuitPermit, ok: boolean, value: unknown, call: Call): Verdict {
    if (ok && this.plainSuccess && permit === this.closedPermit) {
      this.succeeded++
      if (this.record !== undefined) this.record.consecutiveFailures = 0
      return 'success'
    }
    const { settings } = this
    const given = verdictOf(ok, value, call)
    if (permit === uncounted) return given
    const slow = permit instanceof WatchedPermit && permit.end(settings.rules.slowCallMs)
    const openForMs = given === 'ignored' ? undefined : askedOpenForMs(settings, ok, value, this)
    const verdict = given === 'ignored' || openForMs !== undefined ? 'ignored' : judge(settings, ok, value, call, this)
    if (permit instanceof Probe && permit.generation === this.generation) this.expireProbes(verdict === 'failure' ? permit : undefined)
    if (permit instanceof Probe && permit.expired) return 'failure'
    this.tally(verdict)
    if (permit.generation !== this.generation) return verdict
    if (permit instanceof Probe) this.settleProbe(permit, verdict, openForMs)
    else if (openForMs !== undefined) this.ask(openForMs)
    else if (verdict !== 'ignored') this.count(verdict === 'failure', slow)
    return verdict
  }

  stillValid(permit: CircuitPermit): true | Refusal {
    if (this.settings.control?.isolated === true) return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    this.expireProbes()
    const now = this.settings.clock.now()
    if (permit.generation === this.generation)
      return permit instanceof Probe && permit.expired ? this.refuse('ERR_CIRCUIT_OPEN', this.probation?.waitMs(now)) : true
    if (this.state === 'closed' || this.state === 'disabled') return true
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    const { endsAt } = this.at(now)
    return this.refuse('ERR_CIRCUIT_OPEN', endsAt === undefined ? this.probation?.waitMs(now) : endsAt - now)
  }

  /** Looks without changing anything: an open circuit whose time is over is half-open although no call has come. */
  at(now: number): CircuitPosition {
    return this.settings.control?.isolated === true ? { state: 'isolated' } : this.beneathControl(now)
  }

  /** As {@link CircuitGate.at}, whatever a shared hand says. */
  beneathControl(now: number): CircuitPosition {
    const { state, probation } = this
    if (state === 'open') return positionOf(now, this.opening().endsAt)
    const reopensAt = probation?.reopensAt(now)
    if (probation === undefined || reopensAt === undefined) return { state }
    return positionOf(now, reopensAt + this.reopenForMs(probation), reopensAt)
  }

  /** When this circuit, though not closed, will have been waiting for a call for as long as a probe may take; Infinity: it is not waiting. */
  idleFrom(now: number): number {
    const { state, beganAt, endsAt } = this.beneathControl(now)
    const waitsFrom = endsAt ?? (state === 'half-open' ? beganAt : undefined)
    if (waitsFrom !== undefined) return waitsFrom + this.settings.halfOpen.probeTimeoutMs
    return state === 'half-open' && this.probation !== undefined ? this.probation.idleFrom : Infinity
  }

  counts(now: number): CircuitCounts {
    return (this.record ?? new CallRecord(this.settings.rules)).counts(now, this.slowInFlight)
  }

  /** Openings that count for the growth of the next one. */
  openingsAt(now: number): number {
    const { periods, state, probation, settings } = this
    if (periods === undefined) return 0
    if (state === 'closed') return periods.leftAt(now, settings.openTime)
    return probation?.reopensAt(now) === undefined ? periods.openings : periods.openings + 1
  }

  /** Calls in flight that are slow already. */
  get slowInFlight(): number {
    return this.slowCalls === undefined ? 0 : this.slowCalls.inFlight
  }

  forceOpen(openForMs: number | undefined): void {
    this.expireProbes()
    this.open({ rule: 'manual' }, openForMs)
  }

  close(manual: boolean): void {
    this.expireProbes()
    const from = this.state
    this.closePeriods(!manual)
    this.enter('closed')
    if (from !== 'closed') this.tell(() => ({ type: 'circuit.closed', policy: this.name, at: this.since, from, manual }))
  }

  isolate(): void {
    this.expireProbes()
    if (this.state === 'isolated') return
    this.enter('isolated')
    this.tell(() => ({ type: 'circuit.isolated', policy: this.name, at: this.since }))
  }

  disable(): void {
    this.expireProbes()
    if (this.state === 'disabled') return
    this.enter('disabled')
    this.tell(() => ({ type: 'circuit.disabled', policy: this.name, at: this.since }))
  }

  /** Ends the open time, so that the next call is a probe. */
  endOpenTime(): void {
    this.expireProbes()
    if (this.state === 'open') this.halfOpen()
  }

  /** Goes on where a saved circuit was. Probes that ran then decide nothing, and neither do the calls that run now. */
  resume({ state, remainingMs, openings, consecutiveFailures, lastFailureAt }: ResumedState): void {
    const { clock, rules } = this.settings
    const now = clock.now()
    const staysClosed = state === 'open' && remainingMs !== Infinity && !this.mayOpen(now)
    const entered = staysClosed ? 'closed' : state
    if (openings > 0 || entered === 'open') {
      this.periods ??= new OpenPeriods()
      this.periods.openings = openings
      if (entered === 'open') this.periods.begin(now, remainingMs)
      else this.closePeriods(true)
    }
    this.enter(entered)
    this.lastFailureAt = lastFailureAt
    if (consecutiveFailures > 0) (this.record ??= new CallRecord(rules)).consecutiveFailures = consecutiveFailures
    this.tell(() => ({ type: 'circuit.restored', policy: this.name, at: this.since, state: this.at(now).state }))
    if (staysClosed) this.stayClosed({ rule: 'restored' })
  }

  resetTotals(): void {
    this.succeeded = 0
    this.failed = 0
    this.lastFailureAt = undefined
    this.forgetTotals()
  }

  /** Belongs to a circle no more. Answers whether it did. */
  leaveCircle(circle: CircuitCircle): boolean {
    if (!this.without(circle)) return false
    this.plainSuccess = this.isPlainSuccess(this.settings)
    circle.left(this)
    return true
  }

  leaveAllCircles(): void {
    for (const circle of this.circles.all) this.leaveCircle(circle)
  }

  oneMoreSlow(): void {
    this.checkRules()
  }

  private newSlowCalls({ clock, rules }: CircuitSettings): SlowCalls | undefined {
    return rules.slowCallMs === Infinity ? undefined : new SlowCalls(clock, rules.slowCallMs, this.generation, this)
  }

  private isPlainSuccess({ mode, rules, isFailureResult, openOn }: CircuitSettings): boolean {
    const mayStayClosed = mode === 'metrics-only' || this.circles.isCapped
    return !rules.byRatio && !mayStayClosed && isFailureResult === undefined && openOn === undefined
  }

  private admitUnlessOpen(call: Call): CircuitPermit | Refusal {
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (this.state === 'disabled') return uncounted
    const now = this.settings.clock.now()
    this.expireProbes()
    if (this.state === 'open') {
      const { endsAt } = this.opening()
      if (now < endsAt) return this.refuse('ERR_CIRCUIT_OPEN', endsAt - now)
      this.halfOpen()
    }
    const { probation } = this
    return probation?.admit(this.generation, call, now) ?? this.refuse('ERR_CIRCUIT_OPEN', probation?.waitMs(now))
  }

  private open(reason: OpenReason, openForMs?: number, openedAt: number = this.settings.clock.now()): void {
    const { clock, openTime } = this.settings
    const now = clock.now()
    const counts = this.counts(now)
    const periods = this.opening()
    if (this.state === 'closed') periods.openings = periods.leftAt(now, openTime)
    const followsFailure = reason.rule !== 'manual' && reason.rule !== 'asked'
    if (followsFailure || periods.openings === 0) periods.openings++
    const forMs = openForMs ?? this.openTimeOf(periods.openings)
    this.counters().opened++
    periods.begin(openedAt, forMs)
    this.enter('open')
    const nextAttemptAt = forMs === Infinity ? null : Math.round(this.since + openedAt + forMs - now)
    this.tell(() => ({
      type: 'circuit.opened',
      policy: this.name,
      at: this.since,
      reason,
      ...counts,
      openForMs: forMs === Infinity ? null : forMs,
      nextAttemptAt,
    }))
  }

  private halfOpen(): void {
    this.enter('half-open')
    this.probation = new Probation(this.settings.halfOpen, this.settings.clock.now())
    this.tell(() => ({ type: 'circuit.half-opened', policy: this.name, at: this.since }))
  }

  /**
   * Probes that did not end within their lease have failed when it ran out, whenever that is noticed: whether somebody looked
   * in between must change nothing. `answered` is a probe that has just failed by itself, perhaps late.
   */
  private expireProbes(answered?: Probe): void {
    const { probation } = this
    if (probation === undefined) return
    const { clock } = this.settings
    const now = clock.now()
    const reopensAt = probation.reopensAt(now)
    const expired = probation.expire(now)
    for (const probe of expired) {
      this.failed++
      this.lastFailureAt = Math.max(this.lastFailureAt ?? -Infinity, probe.expiresAt)
      if (probe !== answered) this.tell(() => ({ type: 'circuit.probe-expired', policy: this.name, at: clock.wallNow() }))
    }
    if (reopensAt === undefined) return
    const rule = answered !== undefined && expired.includes(answered) ? 'probe-failed' : 'probe-expired'
    this.open({ rule }, this.reopenForMs(probation), reopensAt)
  }

  private settleProbe(probe: Probe, verdict: Verdict, openForMs: number | undefined): void {
    const decision = this.probation?.settle(probe, verdict)
    if (openForMs !== undefined && openForMs > 0) this.open({ rule: 'asked' }, openForMs)
    else if (decision === 'reopen') this.open({ rule: 'probe-failed' })
    else if (decision === 'close') this.close(false)
  }

  private count(failed: boolean, slow: boolean): void {
    const { rules, clock } = this.settings
    if (!failed && !rules.byRatio && !this.wouldBeOpen) {
      if (this.record !== undefined) this.record.consecutiveFailures = 0
      return
    }
    this.record ??= new CallRecord(rules)
    this.record.add(clock.now(), failed, slow)
    this.checkRules()
  }

  private checkRules(): void {
    const { rules, clock } = this.settings
    this.record ??= new CallRecord(rules)
    const rule = this.record.brokenRule(clock.now(), this.slowInFlight)
    if (rule === undefined) this.wouldBeOpen = false
    else this.trip({ rule })
  }

  /** `openOn` wants the closed circuit open. */
  private ask(openForMs: number): void {
    if (openForMs > 0) this.trip({ rule: 'asked' }, openForMs)
  }

  private trip(reason: OpenReason, openForMs?: number): void {
    if (this.mayOpen(this.settings.clock.now())) this.open(reason, openForMs)
    else this.stayClosed(reason)
  }

  /** Whether this closed circuit may open by itself. */
  private mayOpen(now: number): boolean {
    return this.settings.mode !== 'metrics-only' && this.circles.mayOpen(now)
  }

  private stayClosed(reason: OpenReason): void {
    if (this.wouldBeOpen) return
    this.wouldBeOpen = true
    const { clock, mode } = this.settings
    const isCapped = mode !== 'metrics-only'
    if (isCapped) {
      this.counters().ejectionsCapped++
      this.circles.kept()
    } else this.counters().wouldHaveOpened++
    const type = isCapped ? 'circuit.ejection-capped' : 'circuit.would-have-opened'
    this.tell(() => ({ type, policy: this.name, at: clock.wallNow(), reason, ...this.counts(clock.now()) }))
  }

  private enter(state: CircuitState): void {
    this.state = state
    this.generation++
    this.closedPermit = { generation: this.generation }
    this.since = this.settings.clock.wallNow()
    this.probation = undefined
    this.wouldBeOpen = false
    this.slowCalls?.forget(this.generation)
    if (state === 'closed') this.record?.clear()
    this.circles.changed(this)
  }

  private tally(verdict: Verdict): void {
    if (verdict === 'success') this.succeeded++
    else if (verdict === 'failure') {
      this.failed++
      this.lastFailureAt = this.settings.clock.now()
    } else this.counters().ignored++
  }

  private refuse(code: 'ERR_CIRCUIT_OPEN' | 'ERR_CIRCUIT_ISOLATED', retryAfterMs: number | undefined): Refusal {
    this.counters().refused++
    return refusal(code, this.name, retryAfterMs === Infinity ? undefined : retryAfterMs)
  }
}
