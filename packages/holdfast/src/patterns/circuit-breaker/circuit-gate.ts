import type { Call } from '../../core/call.ts'
import { EventHub } from '../../core/events.ts'
import type { Gate, Verdict } from '../../core/layer.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import { verdictOf } from '../../core/verdict.ts'
import { CallRecord } from './call-record.ts'
import type { CircuitSettings } from './circuit-options.ts'
import type { CircuitCounts, CircuitEvent, CircuitState, OpenReason } from './events.ts'
import { OutcomeJudge } from './outcome-judge.ts'
import { Probation, Probe } from './probation.ts'
import { SlowCalls, WatchedPermit } from './slow-calls.ts'

/** Leave to make a call. Its results count only in the generation (the stay in one state) that gave it. */
export interface CircuitPermit {
  readonly generation: number
}

/** Of a disabled circuit, which counts nothing. */
const uncounted: CircuitPermit = { generation: -1 }

/** Breakers that belong together: hears of them, and limits how many are open. */
export interface CircuitGroup {
  readonly events: EventHub<CircuitEvent>
  /** Asked before a closed circuit opens by itself; undefined if there is no limit. */
  readonly mayOpen: (() => boolean) | undefined
  changed(state: CircuitState): void
}

/** Where the circuit stands at an instant, by monotonic ms. */
export interface CircuitPosition {
  readonly state: CircuitState
  /** Set where time alone brought it there. */
  readonly beganAt?: number
  /** When an open circuit lets a probe in; Infinity if only a hand does. */
  readonly endsAt?: number
}

/** The state machine. It owns no timer: time is looked at when a call comes, or when somebody reads. */
export class CircuitGate implements Gate<CircuitPermit> {
  readonly kind = 'gate' as const
  settings: CircuitSettings
  readonly events: EventHub<CircuitEvent> = new EventHub()
  readonly record: CallRecord
  state: CircuitState = 'closed'
  /** Epoch ms of the last change. */
  since: number
  succeeded = 0
  failed = 0
  ignored = 0
  refused = 0
  opened = 0
  wouldHaveOpened = 0
  /** Monotonic ms. */
  lastFailureAt: number | undefined = undefined
  probation: Probation | undefined = undefined
  private readonly group: CircuitGroup | undefined
  private judge: OutcomeJudge
  private slowCalls: SlowCalls | undefined
  /** Whether a success in the closed state is no more than a number to count. */
  private plainSuccess: boolean
  private generation = 0
  private closedPermit: CircuitPermit = { generation: 0 }
  private openedAt = 0
  private openForMs = 0
  /** Openings since the circuit was last closed. */
  private openings = 0
  /** A rule says open, but the circuit stays closed. */
  private wouldBeOpen = false

  constructor(settings: CircuitSettings, group: CircuitGroup | undefined) {
    this.settings = settings
    this.group = group
    this.since = settings.clock.wallNow()
    this.record = new CallRecord(settings.rules)
    this.judge = this.newJudge(settings)
    this.slowCalls = this.newSlowCalls(settings)
    this.plainSuccess = this.isPlainSuccess(settings)
  }

