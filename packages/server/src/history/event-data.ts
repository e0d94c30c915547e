/** Data fit for JSON and for the eyes of others: an error is its name and code, never its text, which may hold secrets. */
export function eventData(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, key === 'error' ? errorLabel(value) : value]))
}

function errorLabel(error: unknown): string | null {
  if (error === undefined || error === null) return null
  const { name, code, status } = error as { name?: unknown; code?: unknown; status?: unknown }
  const label = [name, code, status].filter((part) => (typeof part === 'string' && part.length < 60) || typeof part === 'number').join(' ')
  return label === '' ? 'error' : label
}
