import { causesOf } from './causes.ts'
import { invalidOption } from './options.ts'

type ErrorClass = abstract new (...args: never[]) => unknown

/** Errors by class, by code or name, by HTTP status number, or by a function that decides. */
export type ErrorMatch = readonly (string | number | ErrorClass)[] | ((error: unknown) => boolean)

/** The predicate of an {@link ErrorMatch}. A list looks at an error and at what lies behind it ({@link causesOf}). */
export function errorMatcher(owner: string, option: string, match: ErrorMatch): (error: unknown) => boolean {
  if (typeof match === 'function') return match
  if (!Array.isArray(match)) throw invalidOption(owner, option, match, 'a list of error classes, codes and statuses, or a function')
  const list = [...(match as readonly (string | number | ErrorClass)[])]
  for (const item of list) {
    if (!['string', 'number', 'function'].includes(typeof item))
      throw invalidOption(owner, option, item, 'a list of error classes, codes and statuses')
  }
  return (error) => causesOf(error).some((each) => list.some((wanted) => isOne(each, wanted)))
}

function isOne(error: unknown, wanted: string | number | ErrorClass): boolean {
  if (typeof wanted === 'number') return statusOf(error) === wanted
  if (typeof wanted === 'function') return error instanceof wanted
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; name?: unknown }
  return code === wanted || name === wanted
}

/** The HTTP status an error carries, as the common clients write it. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { status, statusCode, response } = error as { status?: unknown; statusCode?: unknown; response?: unknown }
  for (const candidate of [status, statusCode, (response as { status?: unknown } | undefined | null)?.status]) {
    if (typeof candidate === 'number' && candidate >= 100 && candidate <= 599) return candidate
  }
  return undefined
}
