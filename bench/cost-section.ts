import type { Figure, Result } from './case.ts'
import { amount, ratio } from './text.ts'

/** The page of a pattern with its section "Cost" written anew out of the rows about it. */
export function withCosts(page: string, results: readonly Result[]): string {
  const heading = /^## Cost$/m.exec(page)
  const before = heading === null ? `${page.trimEnd()}\n\n` : page.slice(0, heading.index)
  const rest = heading === null ? '' : page.slice(heading.index + heading[0].length)
  const next = rest.search(/^## /m)
  const lines = [
    '## Cost',
    '',
    ...results.flatMap(costLines),
    '',
    'Generated; all figures and how they were measured: [benchmarks](../benchmarks.md).',
    '',
  ]
  return `${before}${lines.join('\n')}${next < 0 ? '' : `\n${rest.slice(next)}`}`
}

function costLines({ case: subject, figures }: Result): string[] {
  const ours = figures.filter(({ role }) => role === 'ours')
  const bare = figures.find(({ role }) => role === 'bare')
  const hand = figures.find(({ role }) => role === 'hand-written')
  const best = figures.filter(({ role }) => role === 'peer').toSorted((a, b) => a.median - b.median)[0]
  return ours.map((figure) => {
    const others = [
      bare && versus(figure, bare, 'the bare call'),
      hand && versus(figure, hand, 'hand-written'),
      best && versus(figure, best, best.contestant),
    ]
    const named = ours.length > 1 ? ` (${figure.contestant.replace('holdfast ', '')})` : ''
    const compared = others.filter((text) => text !== undefined).join(', ')
    return `- ${subject.title}${named}: ${amount(figure.median, subject.unit)}${compared === '' ? '' : `; ${compared}`}.`
  })
}

function versus(ours: Figure, other: Figure, name: string): string {
  return `${ratio(ours.median / other.median)} × ${name}`
}
