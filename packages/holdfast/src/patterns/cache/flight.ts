import type { Abortable } from '../../core/abort-hub.ts'
import { CallState } from '../../core/call.ts'
import { discard } from '../../core/discard.ts'
import type { Layer, Sink } from '../../core/layer.ts'
import type { CacheFlow } from './cache-flow.ts'

/**
 * A value that is being fetched, for all who wait for it. It is nobody's own: who leaves does not end it for the others, and only
 * when the last has left is it cancelled. One that nobody waited for from the beginning refreshes an old value, and goes on.
 */
export class Flight implements Sink {
  readonly key: string
  /** The key was invalidated meanwhile: the value is not kept. */
  outdated = false
  private readonly flow: CacheFlow
  private readonly call: CallState
  private readonly waiters = new Set<Passenger>()
  /** The call that began it, unless it refreshes an old value: what goes on of it holds that call's places. */
  private leader: CallState | undefined = undefined
  private held = false
  private over = false

  constructor(flow: CacheFlow, key: string, asked: CallState) {
    this.flow = flow
    this.key = key
    // the caller's signal and deadline are not those of the others
    this.call = new CallState(asked.run, { ...asked.invocation, callerSignal: undefined }, undefined, 1, Infinity, true)
  }

  begin(next: Layer): void {
    next.start(this.call, this)
  }

  lead(call: CallState, out: Sink): void {
    this.leader = call
    this.join(call, out)
  }

  /** Something was sent for it that must not be sent twice. */
  get final(): boolean {
    return this.call.final
  }

  join(call: CallState, out: Sink): void {
    const passenger = new Passenger(this, call, out)
    this.waiters.add(passenger)
    call.onCancel(passenger)
  }

  settle(ok: boolean, value: unknown): void {
    this.over = true
    const kept = this.flow.landed(this, ok, value)
    if (!kept && this.waiters.size === 0) discard(value)
    if (!ok && this.leader === undefined) this.flow.refreshFailed(this.key, value)
    if (this.call.open) this.hold()
    this.call.close()
    for (const passenger of this.waiters) passenger.arrive(ok, value)
    this.waiters.clear()
    this.ended()
  }

  leave(passenger: Passenger, reason: unknown): void {
    this.waiters.delete(passenger)
    if (passenger.call === this.leader && !this.over) this.hold()
    if (this.waiters.size > 0 || this.leader === undefined || this.over) return
    this.flow.left(this)
    this.call.cancel(reason)
  }

  /** The work may have ended. */
  ended(): void {
    if (!this.held) return
    if (this.call.open) {
      this.call.whenEnded(this)
      return
    }
    this.held = false
    this.leader?.release()
  }

  private hold(): void {
    if (this.held || this.leader === undefined) return
    this.held = true
    this.leader.hold()
  }

  answerFailure(failure: unknown, call: CallState, out: Sink): void {
    this.flow.answerFailure(this.key, failure, call, out)
  }
}

/** One who waits for a flight. */
class Passenger implements Abortable {
  readonly call: CallState
  private readonly flight: Flight
  private readonly out: Sink

  constructor(flight: Flight, call: CallState, out: Sink) {
    this.flight = flight
    this.call = call
    this.out = out
  }

  arrive(ok: boolean, value: unknown): void {
    this.call.offCancel(this)
    if (this.flight.final) this.call.doNotRetry()
    if (ok) this.out.settle(true, value)
    else this.flight.answerFailure(value, this.call, this.out)
  }

  cancel(reason: unknown): void {
    if (this.flight.final) this.call.doNotRetry()
    this.flight.leave(this, reason)
    this.out.settle(false, reason)
  }
}
