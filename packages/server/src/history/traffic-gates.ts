import { isRefusal, verdictOf, type Call, type Clock, type Gate } from 'holdfast'

/** What the gates of one dependency tell. */
export interface TrafficListener {
  /** How many attempts run, and how many requests wait for their turn, whenever either may be at its most. */
  levels(running: number, queued: number): void
  /** An attempt has been answered; a streamed answer has ended. */
  attempt(failed: boolean, durationMs: number): void
}

/**
 * Counts, without looking at any policy, how many attempts run and how many requests wait for limits and places: a door
 * stands before those policies, the attempt gate behind them. What is inside the door and does not run, waits.
 */
export class TrafficGates {
  readonly door: Gate<null>
  readonly attempt: Gate<number>
  private inside = 0
  private attempts = 0

  constructor(clock: Clock, listener: TrafficListener) {
    this.door = {
      kind: 'gate',
      admit: () => {
        listener.levels(this.attempts, this.queued)
        this.inside++
        return null
      },
      settle: () => undefined,
      leave: () => {
        this.inside--
      },
    }
    this.attempt = {
      kind: 'gate',
      admit: () => {
        this.attempts++
        listener.levels(this.attempts, 0)
        return clock.now()
      },
      settle: (startedAt, ok, value, call) => {
        if (isRefusal(value)) return // never sent
        listener.attempt(isFailed(ok, value, call), clock.now() - startedAt)
      },
      // places are given back from the innermost gate outwards: here the queue is still as long as it was
      leave: () => {
        listener.levels(this.attempts, this.queued)
        this.attempts--
      },
    }
  }

  get running(): number {
    return this.attempts
  }

  get queued(): number {
    return Math.max(0, this.inside - this.attempts)
  }
}

/** A caller who leaves says nothing about the dependency. */
function isFailed(ok: boolean, value: unknown, call: Call): boolean {
  return !ok && verdictOf(ok, value, call) === 'failure'
}
