import type { CircuitBreaker } from 'holdfast'
import type { AnyPolicy, FaultTolerantSystem } from 'holdfast/system'

export const forcedActions = ['force-open', 'isolate', 'disable', 'close', 'reset'] as const
export type ForcedAction = (typeof forcedActions)[number]

/** A state a person set, and how long it lasts. */
export interface ForcedState {
  readonly action: ForcedAction
  readonly reason: string
  readonly by: string
  /** Epoch ms. */
  readonly at: number
  /** Epoch ms at which it ends by itself; null if it does not. */
  readonly expiresAt: number | null
}

export interface ForceRequest {
  readonly policy: string
  readonly action: ForcedAction
  readonly reason: string
  readonly by: string
  readonly expiresInMs: number | undefined
}

/** States that people have set by hand; each ends by itself when its time is over. */
export class ForcedStates {
  private readonly system: FaultTolerantSystem
  private readonly states = new Map<string, { readonly state: ForcedState; readonly timer: NodeJS.Timeout | undefined }>()

  constructor(system: FaultTolerantSystem) {
    this.system = system
  }

  get(policy: string): ForcedState | undefined {
    return this.states.get(policy)?.state
  }

  /** Circuit breakers only; answers undefined for other policies. */
  force(request: ForceRequest): ForcedState | undefined {
    const breaker = asBreaker(this.system.get(request.policy))
    if (breaker === undefined) return undefined
    this.forget(request.policy)
    const at = this.system.clock.wallNow()
    const { action, reason, by, expiresInMs } = request
    const lasting = action === 'isolate' || action === 'disable' || action === 'force-open'
    const expiresAt = lasting && expiresInMs !== undefined ? at + expiresInMs : null
    const state = { action, reason, by, at, expiresAt }
    apply(breaker, action)
    if (!lasting) return state
    const timer = expiresInMs === undefined ? undefined : setTimeout(() => this.expire(request.policy, breaker), expiresInMs).unref()
    this.states.set(request.policy, { state, timer })
    return state
  }

  dispose(): void {
    for (const policy of this.states.keys()) this.forget(policy)
  }

  private expire(policy: string, breaker: CircuitBreaker): void {
    this.states.delete(policy)
    breaker.close()
  }

  private forget(policy: string): void {
    clearTimeout(this.states.get(policy)?.timer)
    this.states.delete(policy)
  }
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
