import type { Call, CallState } from './call.ts'
import { systemClock, type Clock } from './clock.ts'
import { HoldfastError } from './errors.ts'
import type { Listener, PolicyEvent } from './events.ts'
import { compileAround } from './executor.ts'
import type { ChainLayer, Flow, Layer, Part, Sink } from './layer.ts'
import { checkOptionNames, nameOption, show } from './options.ts'
import { parts } from './parts.ts'
import { describePolicy, isPolicy } from './pipeline.ts'
import { BasePolicy, type HealthRecord, type Policy, type PolicyDescription, type PolicyLike, type PolicyStatus } from './policy.ts'

export interface ReplaceableOptions {
  /** @defaultValue 'replaceable' */
  readonly name?: string
  readonly clock?: Clock
}

/** A place for a policy, or a pipeline of them, that another can take while calls are under way. */
export interface Replaceable extends Policy<PolicyEvent, unknown> {
  readonly kind: 'replaceable'
  readonly current: PolicyLike
  /**
   * Calls that come from now on go through `policy`; those under way end where they began. The one before is disposed of, if it can be,
   * when the last of them has ended. Answers with that one.
   * @throws HoldfastError `ERR_INVALID_ARGUMENT` for something that is no policy; nothing has changed then.
   */
  replace(policy: PolicyLike, options?: { readonly dispose?: boolean }): PolicyLike
}

/**
 * A place for a policy, which stays where it stands in a pipeline while the policy changes. To change only its settings, use its own
 * `reconfigure`, which keeps what it knows.
 * @example `const place = replaceable(retry()); const guarded = pipeline(place, breaker); place.replace(retry({ maxAttempts: 5 }))`
 */
export function replaceable(policy: PolicyLike, options: ReplaceableOptions = {}): Replaceable {
  checkOptionNames('replaceable', options, ['name', 'clock'])
  return new ReplaceablePolicy(checkedPolicy(policy), options)
}

class ReplaceablePolicy extends BasePolicy<PolicyEvent, unknown> implements Replaceable {
  readonly kind = 'replaceable' as const
  readonly [parts]: readonly Part[]
  private readonly flow: ReplaceableFlow
  private readonly listeners = new Map<object, { readonly listener: Listener<PolicyEvent>; end: () => void }>()

  constructor(policy: PolicyLike, options: ReplaceableOptions) {
    super(nameOption('replaceable', options.name), options.clock ?? (policy as { clock?: Clock }).clock ?? systemClock)
    this.flow = new ReplaceableFlow(policy)
    this[parts] = [this.flow]
  }

  get current(): PolicyLike {
    return this.flow.current.policy
  }

  replace(policy: PolicyLike, { dispose = true }: { readonly dispose?: boolean } = {}): PolicyLike {
    const before = this.flow.replace(checkedPolicy(policy), dispose)
    for (const entry of this.listeners.values()) {
      entry.end()
      entry.end = listenTo(policy, entry.listener)
    }
    return before
  }

  on(listener: Listener<PolicyEvent>): () => void {
    const key = {}
    this.listeners.set(key, { listener, end: listenTo(this.current, listener) })
    return () => {
      this.listeners.get(key)?.end()
      this.listeners.delete(key)
    }
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, current: describePolicy(this.current) }
  }

  status(): PolicyStatus {
    const { current } = this
    const status = 'status' in current ? (current as Policy).status() : describePolicy(current)
    return { kind: this.kind, name: this.name, current: status, replaced: this.flow.replaced, draining: this.flow.draining }
  }

  override health(): HealthRecord {
    const { current } = this
    return 'health' in current ? (current as Policy).health() : super.health()
  }
}

/** Hands each call to the policy of the moment. */
class ReplaceableFlow implements Flow {
  readonly kind = 'flow' as const
  current: Tenant
  replaced = 0
  /** Policies that were replaced and still have calls under way. */
  draining = 0

  constructor(policy: PolicyLike) {
    this.current = new Tenant(policy)
  }

  start(next: Layer, call: Call, out: Sink): void {
    this.current.start(next, call as CallState, out)
  }

  replace(policy: PolicyLike, dispose: boolean): PolicyLike {
    const before = this.current
    this.current = new Tenant(policy)
    this.replaced++
    this.draining++
    before.retire(() => {
      this.draining--
      if (dispose && Symbol.dispose in before.policy) (before.policy as unknown as Disposable)[Symbol.dispose]()
    })
    return before.policy
  }
}

/** A policy in its place, with the calls that are under way in it. */
class Tenant {
  readonly policy: PolicyLike
  private readonly chains = new WeakMap<ChainLayer, ChainLayer>()
  private underWay = 0
  private whenEmpty: (() => void) | undefined = undefined

  constructor(policy: PolicyLike) {
    this.policy = policy
  }

  start(next: ChainLayer, call: CallState, out: Sink): void {
    this.underWay++
    this.chainAround(next).start(call, {
      settle: (ok, value) => {
        out.settle(ok, value)
        this.answered(call)
      },
    })
  }

  retire(whenEmpty: () => void): void {
    this.whenEmpty = whenEmpty
    this.tellIfEmpty()
  }

  /** Its work may go on: a body that streams, or what nobody waits for any more. */
  private answered(call: CallState): void {
    if (call.open) {
      call.whenEnded({ ended: () => this.answered(call) })
      return
    }
    this.underWay--
    this.tellIfEmpty()
  }

  private tellIfEmpty(): void {
    if (this.underWay > 0) return
    this.whenEmpty?.()
    this.whenEmpty = undefined
  }

  private chainAround(next: ChainLayer): ChainLayer {
    let chain = this.chains.get(next)
    if (chain === undefined) {
      const list = this.policy[parts]
      this.chains.set(next, (chain = compileAround(Array.isArray(list) ? (list as readonly Part[]) : [list as Part], next)))
    }
    return chain
  }
}

function checkedPolicy(policy: unknown): PolicyLike {
  if (isPolicy(policy)) return policy
  throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `replaceable: the policy is no policy, got ${show(policy)}` })
}

function listenTo(policy: PolicyLike, listener: Listener<PolicyEvent>): () => void {
  return 'on' in policy ? (policy as Policy).on(listener) : () => undefined
}
