import { causesOf } from '../../core/causes.ts'
import { isHoldfastError } from '../../core/errors.ts'
import { statusOf } from '../../core/match-error.ts'

const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])

const transientCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
])

const transientNames = new Set(['TimeoutError', 'ConnectionError', 'APIConnectionError', 'APIConnectionTimeoutError'])

/** Codes that only a connection which was never made can bring. */
const neverSentCodes = new Set(['ECONNREFUSED', 'EAI_AGAIN', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT'])

/** System calls before a connection stands; the same codes from any other call (an ETIMEDOUT of `read`) are ambiguous. */
const connecting = new Set(['connect', 'getaddrinfo'])

/** Statuses of a request that the server says it did not begin to work on. */
const notBegunStatus = new Set([425, 429])

const grpcUnavailable = 14

/**
 * Whether an error is transient: a connection that failed, a timeout, or an answer with status 408, 425, 429 or 5xx of the
 * transient kind. Looks through `cause`, AggregateError and the `errors` lists of SDKs. Everything else (a TypeError, a 400)
 * fails again just the same.
 */
export function isTransient(error: unknown): boolean {
  for (const each of causesOf(error)) {
    if (typeof each !== 'object' || each === null) continue
    if (isHoldfastError(each)) {
      if (each.code === 'ERR_TIMEOUT') return true
      continue
    }
    const status = statusOf(each)
    if (status !== undefined) return transientStatus.has(status)
    if (hasTransientCode(each)) return true
  }
  return false
}

/**
 * Whether the operation surely did not happen: the connection was never made, or the server said that it did not begin. Where
 * an error stands for several (an AggregateError, the retries of an SDK), this must be true of each.
 */
export function wasNeverSent(error: unknown): boolean {
  const evidence = causesOf(error).map(evidenceOf)
  return evidence.includes('never sent') && !evidence.includes('maybe sent')
}

function evidenceOf(error: unknown): 'never sent' | 'maybe sent' | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if (isHoldfastError(error)) return error.code === 'ERR_TIMEOUT' || error.code === 'ERR_DEADLINE_EXCEEDED' ? 'maybe sent' : undefined
  const status = statusOf(error)
  if (status !== undefined) return notBegunStatus.has(status) ? 'never sent' : 'maybe sent'
  const { code, syscall, errors } = error as { code?: unknown; syscall?: unknown; errors?: unknown }
  if (Array.isArray(errors) && errors.length > 0) return undefined // the errors in it tell
  if (typeof code === 'string' && neverSentCodes.has(code)) return 'never sent'
  if (!hasTransientCode(error)) return undefined
  return typeof syscall === 'string' && connecting.has(syscall) ? 'never sent' : 'maybe sent'
}

function hasTransientCode(error: object): boolean {
  const { code, name, metadata } = error as { code?: unknown; name?: unknown; metadata?: unknown }
  if (typeof code === 'string' && transientCodes.has(code)) return true
  if (typeof name === 'string' && transientNames.has(name)) return true
  if (transientNames.has(error.constructor?.name ?? '')) return true // SDKs leave `name` at 'Error'
  return code === grpcUnavailable && typeof metadata === 'object'
}
