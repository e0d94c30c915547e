import type { CircuitBreakerOptions, CircuitSettings } from './circuit-options.ts'

/** Breakers are mostly many of a few kinds; of further kinds each has settings of its own. */
const mostKinds = 100

const shared = new Map<string, CircuitSettings>()

/**
 * The settings of options that say the same as earlier ones: a hundred thousand breakers of one kind need them once. Options that hold
 * functions, lists or objects are never kept here, since they would stay in memory for ever.
 */
export function sharedByContent(
  options: CircuitBreakerOptions,
  names: readonly (keyof CircuitBreakerOptions)[],
  make: () => CircuitSettings,
): CircuitSettings {
  const content = contentOf(options, names)
  if (content === undefined) return make()
  const known = shared.get(content)
  if (known !== undefined) return known
  const made = make()
  if (shared.size < mostKinds) shared.set(content, made)
  return made
}

/** Undefined when the options hold more than plain values. */
function contentOf(options: CircuitBreakerOptions, names: readonly (keyof CircuitBreakerOptions)[]): string | undefined {
  let content = ''
  for (const name of names) {
    const value = options[name] as string | number | object | undefined
    if (value === undefined) continue
    if (typeof value === 'object' || typeof value === 'function') return undefined
    content += `${name}=${typeof value === 'string' ? JSON.stringify(value) : value};`
  }
  return content
}
