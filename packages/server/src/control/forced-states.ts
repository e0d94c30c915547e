import type { CircuitBreaker, PolicyEvent } from 'holdfast'
import type { AnyPolicy, FaultTolerantSystem } from 'holdfast/system'
import type { AuditLog } from '../audit/index.ts'
import type { Row } from '../state/index.ts'
import type { ForcedView } from '../wire.ts'
import { ExpiryTimer } from './expiry-timer.ts'

export const forcedActions = ['force-open', 'isolate', 'disable', 'close', 'reset'] as const
export type ForcedAction = (typeof forcedActions)[number]
type LastingAction = ForcedView['action']

/** Who asks for a change. */
export interface Actor {
  readonly who: string
  readonly address: string
}

export interface ForceRequest extends Actor {
  /** Id of a policy. */
  readonly policy: string
  readonly action: ForcedAction
  readonly reason: string
  /** Only of lasting actions. Undefined: until somebody takes it back. */
  readonly expiresInMs: number | undefined
}

export interface ForcedStatesOptions {
  readonly system: FaultTolerantSystem
  readonly audit: AuditLog
  /** Told of what was forced, and of what ended. */
  readonly emit: (event: PolicyEvent & Readonly<Record<string, unknown>>) => void
  /** Told when the end of a state could not be put on record; that is tried again. */
  readonly onUnrecorded: (error: unknown) => void
}

interface Forced {
  readonly state: ForcedView
  /** The very instance that was forced: after a reload another one may bear the id. */
  breaker: CircuitBreaker
}

/**
 * States that people have set by hand. Each is on record before it is in force, survives a restart with the time that is left, and
 * ends by itself when its time is over.
 */
export class ForcedStates {
  private readonly options: ForcedStatesOptions
  private readonly states = new Map<string, Forced>()
  /** Ended, but not yet on record. */
  private readonly unrecorded = new Map<string, ForcedView>()
  private readonly timer: ExpiryTimer
  private readonly endEvents: () => void

  constructor(options: ForcedStatesOptions) {
    this.options = options
    this.timer = new ExpiryTimer(options.system.clock, () => this.expire())
    this.endEvents = options.system.on((event) => {
      if (event.type === 'system.policy-registered') this.reapply(event.policy)
    })
    this.restore()
  }

  get(policy: string): ForcedView | undefined {
    return this.states.get(policy)?.state
  }

  entries(): readonly (readonly [policy: string, state: ForcedView])[] {
    return [...this.states].map(([policy, { state }]) => [policy, state])
  }

  /**
   * Circuit breakers only; answers undefined for other policies.
   * @throws DatabaseError when it cannot be put on record; then nothing has changed.
   */
  force(request: ForceRequest): { readonly expiresAt: number | null } | undefined {
    const { system, audit, emit } = this.options
    const { policy, action, reason, who, address, expiresInMs } = request
    const breaker = asBreaker(system.get(policy))
    if (breaker === undefined) return undefined
    const at = system.clock.wallNow()
    const lasting = isLasting(action)
    const expiresAt = lasting && expiresInMs !== undefined ? at + expiresInMs : null
    const before = { state: breaker.state, forced: this.get(policy) ?? null }
    const entry = { who, address, action: `policy.${action}`, subject: policy, before, after: { action }, reason, expiresAt }
    audit.append(entry, (database) => {
      if (lasting) {
        const values = [policy, action, reason, who, at, expiresAt] as const
        database.run(
          'INSERT OR REPLACE INTO forced_state (policy, action, reason, who, at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
          ...values,
        )
      } else database.run('DELETE FROM forced_state WHERE policy = ?', policy)
    })
    this.unrecorded.delete(policy)
    if (lasting) this.states.set(policy, { state: { action, reason, by: who, at, expiresAt }, breaker })
    else this.states.delete(policy)
    apply(breaker, action)
    this.arm()
    emit({ type: 'control.changed', policy, at, action, by: who, reason, expiresAt, forced: true })
    return { expiresAt }
  }

  /**
   * To be called after policies have come, gone or been replaced: states go on with the policy that bears the id now; those whose
   * policy is no more are dropped, on record.
   */
  policiesChanged(): void {
    for (const [policy, { state }] of this.states) {
      if (breakerOf(this.options.system, policy) === undefined) this.drop(policy, state, 'policy.forced-dropped')
      else this.reapply(policy)
    }
    this.arm()
  }

