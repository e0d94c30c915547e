import { quoted, shownText, type SettingPath } from './path-text.ts'
import { hidden, isSecretPath, withoutCredentials } from './secrets.ts'
import type { SourceNode, SourceScalar } from './source-tree.ts'

const longestShown = 60

/** A value as a message may show it: short, on one line, nothing of a secret, a variable or a secret file. */
export function showValue(node: SourceNode, path: SettingPath): string {
  if (node.kind === 'map') return 'a map'
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : `a list of ${node.items.length}`
  const origin = originOf(node)
  if (origin !== undefined) return `a value from ${origin}, which is not shown`
  if (isSecretPath(path)) return `a value that is not shown ${hidden}`
  const value = node.writtenValue === undefined ? (node.substituted?.text ?? node.value) : node.writtenValue
  if (typeof value !== 'string') return value === null ? 'nothing' : String(value)
  return quoted(withoutCredentials(value.length > longestShown ? `${value.slice(0, longestShown - 3)}...` : value))
}

/** Where a substituted value came from, in words; undefined when the file itself says it. */
function originOf({ substituted }: SourceScalar): string | undefined {
  if (substituted === undefined) return undefined
  const origins = [
    ...substituted.variables.map((name) => `variable ${name}`),
    ...substituted.secretFiles.map((file) => `file ${shownText(file)}`),
  ]
  return origins.length === 0 ? undefined : origins.join(' and ')
}
