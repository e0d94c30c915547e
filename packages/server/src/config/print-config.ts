import { Document, isMap, isScalar } from 'yaml'
import type { ReliabilityConfig } from './config.ts'
import type { LoadedConfig } from './load-config.ts'
import type { SettingPath } from './path-text.ts'
import { formatProvenance } from './provenance.ts'
import { hidden } from './secrets.ts'
import { writtenSettings, type WrittenSetting } from './written-config.ts'

/** The settings in force as plain data in the form of a configuration file; secrets are `(hidden)`. */
export function effectiveConfig(config: ReliabilityConfig): Readonly<Record<string, unknown>> {
  const root: Record<string, unknown> = {}
  for (const setting of writtenSettings(config)) put(root, setting.path, shown(setting))
  return root
}

/** The settings in force as a configuration file; with `provenance`, each says where it comes from. */
export function printConfig(config: ReliabilityConfig, provenance?: LoadedConfig['provenance']): string {
  const document = new Document(effectiveConfig(config), { aliasDuplicateObjects: false })
  if (provenance !== undefined) {
    for (const { path } of writtenSettings(config)) comment(document, path, formatProvenance(provenance(path)))
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}

function shown({ value, isSecret }: WrittenSetting): unknown {
  return isSecret ? hidden : value
}

function put(root: Record<string, unknown>, path: SettingPath, value: unknown): void {
  let parent: Record<string | number, unknown> = root
  for (const [depth, key] of path.entries()) {
    if (depth === path.length - 1) parent[key] = value
    else parent = (parent[key] ??= typeof path[depth + 1] === 'number' ? [] : {}) as Record<string | number, unknown>
  }
}

function comment(document: Document, path: SettingPath, text: string): void {
  const node = document.getIn(path, true)
  if (isScalar(node)) {
    node.comment = ` ${text}`
    return
  }
  const parent = document.getIn(path.slice(0, -1), true)
  const pair = isMap(parent) ? parent.items.find(({ key }) => (isScalar(key) ? key.value : key) === path.at(-1)) : undefined
  if (isScalar(pair?.key)) pair.key.commentBefore = ` ${text}`
}
