import type { Clock } from '../../core/clock.ts'
import { DeadlineList, type DeadlineNode } from '../../core/deadline-list.ts'

/** Calls that are watched: they count as slow as soon as they are, not only when they have ended. */
export class SlowCalls {
  /** Calls of the present generation that are slow and have not ended. */
  inFlight = 0
  private generation = 0
  private readonly clock: Clock
  private readonly watch: DeadlineList
  private readonly oneMore: () => void

  /** @param oneMore A call of the present generation has become slow. */
  constructor(clock: Clock, slowCallMs: number, oneMore: () => void) {
    this.clock = clock
    this.watch = new DeadlineList(clock, slowCallMs)
    this.oneMore = oneMore
  }

  begin(generation: number): WatchedPermit {
    const permit = new WatchedPermit(this, generation)
    this.watch.add(permit, this.clock.now())
    return permit
  }

  /** Answers whether the call was slow. */
  end(permit: WatchedPermit): boolean {
    this.watch.remove(permit)
    if (permit.slow && permit.generation === this.generation) this.inFlight--
    return permit.slow || this.clock.now() >= permit.dueAt
  }

  /** Calls of earlier generations count no more. */
  forget(generation: number): void {
    this.generation = generation
    this.inFlight = 0
  }

  becameSlow(permit: WatchedPermit): void {
    permit.slow = true
    if (permit.generation !== this.generation) return
    this.inFlight++
    this.oneMore()
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

  expire(): void {
    this.calls.becameSlow(this)
  }
}
