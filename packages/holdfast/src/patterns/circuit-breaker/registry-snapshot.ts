import type { CircuitBreakerPolicy } from './circuit-breaker.ts'
import { checkedSnapshot, type CircuitSnapshot } from './circuit-snapshot.ts'
import { snapshotParts, snapshotVersion } from './snapshot-parts.ts'

/** The breaker of one key, saved. */
export interface SavedBreaker {
  readonly key: string
  readonly breaker: CircuitSnapshot
}

/** A registry as JSON. Breakers that are closed and have nothing to remember are left out. */
export interface CircuitRegistrySnapshot {
  readonly kind: 'circuit-breakers'
  readonly version: 1
  readonly name: string
  /** Epoch ms. */
  readonly savedAt: number
  /** In the order of their last use, the longest unused first. */
  readonly breakers: readonly SavedBreaker[]
}

export function takeRegistrySnapshot(
  name: string,
  savedAt: number,
  breakers: ReadonlyMap<string, CircuitBreakerPolicy>,
): CircuitRegistrySnapshot {
  const saved: SavedBreaker[] = []
  for (const [key, policy] of breakers) {
    const breaker = policy.snapshot()
    if (breaker.state !== 'closed' || breaker.openings > 0 || breaker.consecutiveFailures > 0) saved.push({ key, breaker })
  }
  return { kind: 'circuit-breakers', version: snapshotVersion, name, savedAt, breakers: saved }
}

/**
 * The breakers of a snapshot that are to be restored: closed ones are left out where others need the room.
 * @param roomFor Breakers that have room when those of these keys need none beside it.
 * @throws HoldfastError `ERR_INVALID_ARGUMENT`
 */
export function checkedRegistrySnapshot(
  name: string,
  given: unknown,
  nameOf: (key: string) => string,
  roomFor: (keys: ReadonlySet<string>) => number,
): readonly SavedBreaker[] {
  const part = snapshotParts(name, 'circuit-breakers', given)
  part.equal('name', name, `'${name}'`)
  const breakers = part.value('breakers')
  if (!Array.isArray(breakers)) throw part.wrong('breakers', 'a list of saved breakers')
  const keys = new Set<string>()
  const saved = breakers.map((entry: unknown): SavedBreaker => {
    const { key, breaker } = Object(entry) as { readonly key?: unknown; readonly breaker?: unknown }
    if (typeof key !== 'string' || keys.has(key)) throw part.wrong('breakers', 'a list in which each entry has a key of its own, a text')
    keys.add(key)
    return { key, breaker: checkedSnapshot(nameOf(key), breaker) }
  })
  const notClosed = saved.filter(({ breaker }) => breaker.state !== 'closed')
  const room = roomFor(keys) - notClosed.length
  if (room < 0) throw part.wrong('breakers', `a list with ${-room} breakers fewer that are not closed, or 'maxKeys' raised`)
  return [...(room === 0 ? [] : saved.filter(({ breaker }) => breaker.state === 'closed').slice(-room)), ...notClosed]
}