  dispose(): void {
    this.endEvents()
    this.timer.set(undefined)
  }

  private restore(): void {
    const { system, audit } = this.options
    const now = system.clock.wallNow()
    for (const row of audit.database.all('SELECT * FROM forced_state ORDER BY at')) {
      const policy = String(row['policy'])
      const state = stateOfRow(row)
      const breaker = breakerOf(system, policy)
      if (state.expiresAt !== null && state.expiresAt <= now) this.drop(policy, state, 'policy.forced-expired')
      else if (breaker === undefined) this.drop(policy, state, 'policy.forced-dropped')
      else {
        this.states.set(policy, { state, breaker })
        apply(breaker, state.action)
      }
    }
    this.arm()
  }

  /** A breaker that took the place of another one takes over its state. */
  private reapply(policy: string): void {
    const forced = this.states.get(policy)
    const breaker = breakerOf(this.options.system, policy)
    if (forced === undefined || breaker === undefined || breaker === forced.breaker) return
    forced.breaker = breaker
    apply(breaker, forced.state.action)
  }

  private expire(): void {
    const now = this.options.system.clock.wallNow()
    for (const [policy, state] of this.unrecorded) this.drop(policy, state, 'policy.forced-expired')
    for (const [policy, { state, breaker }] of this.states) {
      if (state.expiresAt === null || state.expiresAt > now) continue
      this.drop(policy, state, 'policy.forced-expired')
      breaker.close()
    }
    this.arm()
  }

  /** Ends a state in any case; if that cannot be put on record now, it will be later. */
  private drop(policy: string, state: ForcedView, action: string): void {
    const { system, audit, emit, onUnrecorded } = this.options
    const { action: was, by, reason, at: since, expiresAt } = state
    const isNews = !this.unrecorded.has(policy)
    this.states.delete(policy)
    this.unrecorded.delete(policy)
    if (isNews)
      emit({
        type: 'control.forced-ended',
        policy,
        at: system.clock.wallNow(),
        action: was,
        by,
        expired: action.endsWith('expired'),
        forced: true,
      })
    try {
      const entry = { who: 'holdfast', address: '', action, subject: policy, before: { action: was, by, reason, at: since, expiresAt } }
      audit.append(entry, (database) => database.run('DELETE FROM forced_state WHERE policy = ? AND at = ?', policy, since))
    } catch (error) {
      this.unrecorded.set(policy, state)
      onUnrecorded(error)
    }
  }

  private arm(): void {
    const now = this.options.system.clock.wallNow()
    const ends = [...this.states.values()].flatMap(({ state }) => state.expiresAt ?? [])
    // what could not be recorded is tried again in a while
    const next = Math.min(...ends, this.unrecorded.size === 0 ? Infinity : now + 10_000)
    this.timer.set(next === Infinity ? undefined : next)
  }
}

function isLasting(action: ForcedAction): action is LastingAction {
  return action === 'isolate' || action === 'disable' || action === 'force-open'
}

function stateOfRow({ action, reason, who, at, expires_at: expiresAt }: Row): ForcedView {
  return {
    action: String(action) as LastingAction,
    reason: String(reason),
    by: String(who),
    at: Number(at),
    expiresAt: expiresAt === null ? null : Number(expiresAt),
  }
}

function breakerOf(system: FaultTolerantSystem, policy: string): CircuitBreaker | undefined {
  return system.has(policy) ? asBreaker(system.get(policy)) : undefined
}

function asBreaker(policy: AnyPolicy): CircuitBreaker | undefined {
  return policy.kind === 'circuit-breaker' ? (policy as unknown as CircuitBreaker) : undefined
}

function apply(breaker: CircuitBreaker, action: ForcedAction): void {
  switch (action) {
    case 'force-open':
      // a forced state ends by hand or by its expiry, not by probes
      breaker.forceOpen(Infinity)
      break
    case 'isolate':
      breaker.isolate()
      break
    case 'disable':
      breaker.disable()
      break
    case 'close':
      breaker.close()
      break
    case 'reset':
      breaker.reset()
      break
  }
}
