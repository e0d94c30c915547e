import { isHoldfastError } from '../../core/errors.ts'
import { causesOf } from '../../core/causes.ts'
import { statusOf } from '../../core/match-error.ts'

const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])

const transientCodes = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ESOCKETTIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN',
  'EAI_AGAIN', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE',
])

/** Connections that were never made: the other side cannot have done anything. */
const neverSentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'UND_ERR_CONNECT_TIMEOUT'])

const transientNames = new Set(['TimeoutError', 'APIConnectionError', 'APIConnectionTimeoutError'])

/**
 * Whether an error is transient: a connection that failed, a timeout, or an answer with status 408, 425, 429 or 5xx of the
 * transient kind. Looks through `cause`, AggregateError and the `errors` lists of SDKs. Everything else (a TypeError, a 400)
 * fails again just the same.
 */
export function isTransient(error: unknown): boolean {
  for (const each of causesOf(error)) {
    if (isHoldfastError(each)) {
      if (each.code === 'ERR_TIMEOUT') return true
      continue
    }
    const status = statusOf(each)
    if (status !== undefined) return transientStatus.has(status)
    const { code, name } = each as { code?: unknown; name?: unknown }
    if (typeof code === 'string' && transientCodes.has(code)) return true
    if (typeof name === 'string' && transientNames.has(name)) return true
  }
  return false
}

/** Whether the operation surely did not happen: the connection was never made, or the server said that it did not begin. */
export function wasNeverSent(error: unknown): boolean {
  for (const each of causesOf(error)) {
    const status = statusOf(each)
    if (status !== undefined) return status === 429 || status === 425
    const { code } = each as { code?: unknown }
    if (typeof code === 'string' && neverSentCodes.has(code)) return true
  }
  return false
}
