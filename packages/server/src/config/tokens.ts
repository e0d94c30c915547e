import { createHash } from 'node:crypto'
import type { TokenSettings } from './config.ts'
import type { SettingPath } from './path-text.ts'
import type { ResolveOptions } from './resolve.ts'
import type { TokenSource } from './schema-server.ts'

const shortestToken = 16

/** The tokens as hashes. Blank ones (an unset variable) are left out. */
export function resolveTokens(tokens: readonly TokenSource[], options: ResolveOptions): readonly TokenSettings[] {
  return tokens.flatMap((token, index) => resolveToken(token, ['server', 'tokens', index], options) ?? [])
}

function resolveToken(
  { name, role, value, valueFile }: TokenSource,
  path: SettingPath,
  options: ResolveOptions,
): TokenSettings | undefined {
  const { report, readFile, mayBeBlank } = options
  const text = (value ?? readFile(valueFile ?? '', [...path, 'valueFile']))?.trim()
  if (text === undefined) return undefined
  if (text === '') {
    // '${VARIABLE:-}' says that there need not be a token
    if (!mayBeBlank([...path, 'value'])) report('warning', path, `token '${name}' is blank, so it is left out`)
    return undefined
  }
  if (text.startsWith('sha256:')) {
    const sha256 = text.slice('sha256:'.length).toLowerCase()
    if (/^[0-9a-f]{64}$/.test(sha256)) return { name, role, sha256 }
    report('problem', path, "must have 64 hex digits after 'sha256:'")
    return undefined
  }
  if (text.length < shortestToken)
    report('warning', path, `token '${name}' is easy to guess: it should have ${shortestToken} characters or more`)
  return { name, role, sha256: createHash('sha256').update(text).digest('hex') }
}
