import type { Clock } from '../../core/clock.ts'
import { DeadlineList, type DeadlineNode } from '../../core/deadline-list.ts'

/** Whose calls are watched. */
export interface SlowCallsOwner {
  /** A call of the present generation has become slow. */
  oneMoreSlow(): void
}

/** Calls that are watched: they count as slow as soon as they are, not only when they have ended. */
export class SlowCalls {
  /** Calls of the present generation that are slow and have not ended. */
  inFlight = 0
  private generation: number
  private retired = false
  private readonly clock: Clock
  private readonly watch: DeadlineList
  private readonly owner: SlowCallsOwner

  constructor(clock: Clock, slowCallMs: number, generation: number, owner: SlowCallsOwner) {
    this.clock = clock
    this.generation = generation
    this.watch = new DeadlineList(clock, slowCallMs)
    this.owner = owner
  }

  begin(generation: number): WatchedPermit {
    const permit = new WatchedPermit(this, generation)
    this.watch.add(permit, this.clock.now())
    return permit
  }

  /** Answers whether the call was slow; of calls that began under another duration, by the one that holds now. */
  end(permit: WatchedPermit, slowCallMs: number): boolean {
    this.watch.remove(permit)
    if (this.retired) return this.clock.now() - (permit.dueAt - this.watch.durationMs) >= slowCallMs
    if (permit.slow && permit.generation === this.generation) this.inFlight--
    return permit.slow || this.clock.now() >= permit.dueAt
  }

  /** Another duration holds from now on: these calls are judged when they end. */
  retire(): void {
    this.retired = true
    this.inFlight = 0
  }

  /** Calls of earlier generations count no more. */
  forget(generation: number): void {
    this.generation = generation
    this.inFlight = 0
  }

  becameSlow(permit: WatchedPermit): void {
    permit.slow = true
    if (this.retired || permit.generation !== this.generation) return
    this.inFlight++
    this.owner.oneMoreSlow()
  }
}

/** A permit whose call's duration is watched. */
export class WatchedPermit implements DeadlineNode {
  readonly generation: number
  slow = false
  dueAt = 0
  previous: DeadlineNode | undefined = undefined
  next: DeadlineNode | undefined = undefined
  listed = false
  private readonly calls: SlowCalls

  constructor(calls: SlowCalls, generation: number) {
    this.calls = calls
    this.generation = generation
  }

  /** Ends the watch; answers whether the call was slow. */
  end(slowCallMs: number): boolean {
    return this.calls.end(this, slowCallMs)
  }

  expire(): void {
    this.calls.becameSlow(this)
  }
}
