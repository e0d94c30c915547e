import { isDeepStrictEqual } from 'node:util'

/** Whether two settings say the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(a, b)
}
