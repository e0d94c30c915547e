import { parsePath, type SettingPath } from './path-text.ts'
import type { SourcePosition } from './problems.ts'
import { sectionOfStep, type PipelineStep } from './schema-pipeline.ts'
import type { SourceMap, SourceNode } from './source-tree.ts'

/** Where a setting's value comes from. */
export type Provenance =
  | { readonly from: 'default' }
  | ({ readonly from: 'file' } & SourcePosition)
  /** The position is that of the `${…}`. */
  | ({ readonly from: 'env'; readonly variable: string } & SourcePosition)
  | ({ readonly from: 'secret-file'; readonly secretFile: string } & SourcePosition)

/** `default`, `config/reliability.yml:12`, `env PORT (config/reliability.yml:12)`. */
export function formatProvenance(provenance: Provenance): string {
  if (provenance.from === 'default') return 'default'
  const place = `${provenance.file}:${provenance.line}`
  if (provenance.from === 'file') return place
  return provenance.from === 'env' ? `env ${provenance.variable} (${place})` : `file ${provenance.secretFile} (${place})`
}

/** Settings that are made of others. */
const madeOf: Readonly<Record<string, readonly string[]>> = {
  body: ['json', 'bodyFile'],
  ca: ['caFile'],
  cert: ['certFile'],
  privateKey: ['keyFile'],
}

/** Where the setting at a path of the resolved configuration (`upstreams.llm.pipeline.retry.maxAttempts`) was written. */
export function findProvenance(root: SourceMap, path: SettingPath | string): Provenance {
  const segments = typeof path === 'string' ? parsePath(path) : path
  return segments === undefined ? { from: 'default' } : walk(root, segments)
}

function walk(root: SourceMap, path: SettingPath): Provenance {
  let node: SourceNode = root
  let keyAt = root.at
  for (const [depth, segment] of path.entries()) {
    if (node.kind === 'scalar') {
      const referred = referredPath(path, depth, node.value)
      return referred === undefined ? originOf(node) : walk(root, referred)
    }
    // blank tokens are left out of the resolved list, so that an index says nothing
    if (node.kind === 'list') return depth === 2 && path[1] === 'tokens' ? originOf(node) : walkList(node.items[Number(segment)])
    const entry = [String(segment), ...(madeOf[segment] ?? [])]
      .map((key) => (node as SourceMap).entries.get(key))
      .find((found) => found !== undefined)
    if (entry === undefined) return segment === 'name' && depth === path.length - 1 ? { from: 'file', ...keyAt } : { from: 'default' }
    node = entry.value
    keyAt = entry.keyAt
  }
  return originOf(node)
}

function walkList(item: SourceNode | undefined): Provenance {
  return item === undefined ? { from: 'default' } : originOf(item)
}

/** The path of the definition that stands in the place of a reference. */
function referredPath(path: SettingPath, depth: number, name: unknown): SettingPath | undefined {
  if (path[0] !== 'upstreams' || typeof name !== 'string') return undefined
  const rest = path.slice(depth)
  if (depth === 3 && path[2] === 'health') return ['healthChecks', name, ...rest]
  const step = path[3] as PipelineStep
  const isReference = depth === 4 && path[2] === 'pipeline' && Object.hasOwn(sectionOfStep, step)
  if (!isReference) return undefined
  const section = sectionOfStep[step]
  return section === 'timeouts' && !/^[A-Za-z]/.test(name) ? undefined : [section, name, ...rest]
}

function originOf(node: SourceNode): Provenance {
  const { file, line, column } = node.at
  const at = { file, line, column }
  const { variables, secretFiles } = (node.kind === 'scalar' ? node.substituted : undefined) ?? { variables: [], secretFiles: [] }
  const [variable] = variables
  if (variable !== undefined) return { from: 'env', variable, ...at }
  const [secretFile] = secretFiles
  return secretFile === undefined ? { from: 'file', ...at } : { from: 'secret-file', secretFile, ...at }
}
