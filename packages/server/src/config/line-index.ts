export interface LineAndColumn {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** Line and column of offsets into a text. The YAML parser's own counter misses the line breaks of what it cannot make sense of. */
export function lineIndex(text: string): (offset: number) => LineAndColumn {
  const starts = [0]
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) starts.push(index + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 }
  }
}
