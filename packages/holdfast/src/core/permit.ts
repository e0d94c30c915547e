import { CallState } from './call.ts'
import type { Clock } from './clock.ts'
import { durationMs } from './duration.ts'
import { newCall, plainInvocation, startCall } from './executor.ts'
import { GateFrame } from './frame.ts'
import type { ChainLayer, Gate, Sink, Waiting } from './layer.ts'
import { BasePolicy, type CallOptions } from './policy.ts'
import type { PolicyEvent } from './events.ts'
import type { TimeLimitRun } from './time-limit.ts'
import { isRefusal, refusal, toError, type Refusal } from './refusal.ts'

/**
 * Leave to do one piece of work, to be given back exactly once: the first of the methods counts, later ones do nothing.
 * With `using`, leaving the block without a verdict ignores the call.
 */
export interface Permit extends Disposable {
  readonly refused: false
  success(): void
  failure(error: unknown): void
  /** Says nothing about the dependency. */
  ignore(): void
}

/** A policy whose permits can be taken by hand: circuit breaker, bulkhead, rate limiter. */
export interface Acquirable {
  /** A permit at once, or the refusal; never waits. */
  tryAcquire(options?: CallOptions): Permit | Refusal
  /**
   * Waits for a permit where the policy queues; signal and deadline are for the wait, not for the work after it.
   * @throws HoldfastError when refused; the reason of an aborted signal.
   */
  acquire(options?: CallOptions): Promise<Permit>
}

const ignored = refusal('ERR_CANCELLED', '')

class HeldPermit implements Permit {
  readonly refused = false as const
  private out: Sink | undefined
  private readonly call: CallState

  constructor(call: CallState, out: Sink) {
    this.call = call
    this.out = out
  }

  success(): void {
    this.settle(true, undefined)
  }

  failure(error: unknown): void {
    this.settle(false, error)
  }

  ignore(): void {
    this.settle(false, ignored)
  }

  [Symbol.dispose](): void {
    this.ignore()
  }

  private settle(ok: boolean, value: unknown): void {
    const { out } = this
    if (out === undefined) return
    this.out = undefined
    if (ok) this.call.succeeded()
    else this.call.failed()
    out.settle(ok, value)
  }
}

/** The layer inside a gate whose permit is held by hand: hands the permit to whoever acquires it. */
const handOver: ChainLayer = {
  start(call, out) {
    call.run(new HeldPermit(call, out) as never)
  },
}

/** What gates of this package share: policies whose permits can also be taken by hand. */
export abstract class GatePolicy<E extends PolicyEvent = PolicyEvent, Alternative = never>
  extends BasePolicy<E, Alternative>
  implements Acquirable
{
  protected abstract readonly gate: Gate
  private handFrame: GateFrame | undefined = undefined

  protected constructor(name: string, clock: Clock) {
    super(name, clock)
  }

  tryAcquire(options?: CallOptions): Permit | Refusal {
    const gate = this.gate
    const call = this.heldCall(options)
    if (call.cancelled !== undefined) return refusal('ERR_CANCELLED', this.name)
    if (call.remainingMs() === 0) return refusal('ERR_DEADLINE_EXCEEDED', this.name)
    const answer = gate.admit(call, undefined)
    if (isRefusal(answer)) return answer
    if (typeof answer === 'object' && answer !== null && (answer as { readonly waiting?: unknown }).waiting === true) {
      ;(answer as Waiting).cancel()
      return refusal('ERR_WOULD_WAIT', this.name)
    }
    return new HeldPermit(call, {
      settle(ok, value) {
        gate.settle(answer, ok, value, call)
        gate.leave?.(answer)
      },
    })
  }

  acquire(options?: CallOptions): Promise<Permit> {
    this.handFrame ??= new GateFrame([this.gate], handOver, 1)
    const frame = this.handFrame
    return new Promise((resolve, reject) => {
      let limit: TimeLimitRun | undefined
      let taken = false
      const take = (permit: unknown): void => {
        taken = true
        limit?.disarm()
        resolve(permit as Permit)
      }
      const call = newCall(take, options, plainInvocation(this.clock))
      // after the permit was handed over, rejecting means nothing
      limit = startCall(frame, call, options, { settle: (_ok, value) => reject(toError(value)) })
      if (taken) limit?.disarm() // it was free at once
    })
  }

  /** The call behind a permit held by hand: its deadline ends nothing by itself, but gates may go by it. */
  private heldCall(options: CallOptions | undefined): CallState {
    const call = newCall(() => undefined, options, plainInvocation(this.clock))
    if (options?.deadline === undefined) return call
    const withinMs = durationMs('tryAcquire', 'deadline', options.deadline, { allowInfinity: true })
    return call.child(call.attempt, this.clock.now() + withinMs, false)
  }
}
