import { booleanOption, invalidOption } from '../../core/options.ts'
import type { OncePort } from '../../core/ports/once-port.ts'

/** @throws HoldfastError `ERR_INVALID_OPTION` for what is no store, and for one too weak to make anything happen once. */
export function checkStore(owner: string, store: OncePort, acceptDuplicateRisk: unknown): void {
  if (typeof store?.begin !== 'function' || typeof store.commit !== 'function')
    throw invalidOption(owner, 'store', store, "a OncePort, such as memoryOnce() of 'holdfast/engines/memory'")
  if (booleanOption(owner, 'acceptDuplicateRisk', acceptDuplicateRisk)) return
  const { engine, scope, fencing, durability, consistency } = store.profile
  const weakness = !fencing
    ? 'cannot tell a holder that it lost its lease'
    : consistency === 'eventual'
      ? 'may miss what was written a moment ago'
      : scope !== 'process' && (durability === 'memory' || durability === 'async')
        ? 'may lose what it has acknowledged'
        : undefined
  if (weakness === undefined) return
  throw invalidOption(
    owner,
    'store',
    store,
    `an engine that makes effects happen once; '${engine}' ${weakness}. Take one with fencing and durability 'fsync' or 'quorum' (SQLite, Postgres), or say acceptDuplicateRisk: true`,
  )
}
