const longestCompared = 64

/** The candidate nearest to a misspelt word, if one is near enough to be meant. Case and `_`/`-` do not count. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = comparable(word)
  if (wanted === '') return undefined
  let nearest: string | undefined
  let allowed = Math.max(1, Math.floor(wanted.length / 3))
  for (const candidate of candidates) {
    const other = comparable(candidate)
    if (Math.abs(other.length - wanted.length) > allowed) continue
    const distance = editDistance(wanted, other)
    if (distance > allowed) continue
    nearest = candidate
    allowed = distance - 1
    if (allowed < 0) break
  }
  return nearest
}

function comparable(word: string): string {
  return word.slice(0, longestCompared).toLowerCase().replace(/[_-]/g, '')
}

/**
 * Damerau-Levenshtein distance in its restricted form (optimal string alignment): the fewest insertions, deletions,
 * substitutions and swaps of neighbours that make one word of the other.
 */
export function editDistance(a: string, b: string): number {
  let twoAbove: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = at(above, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const shorter = Math.min(at(above, column), at(current, column - 1)) + 1
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const swap = swapped ? at(twoAbove, column - 2) + 1 : Infinity
      current.push(Math.min(substitution, shorter, swap))
    }
    twoAbove = above
    above = current
  }
  return at(above, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
