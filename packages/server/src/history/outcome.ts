import type { RequestRecord } from '../gateway/index.ts'
import type { CountName } from './resolutions.ts'

/** How a client's request ended. */
export type RequestOutcome = Extract<CountName, 'succeeded' | 'failed' | 'refused' | 'fallback' | 'cancelled'>

/**
 * Refused is what the gateway answered by itself without asking the dependency. An answer of the dependency has failed when it was
 * cut, or when its status says so: what the upstream's settings count as a failure, and 429.
 */
export function outcomeOf(
  { status, cause, attempts }: Pick<RequestRecord, 'status' | 'cause' | 'attempts'>,
  isFailure: (status: number) => boolean,
): RequestOutcome {
  if (cause === 'client-left') return 'cancelled'
  if (cause === 'fallback') return 'fallback'
  if (cause !== undefined) return attempts === 0 ? 'refused' : 'failed'
  return status === 429 || isFailure(status) ? 'failed' : 'succeeded'
}
