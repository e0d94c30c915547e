import type * as z from 'zod'
import { didYouMean } from './did-you-mean.ts'
import type { SettingPath } from './path-text.ts'
import type { ProblemList, SourcePosition } from './problems.ts'
import { shapesOf, type KeyAlias, type Shape } from './section.ts'
import { emptyMap, type SourceEntry, type SourceMap, type SourceNode, type SourceScalar } from './source-tree.ts'

export interface Findings {
  readonly problems: ProblemList
  readonly warnings: ProblemList
}

/**
 * Reads a tree by a schema: keys get their proper names (aliases and `_` spellings with a warning), unknown keys are reported and
 * left out, settings without a value are left out, and texts that came out of `${…}` stay texts where the schema wants one.
 */
export function normalize(node: SourceNode, schema: z.core.$ZodType, findings: Findings): SourceNode {
  return new Normalizer(findings).node(node, schema, [])
}

class Normalizer {
  private readonly findings: Findings

  constructor(findings: Findings) {
    this.findings = findings
  }

  node(node: SourceNode, schema: z.core.$ZodType, path: SettingPath): SourceNode {
    const shapes = shapesOf(schema)
    if (node.kind === 'scalar') return scalar(node, shapes)
    if (node.kind === 'list') {
      const list = shapes.find((shape) => shape.kind === 'list')
      return list === undefined ? node : { ...node, items: node.items.map((item, index) => this.node(item, list.item, [...path, index])) }
    }
    const shape = shapes.find((each) => each.kind === 'map' || each.kind === 'record')
    if (shape?.kind === 'map') return this.map(node, shape, path)
    if (shape?.kind !== 'record') return node
    const holdsMaps = shapesOf(shape.value).some(({ kind }) => kind === 'map')
    return withEntries(node, (key, entry) => {
      const value = holdsMaps && isBlank(entry.value) ? emptyMap(entry.keyAt) : entry.value
      return [key, { ...entry, value: this.node(value, shape.value, [...path, key]) }]
    })
  }

  private map(node: SourceMap, shape: Shape & { kind: 'map' }, path: SettingPath): SourceMap {
    const sources = new Map<string, SourceEntry>()
    return withEntries(node, (written, entry) => {
      const entryPath = [...path, written]
      const reading = this.readKey(written, entry, shape, path)
      if (reading === undefined) return undefined
      const { key, convert } = reading
      const first = sources.get(key)
      if (first !== undefined) {
        this.findings.problems.add(
          entry.keyAt,
          entryPath,
          `is the same setting as '${first.written}' in line ${first.keyAt.line}: give only one of them`,
        )
        return undefined
      }
      sources.set(key, entry)
      const converted = convert === undefined ? entry.value : convertScalar(entry.value, convert)
      const respelt = this.respell(converted, shape.words.values?.[key], entryPath)
      const schema = shape.keys[key]
      const value = schema === undefined ? respelt : this.node(respelt, schema, entryPath)
      return isBlank(value) ? undefined : [key, { ...entry, value }]
    })
  }

  /** The key that a written key stands for; undefined when it stands for nothing (which is reported). */
  private readKey(
    written: string,
    entry: SourceEntry,
    { keys, words }: Shape & { kind: 'map' },
    path: SettingPath,
  ): KeyReading | undefined {
    if (Object.hasOwn(keys, written)) return { key: written }
    if (path.length === 0 && written.startsWith('x-')) return undefined
    const name = camelCase(written)
    const alias: KeyAlias | undefined = Object.hasOwn(keys, name)
      ? name
      : (ownValue(words.aliases, written) ?? ownValue(words.aliases, name))
    const entryPath = [...path, written]
    if (alias !== undefined) {
      const { key, convert } = typeof alias === 'string' ? { key: alias, convert: undefined } : alias
      this.findings.warnings.add(entry.keyAt, entryPath, `is read as '${key}${convertedTo(entry.value, convert)}': write that instead`)
      return convert === undefined ? { key } : { key, convert }
    }
    const elsewhere = ownValue(words.elsewhere, written) ?? ownValue(words.elsewhere, name)
    const candidates = (): string | undefined => didYouMean(written, [...Object.keys(keys), ...Object.keys(words.aliases ?? {})])
    if (elsewhere === undefined) this.findings.problems.add(entry.keyAt, entryPath, `is not a setting${known(keys)}`, candidates)
    else this.findings.problems.add(entry.keyAt, entryPath, `is not set here: ${elsewhere}`)
    return undefined
  }

  private respell(node: SourceNode, spellings: Readonly<Record<string, string>> | undefined, path: SettingPath): SourceNode {
    if (spellings === undefined || node.kind !== 'scalar') return node
    const proper = ownValue(spellings, String(node.value))
    if (proper === undefined) return node
    this.warn(node.at, path, proper)
    return { ...node, value: proper, writtenValue: node.value }
  }

  private warn(at: SourcePosition, path: SettingPath, proper: string): void {
    this.findings.warnings.add(at, path, `is read as '${proper}': write that instead`)
  }
}

interface KeyReading {
  readonly key: string
  readonly convert?: (value: unknown) => unknown
}

function withEntries(node: SourceMap, change: (key: string, entry: SourceEntry) => readonly [string, SourceEntry] | undefined): SourceMap {
  const entries = new Map<string, SourceEntry>()
  for (const [key, entry] of node.entries) {
    const changed = change(key, entry)
    if (changed !== undefined) entries.set(...changed)
  }
  return { ...node, entries }
}

function scalar(node: SourceScalar, shapes: readonly Shape[]): SourceScalar {
  const scalars = shapes.filter((shape) => shape.kind === 'scalar')
  const wantsText = scalars.length > 0 && scalars.every(({ isText }) => isText)
  return node.substituted === undefined || !wantsText ? node : { ...node, value: node.substituted.text }
}

/** Nothing was written, or an unset variable left nothing: the default holds. */
function isBlank(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.faulty !== true
}

function convertScalar(node: SourceNode, convert: (value: unknown) => unknown): SourceNode {
  if (node.kind !== 'scalar') return node
  return { ...node, value: convert(node.value) as SourceScalar['value'], writtenValue: node.value }
}

function convertedTo(node: SourceNode, convert: ((value: unknown) => unknown) | undefined): string {
  if (convert === undefined || node.kind !== 'scalar' || typeof node.value !== 'number' || node.substituted !== undefined) return ''
  return `: ${String(convert(node.value))}`
}

/** `failure_threshold` as it is written here. */
function camelCase(key: string): string {
  return key.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function ownValue<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}

function known(keys: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(keys)
  return names.length > 8 ? '' : `; there is ${names.join(', ')}`
}
