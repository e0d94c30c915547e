import type { RibbonState, Segment } from '../wire.ts'

/** A state from an instant on. */
export interface StateChange {
  /** Epoch ms. */
  readonly from: number
  readonly state: RibbonState | 'unknown'
  readonly forced: boolean
}

/** Changes that are remembered; the oldest are forgotten. */
export const maxStateChanges = 300

/** Which states a dependency was in, one after the other without gaps. */
export class StateTimeline {
  private readonly changes: StateChange[] = []

  get last(): StateChange | undefined {
    return this.changes.at(-1)
  }

  /** Takes a state in; answers the change if it is one. A time before the last change counts as that of the last change. */
  observe(state: StateChange['state'], forced: boolean, at: number): StateChange | undefined {
    const { last } = this
    if (last !== undefined && last.state === state && last.forced === forced) return undefined
    const change = { from: Math.max(at, last?.from ?? at), state, forced }
    if (last?.from === change.from) this.changes.pop() // lasted no time
    this.changes.push(change)
    if (this.changes.length > maxStateChanges) this.changes.shift()
    return change
  }

  /** Puts changes, oldest first, before those there are. */
  restore(earlier: readonly StateChange[]): void {
    const first = this.changes[0]?.from ?? Infinity
    this.changes.unshift(...earlier.filter(({ from }) => from < first))
    while (this.changes.length > maxStateChanges) this.changes.shift()
  }

  /** Segments of a stretch of time; the last one has no end while `to` is now. */
  segments(from: number, to: number): readonly Segment[] {
    const { changes } = this
    return changes.flatMap((change, index): Segment[] => {
      const end = changes[index + 1]?.from ?? null
      if ((end !== null && end <= from) || change.from > to) return []
      return [{ from: Math.max(change.from, from), to: end, state: change.state, forced: change.forced }]
    })
  }

  /** Forgets changes that carry a time after `at`; the state of then becomes that of before. */
  cut(at: number): void {
    while (this.changes.length > 0 && (this.changes.at(-1)?.from ?? 0) > at) this.changes.pop()
  }
}
