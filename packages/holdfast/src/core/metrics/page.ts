import type { Source } from './source.ts'
import { endLine, headerLines, type MetricsFormat } from './text-format.ts'

/** What is done between two pauses at most: a millisecond of work, or little more. */
const longestPiece = 16_384
const mostSteps = 250

/** The metrics page in pieces of bounded size, in order. */
export function* pagePieces(sources: Iterable<Source>, format: MetricsFormat): Generator<string> {
  let piece = ''
  let steps = 0
  for (const source of sources) {
    let header = headerLines(format, source.declaration)
    for (const lines of source.lines(format)) {
      if (lines !== '') {
        piece += header + lines
        header = ''
      }
      if (++steps < mostSteps && piece.length < longestPiece) continue
      yield piece
      piece = ''
      steps = 0
    }
  }
  yield piece + endLine(format)
}