  /** Other rules; what happens next is judged by them. */
  reconfigure(settings: CircuitSettings): void {
    const before = this.settings
    this.expireProbes() // what has run out has done so under the rules before
    this.settings = settings
    this.record.reconfigure(settings.rules)
    this.judge = this.newJudge(settings)
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
      this.record.consecutiveFailures = 0
      return 'success'
    }
    const given = verdictOf(ok, value, call)
    if (permit === uncounted) return given
    const slow = permit instanceof WatchedPermit && permit.end(this.settings.rules.slowCallMs)
    const openForMs = given === 'ignored' ? undefined : this.judge.openForMs(ok, value)
    const verdict = given === 'ignored' || openForMs !== undefined ? 'ignored' : this.judge.verdict(ok, value, call)
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
    if (permit.generation === this.generation)
      return permit instanceof Probe && permit.expired ? this.refuse('ERR_CIRCUIT_OPEN', undefined) : true
    if (this.state === 'closed' || this.state === 'disabled') return true
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    return this.refuse('ERR_CIRCUIT_OPEN', this.retryAfterMs(this.settings.clock.now()))
  }

  /** Looks without changing anything: an open circuit whose time is over is half-open although no call has come. */
  at(now: number): CircuitPosition {
    const { state, probation, settings } = this
    if (settings.control?.isolated === true) return { state: 'isolated' }
    if (state === 'open') return openAt(now, this.openedAt + this.openForMs)
    const reopensAt = probation?.reopensAt(now)
    if (probation === undefined || reopensAt === undefined) return { state }
    return openAt(now, reopensAt + this.reopenForMs(probation), reopensAt)
  }

  counts(now: number): CircuitCounts {
    return this.record.counts(now, this.slowInFlight)
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
    this.openings = 0
    this.enter('closed')
    if (from !== 'closed') this.tell(() => ({ type: 'circuit.closed', policy: this.settings.name, at: this.since, from, manual }))
  }

  isolate(): void {
    this.expireProbes()
    if (this.state === 'isolated') return
    this.enter('isolated')
    this.tell(() => ({ type: 'circuit.isolated', policy: this.settings.name, at: this.since }))
  }

  disable(): void {
    this.expireProbes()
    if (this.state === 'disabled') return
    this.enter('disabled')
    this.tell(() => ({ type: 'circuit.disabled', policy: this.settings.name, at: this.since }))
  }

  /** Ends the open time, so that the next call is a probe. */
  endOpenTime(): void {
    this.expireProbes()
    if (this.state === 'open') this.halfOpen()
  }

  resetTotals(): void {
    this.succeeded = 0
    this.failed = 0
    this.ignored = 0
    this.refused = 0
    this.opened = 0
    this.wouldHaveOpened = 0
    this.lastFailureAt = undefined
  }

  private newJudge(settings: CircuitSettings): OutcomeJudge {
    return new OutcomeJudge(settings, (callback, error) => this.callbackFailed(callback, error))
  }

  private newSlowCalls({ clock, rules }: CircuitSettings): SlowCalls | undefined {
    return rules.slowCallMs === Infinity ? undefined : new SlowCalls(clock, rules.slowCallMs, this.generation, () => this.checkRules())
  }

  private isPlainSuccess({ mode, isFailureResult, openOn }: CircuitSettings): boolean {
    const mayStayClosed = mode === 'metrics-only' || this.group?.mayOpen !== undefined
    return this.record.forgetsSuccesses && !mayStayClosed && isFailureResult === undefined && openOn === undefined
  }

  private admitUnlessOpen(call: Call): CircuitPermit | Refusal {
    if (this.state === 'isolated') return this.refuse('ERR_CIRCUIT_ISOLATED', undefined)
    if (this.state === 'disabled') return uncounted
    const now = this.settings.clock.now()
    this.expireProbes()
    if (this.state === 'open') {
      if (now < this.openedAt + this.openForMs) return this.refuse('ERR_CIRCUIT_OPEN', this.openedAt + this.openForMs - now)
      this.halfOpen()
    }
    return this.probation?.admit(this.generation, call, now) ?? this.refuse('ERR_CIRCUIT_OPEN', undefined)
  }

  private open(reason: OpenReason, openForMs?: number, openedAt: number = this.settings.clock.now()): void {
    const { name, clock } = this.settings
    const counts = this.counts(clock.now())
    const followsFailure = reason.rule !== 'manual' && reason.rule !== 'asked'
    if (followsFailure || this.openings === 0) this.openings++
    const forMs = openForMs ?? this.openTimeOf(this.openings)
    this.opened++
    this.openedAt = openedAt
    this.openForMs = forMs
    this.enter('open')
    const nextAttemptAt = forMs === Infinity ? null : Math.round(this.since + openedAt + forMs - clock.now())
    this.tell(() => ({
      type: 'circuit.opened',
      policy: name,
      at: this.since,
      reason,
      ...counts,
      openForMs: forMs === Infinity ? null : forMs,
      nextAttemptAt,
    }))
  }

  private halfOpen(): void {
    this.enter('half-open')
    this.probation = new Probation(this.settings.halfOpen)
    this.tell(() => ({ type: 'circuit.half-opened', policy: this.settings.name, at: this.since }))
  }

  /**
   * Probes that did not end within their lease have failed when it ran out, whenever that is noticed: whether somebody looked
   * in between must change nothing. `answered` is a probe that has just failed by itself, perhaps late.
   */
  private expireProbes(answered?: Probe): void {
    const { probation } = this
    if (probation === undefined) return
    const { name, clock } = this.settings
    const now = clock.now()
    const reopensAt = probation.reopensAt(now)
    const expired = probation.expire(now)
    for (const probe of expired) {
      this.failed++
      this.lastFailureAt = Math.max(this.lastFailureAt ?? -Infinity, probe.expiresAt)
      if (probe !== answered) this.tell(() => ({ type: 'circuit.probe-expired', policy: name, at: clock.wallNow() }))
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
    if (!failed && this.record.forgetsSuccesses && !this.wouldBeOpen) {
      this.record.consecutiveFailures = 0
      return
    }
    this.record.add(this.settings.clock.now(), failed, slow)
    this.checkRules()
  }

  private checkRules(): void {
    const rule = this.record.brokenRule(this.settings.clock.now(), this.slowInFlight)
    if (rule === undefined) this.wouldBeOpen = false
    else this.trip({ rule })
  }

  /** `openOn` wants the closed circuit open. */
  private ask(openForMs: number): void {
    if (openForMs > 0) this.trip({ rule: 'asked' }, openForMs)
  }

  private trip(reason: OpenReason, openForMs?: number): void {
    const { name, clock, mode } = this.settings
    if (mode !== 'metrics-only' && (this.group?.mayOpen === undefined || this.group.mayOpen())) {
      this.open(reason, openForMs)
      return
    }
    if (this.wouldBeOpen) return
    this.wouldBeOpen = true
    this.wouldHaveOpened++
    this.tell(() => ({ type: 'circuit.would-have-opened', policy: name, at: clock.wallNow(), reason, ...this.counts(clock.now()) }))
  }

  private enter(state: CircuitState): void {
    this.state = state
    this.generation++
    this.closedPermit = { generation: this.generation }
    this.since = this.settings.clock.wallNow()
    this.probation = undefined
    this.wouldBeOpen = false
    this.slowCalls?.forget(this.generation)
    if (state === 'closed') this.record.clear()
    this.group?.changed(state)
  }

  private tally(verdict: Verdict): void {
    if (verdict === 'success') this.succeeded++
    else if (verdict === 'failure') {
      this.failed++
      this.lastFailureAt = this.settings.clock.now()
    } else this.ignored++
  }

  private refuse(code: 'ERR_CIRCUIT_OPEN' | 'ERR_CIRCUIT_ISOLATED', retryAfterMs: number | undefined): Refusal {
    this.refused++
    return refusal(code, this.settings.name, retryAfterMs === Infinity ? undefined : retryAfterMs)
  }

  private retryAfterMs(now: number): number | undefined {
    const { endsAt } = this.at(now)
    return endsAt === undefined ? undefined : endsAt - now
  }

  private reopenForMs(probation: Probation): number {
    return (probation.reopenForMs ??= this.openTimeOf(this.openings + 1))
  }

  private openTimeOf(opening: number): number {
    const { openTime } = this.settings
    try {
      return openTime.next(opening)
    } catch (error) {
      this.callbackFailed('openFor', error)
      return openTime.firstMs
    }
  }

  private callbackFailed(callback: string, error: unknown): void {
    const { name, clock } = this.settings
    this.tell(() => ({ type: 'circuit.callback-failed', policy: name, at: clock.wallNow(), callback, error }))
  }

  private tell(event: () => CircuitEvent): void {
    const { events, group } = this
    if (!events.active && group?.events.active !== true) return
    const told = event()
    events.emit(told)
    group?.events.emit(told)
  }
}

function openAt(now: number, endsAt: number, beganAt?: number): CircuitPosition {
  if (now >= endsAt) return { state: 'half-open', beganAt: endsAt }
  return beganAt === undefined ? { state: 'open', endsAt } : { state: 'open', beganAt, endsAt }
}
