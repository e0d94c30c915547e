import type { PolicyView, RibbonState } from '@holdfast/server/wire'
import { compareNames } from '../overview/severity.ts'
import { kindText } from '../words/policy-name.ts'

export type SortColumn = 'name' | 'kind' | 'state' | 'since' | 'dependencies'

export interface SortOrder {
  readonly column: SortColumn
  readonly isDescending: boolean
}

/** Policies in which every word of a search occurs: in name, kind, state or a dependency. */
export function matchingPolicies(policies: readonly PolicyView[], search: string): readonly PolicyView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return policies
  return policies.filter((policy) => {
    const text = textOf(policy)
    return words.every((word) => text.includes(word))
  })
}

function textOf({ name, kind, state, forced, dependencies }: PolicyView): string {
  return [name, kind, kindText(kind), state, forced === null ? '' : 'forced', ...dependencies].join(' ').toLowerCase()
}

const stateRanks: Readonly<Record<RibbonState, number>> = {
  open: 6,
  isolated: 6,
  'half-open': 5,
  paused: 4,
  disabled: 1,
  closed: 0,
  passing: 0,
}

function rankOf({ state, health, forced }: PolicyView): number {
  const byHealth = health.status === 'fail' ? 3 : health.status === 'warn' ? 2 : 0
  return Math.max(stateRanks[state], byHealth, forced === null ? 0 : 1)
}

const comparisons: Readonly<Record<SortColumn, (a: PolicyView, b: PolicyView) => number>> = {
  name: () => 0,
  kind: (a, b) => compareNames(a.kind, b.kind),
  state: (a, b) => rankOf(b) - rankOf(a),
  since: (a, b) => (b.since ?? 0) - (a.since ?? 0),
  dependencies: (a, b) => compareNames(a.dependencies.join(), b.dependencies.join()),
}

/** `state` ascending is worst first, `since` ascending is latest first; equals stand by name. */
export function sortedPolicies(policies: readonly PolicyView[], { column, isDescending }: SortOrder): readonly PolicyView[] {
  const compare = comparisons[column]
  const sign = isDescending ? -1 : 1
  const byName = (a: PolicyView, b: PolicyView): number => compareNames(a.name, b.name) || compareNames(a.kind, b.kind)
  return policies.toSorted((a, b) => (column === 'name' ? sign * byName(a, b) : sign * compare(a, b) || byName(a, b)))
}
