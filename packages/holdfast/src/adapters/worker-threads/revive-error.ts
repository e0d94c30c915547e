import type { ErrorRecord } from './worker-program.ts'

const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** The error of another thread, as like as can be: class (of the built-in ones), name, message, stack, own properties and causes. */
export function reviveError({ message, name = 'Error', stack, details, cause, thrown }: ErrorRecord): unknown {
  if (message === undefined) return thrown
  const Kind = Object.hasOwn(builtIn, name) ? (builtIn[name] as ErrorConstructor) : Error
  const error = cause === undefined ? new Kind(message) : new Kind(message, { cause: reviveError(cause) })
  if (error.name !== name) define(error, 'name', name)
  if (stack !== undefined) define(error, 'stack', stack)
  for (const [key, value] of Object.entries(details ?? {})) {
    if (key !== 'message' && key !== 'stack' && key !== 'name') Object.defineProperty(error, key, { ...visible, value })
  }
  return error
}

const visible = { configurable: true, writable: true, enumerable: true } as const

function define(error: Error, key: string, value: string): void {
  Object.defineProperty(error, key, { ...visible, enumerable: false, value })
}
