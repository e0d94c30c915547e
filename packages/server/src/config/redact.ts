import type { ReliabilityConfig } from './config.ts'
import type { SettingPath } from './path-text.ts'
import { hidden, isSecretPath, looksSecret } from './secrets.ts'
import type { SourceNode } from './source-tree.ts'

/** Keys of objects of configurations whose values came from secret files and variables. */
const secretKeys = new WeakMap<object, Set<string>>()

/**
 * The configuration as it may be shown: secrets replaced by `(hidden)`. Secret are headers for upstreams, tokens, what has a name such
 * as `password`, and whatever `${…}` took out of a file or out of a variable with such a name.
 */
export function redactedConfig(config: ReliabilityConfig): ReliabilityConfig {
  return redacted(config, []) as ReliabilityConfig
}

/** Whether the value under a key of an object of a configuration must not be shown. `path` is where it stands. */
export function isSecretSetting(parent: object, key: string, path: SettingPath): boolean {
  return secretKeys.get(parent)?.has(key) === true || isSecretPath(path)
}

/** Lets an object that was made of one of a configuration have the same secrets. Answers with it. */
export function withSecretsOf<T extends object>(original: object, made: T): T {
  const marked = secretKeys.get(original)
  if (marked !== undefined) secretKeys.set(made, marked)
  return made
}

function redacted(value: unknown, path: SettingPath): unknown {
  if (typeof value !== 'object' || value === null) return value
  const marked = secretKeys.get(value)
  if (Array.isArray(value))
    return value.map((item, index) => (marked?.has(String(index)) === true ? hidden : redacted(item, [...path, index])))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const innerPath = [...path, key]
      const isSecret = marked?.has(key) === true || (isSecretPath(innerPath) && typeof inner !== 'object')
      return [key, isSecret ? hidden : redacted(inner, innerPath)]
    }),
  )
}

/** Remembers which values of a configuration came from secret places, by the tree it was made of. */
export function markSecrets(config: ReliabilityConfig, root: SourceNode): void {
  for (const path of secretPaths(root, [])) mark(config, path)
}

function* secretPaths(node: SourceNode, path: SettingPath): Generator<SettingPath> {
  if (node.kind === 'map') for (const [key, entry] of node.entries) yield* secretPaths(entry.value, [...path, key])
  else if (node.kind === 'list') for (const [index, item] of node.items.entries()) yield* secretPaths(item, [...path, index])
  else if (node.substituted !== undefined && (node.substituted.secretFiles.length > 0 || node.substituted.variables.some(looksSecret)))
    yield path
}

function mark(config: ReliabilityConfig, path: SettingPath): void {
  let parent: object = config
  for (const [depth, written] of path.entries()) {
    const key = keyIn(parent, String(written))
    const value = (parent as Record<string, unknown>)[key]
    if (depth < path.length - 1 && typeof value === 'object' && value !== null) {
      parent = value
      continue
    }
    secretKeys.set(parent, (secretKeys.get(parent) ?? new Set()).add(key))
    return
  }
}

/** What a written key has become: header names are in lower case, a fallback's `json` is its body. */
function keyIn(parent: object, written: string): string {
  if (Object.hasOwn(parent, written)) return written
  return written === 'json' ? 'body' : written.toLowerCase()
}
