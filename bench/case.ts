export type Role = 'ours' | 'peer' | 'hand-written' | 'bare' | 'reference'

/** One way of doing the same thing. `reference`: shown, but it does less or something else, and never counts as best peer. */
interface Named {
  readonly name: string
  readonly role: Role
}

/** A contestant that takes turns with the others in one process. */
export interface TimedContestant extends Named {
  /** Does one or more operations; what it answers is awaited, unless it is synchronous. */
  readonly call: () => unknown
  /** Operations of one `call`. @defaultValue 1 */
  readonly operations?: number
  /** How often the counted function runs per operation: a contestant that skips its work is found out. @defaultValue 1 */
  readonly works?: number
  /** The answer is there when `call` returns. @defaultValue false */
  readonly synchronous?: boolean
}

/** A contestant that is measured alone, in a fresh process. */
export interface FreshContestant extends Named {
  readonly measure: () => number | Promise<number>
}

/** What has to hold for a row of the result: the median of ours, relative to another. */
export interface Gate {
  readonly kind: 'must' | 'aim'
  /** Which of ours. @defaultValue the first */
  readonly ours?: string
  /** `best peer`, `bare`, `hand-written`, the beginning of a contestant's name, `nothing` for an absolute bound, or one of our own other cases. */
  readonly versus: string | { readonly case: string }
  /** The largest ratio, or the largest figure where it is compared with nothing. */
  readonly atMost: number
}

interface CaseBase {
  readonly name: string
  readonly title: string
  /** What a reader has to know to judge the figures. */
  readonly note: string
  readonly unit: 'ns' | 'bytes' | '%'
  readonly gates: readonly Gate[]
  /** The page in docs/patterns whose cost section shows this row. */
  readonly page?: string
}

export interface TimedCase extends CaseBase {
  readonly kind: 'timed'
  /** For rows whose contestants take long. @defaultValue as many as asked for */
  readonly maxRounds?: number
  readonly contestants: () => readonly TimedContestant[] | Promise<readonly TimedContestant[]>
}

export interface FreshCase extends CaseBase {
  readonly kind: 'fresh'
  /** Options of Node.js for the fresh processes. */
  readonly nodeOptions?: readonly string[]
  readonly contestants: () => readonly FreshContestant[] | Promise<readonly FreshContestant[]>
}

/** One row of the result: the same thing by several hands. */
export type Case = TimedCase | FreshCase

export interface Figure {
  readonly contestant: string
  readonly role: Role
  readonly median: number
  /** Median absolute deviation from the median. */
  readonly deviation: number
}

export interface Result {
  readonly case: Case
  readonly figures: readonly Figure[]
}
