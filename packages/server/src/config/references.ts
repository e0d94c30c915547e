import { didYouMean } from './did-you-mean.ts'
import type { Findings } from './normalize.ts'
import { pipelineSteps, sectionOfStep } from './schema-pipeline.ts'
import { showValue } from './show-value.ts'
import type { SourceEntry, SourceMap, SourceNode, SourceScalar } from './source-tree.ts'

/** A place where an upstream names a definition. */
interface Reference {
  readonly section: string
  readonly name: string
  readonly node: SourceScalar
  readonly path: readonly string[]
}

const kindOfSection: Readonly<Record<string, string>> = {
  circuitBreakers: 'circuit breaker',
  retryPolicies: 'retry policy',
  timeouts: 'timeout',
  bulkheads: 'bulkhead',
  rateLimiters: 'rate limiter',
  loadShedders: 'load shedder',
  hedges: 'hedge',
  throttlers: 'throttler',
  adaptiveLimits: 'adaptive limit',
  fallbacks: 'fallback',
  healthChecks: 'health check',
}

/** Reports names that are defined nowhere, and warns of definitions that nobody uses. */
export function checkReferences(root: SourceMap, { problems, warnings }: Findings): void {
  const references = [...findReferences(root)]
  for (const { section, name, node, path } of references) {
    const defined = entriesOf(root, section)
    if (defined.has(name)) continue
    const kind = kindOfSection[section] ?? section
    const names = [...defined.keys()]
    const message = names.length === 0 ? `there are none in '${section}'` : `'${section}' does not define it`
    problems.add(node.at, path, `must be the name of a ${kind}, got ${showValue(node, path)}; ${message}`, () =>
      node.substituted === undefined ? didYouMean(name, names) : undefined,
    )
  }
  const used = new Set(references.map(({ section, name }) => `${section}\0${name}`))
  for (const [section, kind] of Object.entries(kindOfSection)) {
    for (const [name, { keyAt, written }] of entriesOf(root, section)) {
      if (!used.has(`${section}\0${name}`)) warnings.add(keyAt, [section, written], `this ${kind} is not used by any upstream`)
    }
  }
}

function* findReferences(root: SourceMap): Generator<Reference> {
  for (const [upstream, { value }] of entriesOf(root, 'upstreams')) {
    if (value.kind !== 'map') continue
    const health = value.entries.get('health')
    if (health !== undefined) yield* reference('healthChecks', health, ['upstreams', upstream, health.written])
    const pipeline = value.entries.get('pipeline')
    if (pipeline?.value.kind !== 'map') continue
    for (const step of pipelineSteps) {
      const entry = pipeline.value.entries.get(step)
      if (entry !== undefined) yield* reference(sectionOfStep[step], entry, ['upstreams', upstream, pipeline.written, entry.written])
    }
  }
}

function* reference(section: string, { value: node }: SourceEntry, path: readonly string[]): Generator<Reference> {
  if (node.kind !== 'scalar' || node.faulty === true || typeof node.value !== 'string') return
  const isName = section !== 'timeouts' || /^[A-Za-z]/.test(node.value)
  if (isName) yield { section, name: node.value, node, path }
}

function entriesOf(root: SourceMap, section: string): ReadonlyMap<string, SourceEntry> {
  const node: SourceNode | undefined = root.entries.get(section)?.value
  return node?.kind === 'map' ? node.entries : new Map()
}
