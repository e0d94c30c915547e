import * as mollitia from 'mollitia'
import type { TimedContestant } from '../case.ts'
import { names, places, queued, timeoutMs } from './common.ts'
import { work } from './work.ts'

export const mollitiaBreaker = (): mollitia.SlidingCountBreaker =>
  new mollitia.SlidingCountBreaker({ slidingWindowSize: 10, minimumNumberOfCalls: 5, failureRateThreshold: 50, openStateDelay: 60_000 })
export const mollitiaRetry = (): mollitia.Module => new mollitia.Retry({ attempts: 2 })
export const mollitiaTimeout = (): mollitia.Module => new mollitia.Timeout({ delay: timeoutMs })
export const mollitiaBulkhead = (concurrentSize = places, queueSize = queued): mollitia.Module =>
  new mollitia.Bulkhead({ concurrentSize, queueSize })
export const mollitiaFallback = (): mollitia.Module => new mollitia.Fallback({ callback: () => 0 })

export function viaMollitia(...modules: mollitia.Module[]): TimedContestant {
  const circuit = new mollitia.Circuit({ func: work, options: { modules } })
  return { name: names.mollitia, role: 'peer', call: () => circuit.execute<unknown>() }
}
