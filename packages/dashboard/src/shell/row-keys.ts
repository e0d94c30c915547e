/** A list whose rows can be walked through with `j` and `k`. */
export interface RowWalk {
  /** Moves the focus by some rows; without a focused row, to the first. */
  move(by: number): void
}

const walks: RowWalk[] = []

/** The list that was added last is the one that is walked. Returns what removes it. */
export function addRowWalk(walk: RowWalk): () => void {
  walks.push(walk)
  return () => void walks.splice(walks.indexOf(walk), 1)
}

export function moveRow(by: number): void {
  walks.at(-1)?.move(by)
}
