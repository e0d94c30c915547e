import { causesOf } from '../causes.ts'
import { namesContent, namesCredential, publicText, redactCredentials, redacted } from './redact.ts'

/** Anything; {@link plainFields} decides what of it is written. */
export type LogFields = Readonly<Record<string, unknown>>

/** An error as it is written. */
export interface PlainError {
  readonly type: string
  /** Its own, or that of the nearest cause that has one. */
  readonly code?: string | number
  readonly message: string
  readonly stack?: string
}

/** Also errors of other realms, and plain objects that stand for one. */
interface ErrorLike {
  readonly name?: unknown
  readonly message: string
  readonly stack?: unknown
}

export type PlainValue = string | number | boolean | null | PlainError

const maxFields = 32
const maxStackLength = 4_000
const identifierName = /^(?:trace|span|request|correlation)_?id$/i
const identifier = /^[\w.:-]{1,64}$/

/**
 * The fields that may be written: numbers, booleans, null, short texts without credentials, and errors as type, code and
 * message. A field whose name says credential or content is `[redacted]`; any other value is named by its kind only.
 */
export function plainFields(fields: LogFields, withStacks: boolean): Record<string, PlainValue> {
  const plain: Record<string, PlainValue> = {}
  for (const name of Object.keys(fields).slice(0, maxFields)) {
    const value = plainField(fields, name, withStacks)
    if (value !== undefined) plain[publicText(name, 64)] = value
  }
  return plain
}

function plainField(fields: LogFields, name: string, withStacks: boolean): PlainValue | undefined {
  try {
    const value = fields[name]
    return value === undefined ? undefined : plainValue(name, value, withStacks)
  } catch {
    return '[unreadable]' // a getter threw
  }
}

function plainValue(name: string, value: unknown, withStacks: boolean): PlainValue {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return plainNumber(name, value)
  if (namesCredential(name) || namesContent(name)) return redacted
  if (typeof value === 'string') {
    return identifierName.test(name) && identifier.test(value) ? redactCredentials(value) : publicText(value)
  }
  if (isError(value)) return plainError(value, withStacks)
  return Array.isArray(value) ? '[array]' : `[${typeof value}]`
}

const tokenFigure = /token(?:s|_?count|_?limit|_?budget|_?usage)/i

/** Amounts of tokens are figures; a number in a field for one token is a credential. */
function plainNumber(name: string, value: number | bigint): number | string {
  if (namesCredential(name) && !tokenFigure.test(name)) return redacted
  return Number.isFinite(value) ? (value as number) : String(value)
}

/** An error, its message redacted and cut. */
function plainError(error: ErrorLike, withStacks: boolean): PlainError {
  const code = codeOf(error)
  const { name, message, stack } = error
  return {
    type: publicText(typeof name === 'string' && name !== '' ? name : 'Error', 100),
    ...(code !== undefined && { code: typeof code === 'string' ? publicText(code, 100) : code }),
    message: publicText(message, 300),
    ...(withStacks && typeof stack === 'string' && { stack: redactCredentials(stack.slice(0, maxStackLength)) }),
  }
}

function codeOf(error: ErrorLike): string | number | undefined {
  for (const cause of causesOf(error)) {
    const { code } = (cause ?? {}) as { code?: unknown }
    if (typeof code === 'string' || typeof code === 'number') return code
  }
  return undefined
}

function isError(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
}
