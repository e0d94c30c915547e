/** One way of making a protected call. */
export interface Contestant {
  readonly name: string
  /** `peer`: counts for "best peer". `reference`: shown, but does less or something else. */
  readonly role: 'ours' | 'peer' | 'hand-written' | 'bare' | 'reference'
  readonly call: () => Promise<unknown>
}

/** One row of the result: the same protection by several hands. */
export interface Case {
  readonly name: string
  readonly title: string
  /** What a reader has to know to judge the figures. */
  readonly note: string
  readonly contestants: readonly Contestant[]
}
