import type { ProblemList, SourcePosition } from './problems.ts'
import { emptyMap, type SourceEntry, type SourceMap, type SourceNode } from './source-tree.ts'

/**
 * One tree out of those of several files: what their sections define is put together. Each name (each part of `server`, too) may be
 * defined once; a second time is reported with both places.
 */
export function mergeSections(trees: readonly SourceNode[], start: SourcePosition, problems: ProblemList): SourceMap {
  const sections = new Map<string, SourceEntry>()
  for (const tree of trees) {
    if (tree.kind !== 'map') {
      problems.add(tree.at, [], 'a configuration file must hold a map of sections (server:, circuitBreakers:, upstreams: …)')
      continue
    }
    for (const [name, entry] of tree.entries) {
      if (name === 'include') continue
      const first = sections.get(name)
      sections.set(name, first === undefined ? entry : mergeSection(name, first, entry, problems))
    }
  }
  return { ...emptyMap(start), entries: sections }
}

function mergeSection(section: string, first: SourceEntry, second: SourceEntry, problems: ProblemList): SourceEntry {
  if (first.value.kind !== 'map' || second.value.kind !== 'map') {
    problems.add(second.keyAt, [second.written], `is also given ${placeText(first.keyAt)}, and both must be maps to be put together`)
    return first
  }
  const entries = new Map(first.value.entries)
  for (const [name, entry] of second.value.entries) {
    const earlier = entries.get(name)
    if (earlier === undefined) entries.set(name, entry)
    else problems.add(entry.keyAt, [section, entry.written], `is already defined ${placeText(earlier.keyAt)}`)
  }
  return { ...first, value: { ...first.value, entries } }
}

function placeText({ file, line, column }: SourcePosition): string {
  return `in ${file}:${line}:${column}`
}
