/** What became of the calls, ever. */
export interface IdempotencyFigures {
  /** Operations that were run under a claim. */
  readonly executed: number
  /** Calls that were given a stored outcome. */
  readonly replayed: number
  /** Calls that waited for one that was running already. */
  readonly joined: number
  /** Calls refused because one with the same key was running. */
  readonly inProgress: number
  /** Calls refused because the key was used for another request. */
  readonly mismatched: number
  /** Calls refused because nobody knows the outcome of an earlier one. */
  readonly outcomeUnknown: number
  /** Calls refused because the store was unavailable. */
  readonly unavailable: number
  /** Operations run although the store was unavailable. */
  readonly unprotected: number
  /** Operations whose outcome the `recover` hook knew. */
  readonly recovered: number
  /** Operations whose claim was taken over while they ran. */
  readonly leaseLost: number
  /** Operations whose outcome could not be stored. */
  readonly notStored: number
}

export type Figure = keyof IdempotencyFigures

/** Counts for a policy, and for the manager it belongs to. */
export class Tally {
  private readonly parent: Tally | undefined
  private readonly counts: Record<Figure, number> = {
    executed: 0,
    replayed: 0,
    joined: 0,
    inProgress: 0,
    mismatched: 0,
    outcomeUnknown: 0,
    unavailable: 0,
    unprotected: 0,
    recovered: 0,
    leaseLost: 0,
    notStored: 0,
  }

  constructor(parent?: Tally) {
    this.parent = parent
  }

  count(figure: Figure): void {
    this.counts[figure]++
    this.parent?.count(figure)
  }

  figures(): IdempotencyFigures {
    return { ...this.counts }
  }
}
