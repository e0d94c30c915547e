const kindTexts: Readonly<Record<string, string>> = {
  'circuit-breaker': 'circuit breaker',
  'rate-limiter': 'rate limiter',
  'compartmented-bulkhead': 'bulkhead with compartments',
}

/** The name within the id of a policy: `circuit-breaker/llm` → `llm`. What is no id stays as it is. */
export function nameOfPolicy(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}

/** The kind within the id of a policy; null when it is no id. */
export function kindOfPolicy(id: string): string | null {
  const slash = id.indexOf('/')
  return slash > 0 ? id.slice(0, slash) : null
}

/** `circuit-breaker` → `circuit breaker`. */
export function kindText(kind: string): string {
  return kindTexts[kind] ?? kind
}
