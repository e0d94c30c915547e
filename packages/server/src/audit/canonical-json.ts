/**
 * JSON in one spelling: keys in the order of their code units, no blanks, what JSON cannot hold left out as JSON.stringify does. Equal
 * data has equal text, so that a hash over the text is a hash over the data.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(ordered(value)) ?? 'null'
}

function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(ordered)
  // fromEntries defines properties: a key named __proto__ stays a key
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]))
}
