import { isAlias, isScalar, isSeq, parseDocument, type Alias, type Document, type ParsedNode, type Scalar, type YAMLMap } from 'yaml'
import { lineIndex } from './line-index.ts'
import type { SettingPath } from './path-text.ts'
import type { ProblemList, SourcePosition } from './problems.ts'
import { emptyMap, type ScalarValue, type SourceEntry, type SourceMap, type SourceNode, type SourceScalar } from './source-tree.ts'
import { retyped, type Substitution } from './substitute.ts'
import { explainYamlFault, meaningful } from './yaml-faults.ts'
import { findExcess, findForbiddenCharacter } from './yaml-limits.ts'

export interface TreeContext {
  /** Name of the file in messages. */
  readonly file: string
  readonly problems: ProblemList
  readonly substitute: (text: string) => Substitution | undefined
}

const maxDepth = 64
const maxAliasedValues = 10_000

/** The tree of a YAML text, `${…}` replaced; undefined when the text is no YAML (what is wrong with it has been reported). */
export function readYamlTree(text: string, context: TreeContext): SourceNode | undefined {
  const lineAndColumn = lineIndex(text)
  const positionAt = (offset: number): SourcePosition => ({ file: context.file, ...lineAndColumn(offset) })
  const excess = findForbiddenCharacter(text) ?? findExcess(text)
  if (excess !== undefined) {
    context.problems.add(positionAt(excess.offset), [], excess.message)
    return undefined
  }
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  const faults = [...document.errors, ...document.warnings]
  if (faults.length === 0) return new TreeBuilder(context, positionAt).root(document)
  for (const fault of meaningful(faults)) {
    const at = positionAt(fault.pos[0])
    context.problems.add(at, [], explainYamlFault(fault, text.split('\n', at.line)[at.line - 1] ?? ''))
  }
  return undefined
}

/** A value that aliases may refer to, with the number of values in it. */
interface Anchored {
  readonly node: SourceNode
  readonly values: number
}

/** Turns the parser's nodes into ours: aliases and merge keys followed, keys checked, `${…}` replaced. */
class TreeBuilder {
  private readonly context: TreeContext
  private readonly positionAt: (offset: number) => SourcePosition
  /** Undefined while the anchored value is being built: an alias to it would never end. */
  private readonly anchors = new Map<string, Anchored | undefined>()
  /** Values built so far, those that aliases stand for included. */
  private values = 0
  private aliasedValues = 0

  constructor(context: TreeContext, positionAt: (offset: number) => SourcePosition) {
    this.context = context
    this.positionAt = positionAt
  }

  root(document: Document.Parsed): SourceNode {
    const { contents } = document
    const start = this.positionAt(0)
    if (contents === null || (isScalar(contents) && contents.value === null)) return emptyMap(start)
    return this.build(contents, start, [])
  }

  private build(node: ParsedNode | null, otherwiseAt: SourcePosition, path: SettingPath): SourceNode {
    const at = node?.range === undefined || node.range === null ? otherwiseAt : this.positionAt(node.range[0])
    if (node === null) return { kind: 'scalar', at, value: null }
    if (isAlias(node)) return this.follow(node.source, at, path)
    if (path.length > maxDepth) return this.faulty(at, path, `is nested more than ${maxDepth} deep`)
    const before = this.values++
    if (node.anchor !== undefined) this.anchors.set(node.anchor, undefined)
    const built = this.content(node, at, path)
    if (node.anchor !== undefined) this.anchors.set(node.anchor, { node: built, values: this.values - before })
    return built
  }

  private content(node: Exclude<ParsedNode, Alias.Parsed>, at: SourcePosition, path: SettingPath): SourceNode {
    if (isScalar(node)) return this.scalar(node, at, path)
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item, index) => this.build(item, at, [...path, index])) }
    return { kind: 'map', at, entries: this.entries(node, at, path) }
  }

  /** Aliases share the value they refer to; it is their number of values that must stay bounded, since readers see each of them anew. */
  private follow(anchor: string, at: SourcePosition, path: SettingPath): SourceNode {
    const target = this.anchors.get(anchor)
    if (target === undefined) {
      const reason = this.anchors.has(anchor) ? 'stands inside the value it refers to' : `has no anchor (&${anchor}) above it`
      return this.faulty(at, path, `the alias *${anchor} ${reason}`)
    }
    this.values += target.values
    this.aliasedValues += target.values
    if (this.aliasedValues <= maxAliasedValues) return target.node
    return this.faulty(at, path, `aliases (*name) stand for more than ${maxAliasedValues} values up to here`)
  }

  private entries(map: YAMLMap.Parsed, at: SourcePosition, path: SettingPath): Map<string, SourceEntry> {
    const entries = new Map<string, SourceEntry>()
    const merged: SourceMap[] = []
    for (const { key, value } of map.items) {
      const keyAt = key.range === null || key.range === undefined ? at : this.positionAt(key.range[0])
      if (!isScalar(key) || key.value === null) {
        this.context.problems.add(keyAt, path, 'a key must be a plain text')
        continue
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
      if (name === '<<') {
        merged.push(...this.mergeSources(value, keyAt, path))
        continue
      }
      if (this.refusedKey(name, keyAt, path, entries)) continue
      entries.set(name, { written: name, keyAt, value: this.build(value, keyAt, [...path, name]) })
    }
    for (const source of merged) for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry)
    return entries
  }

  private refusedKey(name: string, at: SourcePosition, path: SettingPath, earlier: ReadonlyMap<string, SourceEntry>): boolean {
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') {
      this.context.problems.add(at, [...path, name], 'this name is not allowed')
      return true
    }
    const first = earlier.get(name)
    if (first === undefined) return false
    this.context.problems.add(at, [...path, name], `is given twice; first in line ${first.keyAt.line}`)
    return true
  }

  /** The maps that a `<<` key brings in; earlier ones win over later ones, and the map's own keys over all. */
  private mergeSources(value: ParsedNode | null, at: SourcePosition, path: SettingPath): SourceMap[] {
    const built = this.build(value, at, path)
    const sources = built.kind === 'list' ? built.items : [built]
    return sources.filter((source): source is SourceMap => {
      if (source.kind === 'map') return true
      if (source.kind === 'list' || source.faulty !== true)
        this.context.problems.add(at, path, "'<<' must be followed by an alias (*name) of a map, or by a list of them")
      return false
    })
  }

  private scalar({ value, source = '' }: Scalar, at: SourcePosition, path: SettingPath): SourceScalar {
    if (typeof value !== 'string') return { kind: 'scalar', at, value: isScalarValue(value) ? value : source }
    const substitution = this.context.substitute(value)
    if (substitution === undefined) return { kind: 'scalar', at, value }
    for (const fault of substitution.faults) this.context.problems.add(at, path, fault)
    const { result, faults } = substitution
    return { kind: 'scalar', at, value: retyped(result.text), substituted: result, ...(faults.length > 0 ? { faulty: true } : {}) }
  }

  private faulty(at: SourcePosition, path: SettingPath, message: string): SourceScalar {
    this.context.problems.add(at, path, message)
    return { kind: 'scalar', at, value: null, faulty: true }
  }
}

function isScalarValue(value: unknown): value is ScalarValue {
  return value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
}
