import type { Case, Figure, Gate, Result } from './case.ts'

/** How a gate was met. */
export interface Judgement {
  readonly case: Case
  readonly gate: Gate
  /** Which of ours, and what it is compared with. */
  readonly ours: string
  readonly versus: string
  /** The ratio, or the figure itself where it is compared with nothing. */
  readonly measured: number
  readonly held: boolean
}

/** Judges every gate of the rows that were measured. A gate whose other side was not measured is left out. */
export function judge(results: readonly Result[]): readonly Judgement[] {
  return results.flatMap((result) =>
    result.case.gates.flatMap((gate) => {
      const ours = ourFigure(result, gate.ours)
      const against = ours === undefined ? undefined : opponent(results, result, gate, ours)
      if (ours === undefined || against === undefined) return []
      const measured = ours.median / against.median
      return [{ case: result.case, gate, ours: ours.contestant, versus: against.name, measured, held: measured <= gate.atMost }]
    }),
  )
}

function opponent(results: readonly Result[], result: Result, gate: Gate, ours: Figure): { name: string; median: number } | undefined {
  const { versus } = gate
  if (versus === 'nothing') return { name: '', median: 1 }
  if (typeof versus === 'object') {
    const other = results.find(({ case: { name } }) => name === versus.case)
    const figure = other?.figures.find(({ contestant }) => contestant === ours.contestant)
    return figure === undefined || other === undefined ? undefined : { name: other.case.title, median: figure.median }
  }
  const figure = opponentIn(result.figures, versus)
  return figure === undefined ? undefined : { name: figure.contestant, median: figure.median }
}

function opponentIn(figures: readonly Figure[], versus: string): Figure | undefined {
  if (versus === 'bare' || versus === 'hand-written') return figures.find(({ role }) => role === versus)
  const peers = figures.filter(({ role, contestant }) => role === 'peer' && (versus === 'best peer' || contestant.startsWith(versus)))
  return peers.toSorted((a, b) => a.median - b.median)[0]
}

function ourFigure({ figures }: Result, name: string | undefined): Figure | undefined {
  return figures.find(({ role, contestant }) => role === 'ours' && (name === undefined || contestant === name))
}
