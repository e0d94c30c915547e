const mostCauses = 32

/**
 * An error and what lies behind it, nearest first: `cause`, `errors` (AggregateError, the retry errors of SDKs), `lastError`.
 * Bounded, and safe against cycles and getters that throw.
 */
export function causesOf(error: unknown): readonly unknown[] {
  const found: unknown[] = [error]
  for (let index = 0; index < found.length && found.length < mostCauses; index++) {
    const each = found[index]
    if (typeof each !== 'object' || each === null) continue
    for (const next of inside(each)) {
      if (typeof next === 'object' && next !== null && found.length < mostCauses && !found.includes(next)) found.push(next)
    }
  }
  return found
}

function inside(error: object): readonly unknown[] {
  try {
    const { cause, lastError, errors } = error as { cause?: unknown; lastError?: unknown; errors?: unknown }
    return [cause, lastError, ...(Array.isArray(errors) ? errors.slice(0, mostCauses) : [])]
  } catch {
    return []
  }
}
