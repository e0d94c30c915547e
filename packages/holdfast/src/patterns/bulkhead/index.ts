import { singleBulkhead, type Bulkhead, type BulkheadOptions } from './bulkhead.ts'
import { compartmentedBulkhead, type CompartmentedBulkhead, type CompartmentedBulkheadOptions } from './compartments.ts'

/**
 * Limits how many calls run at once, so that one slow dependency cannot take every place. With `compartments` it is several
 * bulkheads under one name. A place is given back when the work has ended, also when its caller was told earlier.
 * @throws HoldfastError `ERR_BULKHEAD_FULL` when neither a place nor a seat in the queue is free, `ERR_BULKHEAD_WAIT` after `maxWait`.
 * @example `const door = bulkhead({ maxConcurrent: 4 }); await door.execute(({ signal }) => search(q, { signal }))`
 */
export function bulkhead(options: BulkheadOptions): Bulkhead
export function bulkhead(options: CompartmentedBulkheadOptions): CompartmentedBulkhead
export function bulkhead(options: BulkheadOptions | CompartmentedBulkheadOptions): Bulkhead | CompartmentedBulkhead {
  if (typeof options === 'object' && options !== null && 'compartments' in options) return compartmentedBulkhead(options)
  return singleBulkhead(options)
}

export type {
  Bulkhead,
  BulkheadEvent,
  BulkheadHoldExpired,
  BulkheadOptions,
  BulkheadRejected,
  BulkheadResized,
  BulkheadSettings,
  BulkheadStatus,
} from './bulkhead.ts'
export type { CompartmentedBulkhead, CompartmentedBulkheadOptions, CompartmentedBulkheadStatus } from './compartments.ts'
export { bulkheadManager, type BulkheadManager, type BulkheadManagerOptions, type BulkheadManagerStatus } from './bulkhead-manager.ts'
export { defaultPools, type DefaultPool } from './pools.ts'
