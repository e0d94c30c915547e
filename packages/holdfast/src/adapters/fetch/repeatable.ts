import { serverHint, wasNeverSent } from '../../patterns/retry/index.ts'
import type { FetchRequest } from './fetch-request.ts'

/** RFC 9110 §9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Statuses that always say that the request was not worked on. */
const notBegun: ReadonlySet<number> = new Set([425, 429])

/** Whether a request may be sent twice, whatever became of the first one. */
export function isRepeatable({ method, headers }: FetchRequest): boolean {
  return idempotentMethods.has(method) || headers.has('idempotency-key')
}

/** Whether an answer says that the request was not worked on: 425, 429, 503 with a time to come back, or `x-should-retry: true`. */
export function wasNotWorkedOn(response: Response): boolean {
  if (response.headers.get('x-should-retry') === 'true' || notBegun.has(response.status)) return true
  return response.status === 503 && serverHint(response, Date.now())?.afterMs !== undefined
}

/** Whether a request that failed without an answer never reached the server. */
export { wasNeverSent }
