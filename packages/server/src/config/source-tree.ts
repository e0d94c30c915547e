import type { SettingPath } from './path-text.ts'
import type { SourcePosition } from './problems.ts'

/** A value with the place where it was written. */
export type SourceNode = SourceMap | SourceList | SourceScalar

export interface SourceMap {
  readonly kind: 'map'
  readonly at: SourcePosition
  readonly entries: ReadonlyMap<string, SourceEntry>
}

export interface SourceEntry {
  /** As written in the file; the map's own key is the one the schema knows. */
  readonly written: string
  readonly keyAt: SourcePosition
  readonly value: SourceNode
}

export interface SourceList {
  readonly kind: 'list'
  readonly at: SourcePosition
  readonly items: readonly SourceNode[]
}

export type ScalarValue = string | number | boolean | null

export interface SourceScalar {
  readonly kind: 'scalar'
  readonly at: SourcePosition
  readonly value: ScalarValue
  /** What the file says, when an alias has changed `value`. */
  readonly writtenValue?: ScalarValue
  /** Set when `${…}` was replaced in it. */
  readonly substituted?: SubstitutedText
  /** A problem with it has been reported: it has no value to speak of. */
  readonly faulty?: true
}

/** What a scalar became when its `${…}` were replaced. */
export interface SubstitutedText {
  readonly text: string
  /** Environment variables whose values went into the text. */
  readonly variables: readonly string[]
  /** Files whose content went into the text. */
  readonly secretFiles: readonly string[]
}

/** How far a path leads into a tree. */
export interface Location {
  /** The value at the path; undefined when the path leads to nothing written. */
  readonly node: SourceNode | undefined
  /** The value if there is one, else the key (or start) of the innermost map that should have held it. */
  readonly at: SourcePosition
  /** Position of the last key on the way. */
  readonly keyAt: SourcePosition
  /** The path with the keys as written. */
  readonly written: SettingPath
  /** The innermost value on the way. */
  readonly nearest: SourceNode
}

export function locate(root: SourceNode, path: SettingPath): Location {
  let nearest = root
  let keyAt = root.at
  const written: (string | number)[] = []
  for (const [depth, segment] of path.entries()) {
    const entry = nearest.kind === 'map' ? nearest.entries.get(String(segment)) : undefined
    const next = nearest.kind === 'list' ? nearest.items[Number(segment)] : entry?.value
    if (next === undefined) return { node: undefined, at: keyAt, keyAt, written: [...written, ...path.slice(depth)], nearest }
    nearest = next
    keyAt = entry?.keyAt ?? next.at
    written.push(entry?.written ?? segment)
  }
  return { node: nearest, at: nearest.at, keyAt, written, nearest }
}

/** The bare values of a tree, as a schema takes them. */
export function plainValue(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainValue)
  return Object.fromEntries(Array.from(node.entries, ([key, { value }]) => [key, plainValue(value)]))
}

/** A map without entries, for a file without content. */
export function emptyMap(at: SourcePosition): SourceMap {
  return { kind: 'map', at, entries: new Map() }
}
