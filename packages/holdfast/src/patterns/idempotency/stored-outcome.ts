import { errorCodes, errorWithoutStack, isHoldfastError, type ErrorCode } from '../../core/errors.ts'
import { statusOf } from '../../core/match-error.ts'
import { NotPlainError, readPlain, writePlain } from './plain-value.ts'

/** How results are written to the store, and read again. */
export interface ResultCodec {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Plain data as text; what is no plain data is refused, since it would come back as something else. */
export const plainCodec: ResultCodec = {
  encode: (value) => encoder.encode(writePlain(value)),
  decode: (bytes) => readPlain(decoder.decode(bytes)),
}

/** How an operation ended. */
export interface Ending {
  readonly ok: boolean
  /** The result, or the error. */
  readonly value: unknown
}

/** The first byte of a record: a result, a failure, or a result that could not be written down. */
const mark = { result: 114, failure: 102, unstorable: 117 } as const

export function encodeResult(value: unknown, codec: ResultCodec, maxBytes: number): Uint8Array {
  const bytes = codec.encode(value)
  if (bytes.byteLength > maxBytes)
    throw new NotPlainError(`a result of ${bytes.byteLength} bytes is larger than maxResultBytes, ${maxBytes}`)
  return marked(mark.result, bytes)
}

export function encodeFailure(error: unknown): Uint8Array {
  return marked(mark.failure, encoder.encode(writeError(error)))
}

export function encodeUnstorable(why: unknown): Uint8Array {
  return marked(mark.unstorable, encoder.encode(messageOf(why)))
}

/** @param policy Who speaks, in the error of a result that could not be stored. */
export function decodeOutcome(record: Uint8Array, codec: ResultCodec, policy: string): Ending {
  const body = record.subarray(1)
  if (record[0] === mark.result) return { ok: true, value: codec.decode(body) }
  const text = decoder.decode(body)
  return { ok: false, value: record[0] === mark.failure ? readError(text) : unstorableError(policy, text) }
}

export function unstorableError(policy: string, why: unknown): Error {
  const reason = messageOf(why)
  return errorWithoutStack({
    code: 'ERR_IDEMPOTENCY_UNSTORABLE',
    policy,
    message: `${policy}: ${errorCodes.ERR_IDEMPOTENCY_UNSTORABLE}: ${reason}. Return plain data, or give the manager a codec`,
    cause: typeof why === 'string' ? undefined : why,
  })
}

function messageOf(why: unknown): string {
  return why instanceof Error ? why.message : String(why)
}

function marked(first: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.byteLength + 1)
  bytes[0] = first
  bytes.set(body, 1)
  return bytes
}

interface WrittenError {
  readonly name: string
  readonly message: string
  readonly code?: string | number
  readonly status?: number
  readonly holdfast?: { readonly policy: string; readonly retryAfterMs?: number }
  /** What was thrown when it was no Error. */
  readonly thrown?: unknown
}

function writeError(error: unknown): string {
  if (isHoldfastError(error)) {
    const { name, message, code, policy, retryAfterMs } = error
    return writePlain({ name, message, code, holdfast: { policy, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } })
  }
  if (!(error instanceof Error)) {
    try {
      return writePlain({ name: 'Error', message: '', thrown: [error] })
    } catch {
      return writePlain({ name: 'Error', message: `${typeof error} that was thrown` })
    }
  }
  const { code } = error as { code?: unknown }
  const status = statusOf(error)
  return writePlain({
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(status === undefined ? {} : { status }),
  })
}

/** An error with the name, message, code and status of the one that was thrown; not of its class, and without its stack and cause. */
function readError(text: string): unknown {
  const { name, message, code, status, holdfast, thrown } = readPlain(text) as WrittenError
  if (Array.isArray(thrown)) return thrown[0]
  if (holdfast !== undefined && typeof code === 'string' && code in errorCodes)
    return errorWithoutStack({ code: code as ErrorCode, policy: holdfast.policy, message, retryAfterMs: holdfast.retryAfterMs })
  const error = new Error(message)
  error.stack = `${name}: ${message}\n    (recorded: the stack is not stored)`
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return Object.assign(error, code === undefined ? {} : { code }, status === undefined ? {} : { status })
}
