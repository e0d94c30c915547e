import type { SettingPath } from './path-text.ts'

/** Stands in the place of a secret wherever a configuration is shown. */
export const hidden = '(hidden)'

const secretWord =
  /authorization|bearer|cookie|credential|passw|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|signature|dsn/i

/** Whether a setting or variable of this name usually holds something that must not be shown. */
export function looksSecret(name: string): boolean {
  return secretWord.test(name)
}

/** Whether the value at a path must not be shown: its name says so, or it is a header or a token. */
export function isSecretPath(path: SettingPath): boolean {
  const [top, second] = path
  if (top === 'server' && second === 'tokens') return path.at(-1) !== 'name' && path.at(-1) !== 'role'
  if (top === 'upstreams' && path[2] === 'headers') return true
  if (top === 'server' && second === 'tracing' && path[2] === 'headers') return true
  const settings = top === 'server' ? path.slice(1) : path.slice(2) // names given by the user say nothing about what stands below them
  return settings.some((segment) => typeof segment === 'string' && looksSecret(segment))
}

/** The text without the user name and password of a URL in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/?#\s]*@/g, `//${hidden}@`)
}
