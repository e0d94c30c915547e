export type StatesByName = ReadonlyMap<string, string>

const named = 4

/** What differs, as a sentence: `llm is open, search is closed and 3 more have changed.` Empty when nothing does. */
export function changesInWords(before: StatesByName, after: StatesByName): string {
  const changes = [...after].filter(([name, state]) => before.has(name) && before.get(name) !== state)
  if (changes.length === 0) return ''
  const told = changes.slice(0, named).map(([name, state]) => `${name} is ${state}`)
  const rest = changes.length - told.length
  return `${told.join(', ')}${rest === 0 ? '' : ` and ${rest} more have changed`}.`
}
