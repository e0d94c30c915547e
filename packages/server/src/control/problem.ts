import type { ErrorView } from '../wire.ts'

/** The body of a refusal. */
export function problem(code: string, message: string): ErrorView {
  return { error: { code, message } }
}
