import { statusOf } from '../../core/match-error.ts'

const mostErrors = 32

/** Errors of these classes, as the language or `fetch` makes them, say nothing about what lies behind them. */
const plainClasses: ReadonlySet<unknown> = new Set([Error, TypeError, AggregateError])

/**
 * What a function that judges errors is asked about: the error, and where it is a mere wrapper, what it wraps. A plain Error
 * with a `cause`, an AggregateError and the retry errors of SDKs (`errors`, `lastError`) are wrappers; an error with a class, a
 * name, a code or a status of its own is a statement, whatever caused it.
 */
export function judgedErrors(error: unknown): readonly unknown[] {
  const found: unknown[] = [error]
  for (let index = 0; index < found.length; index++) {
    for (const inner of wrappedIn(found[index])) if (found.length < mostErrors && !found.includes(inner)) found.push(inner)
  }
  return found
}

function wrappedIn(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return []
  try {
    const { name, cause, code, errors, lastError } = error as Error & { code?: unknown; errors?: unknown; lastError?: unknown }
    if (code !== undefined || statusOf(error) !== undefined) return []
    const attempts = [...(Array.isArray(errors) ? errors.slice(0, mostErrors) : []), lastError].filter(isError)
    if (attempts.length > 0) return attempts
    return plainClasses.has(error.constructor) && name === error.constructor.name && isError(cause) ? [cause] : []
  } catch {
    return [] // a getter that throws hides what it stands for
  }
}

function isError(value: unknown): value is Error {
  return value instanceof Error
}
