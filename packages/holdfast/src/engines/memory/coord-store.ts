import type { Clock } from '../../core/clock.ts'
import type { CasAnswer, Doc, Lease, WatchEvent } from '../../core/ports/coord-port.ts'
import { ExpiryQueue } from '../../core/ports/expiry-queue.ts'
import { noAnswer } from '../../core/ports/answers.ts'
import { AttemptLog, invalidArgument } from '../../core/ports/memory-port.ts'
import type { MemoryLease } from './coord-lease.ts'
import { Watcher } from './watcher.ts'

interface StoredDoc extends Doc {
  readonly lease: MemoryLease | undefined
}

/** The documents that all clients of one memory store see. */
export class CoordStore {
  readonly clock: Clock
  readonly attempts = new AttemptLog()
  private readonly maxDocs: number
  private readonly docs = new Map<string, StoredDoc>()
  private readonly leases = new ExpiryQueue<MemoryLease>()
  private readonly watchers = new Set<Watcher>()
  private rev = 0n

  constructor(maxDocs: number, clock: Clock) {
    this.maxDocs = maxDocs
    this.clock = clock
  }

  get size(): number {
    return this.docs.size
  }

  get lastRev(): bigint {
    return this.rev
  }

  get(key: string): Doc | undefined {
    this.endLeases()
    const doc = this.docs.get(key)
    return doc === undefined ? undefined : copyOf(doc)
  }

  list(prefix: string): readonly Doc[] {
    this.endLeases()
    return [...this.docs.values()].filter(({ key }) => key.startsWith(prefix)).map(copyOf)
  }

  cas(key: string, expected: bigint | 'absent', value: Uint8Array | undefined, lease: Lease | undefined): CasAnswer {
    this.endLeases()
    const before = this.docs.get(key)
    if (before === undefined ? expected !== 'absent' : before.rev !== expected)
      return { ok: false, why: 'conflict', now: before === undefined ? undefined : copyOf(before) }
    if (value === undefined) {
      if (before !== undefined) this.delete(before)
      return { ok: true, rev: this.rev }
    }
    const held = lease === undefined ? undefined : this.heldLease(lease)
    if (held?.place === -1) return { ok: false, why: 'lease-lost' }
    if (before === undefined && this.docs.size >= this.maxDocs) return noAnswer
    before?.lease?.keys.delete(key)
    const rev = ++this.rev
    const doc: StoredDoc = { key, value: value.slice(), rev, madeRev: before?.madeRev ?? rev, lease: held }
    this.docs.set(key, doc)
    held?.keys.add(key)
    this.tell({ kind: 'put', doc: copyOf(doc) }, key)
    return { ok: true, rev }
  }

  /** A revision of its own, so that epochs and revisions are one order. */
  nextEpoch(): bigint {
    return ++this.rev
  }

  enterLease(lease: MemoryLease): void {
    this.leases.add(lease)
  }

  extendLease(lease: MemoryLease, until: number): void {
    this.leases.move(lease, until)
  }

  /** Ends a lease: its holder hears of it first, then its documents vanish. */
  endLease(lease: MemoryLease): void {
    this.leases.remove(lease)
    lease.end()
    for (const key of lease.keys) {
      const doc = this.docs.get(key)
      if (doc !== undefined) this.delete(doc)
    }
  }

  /** Ends the leases that are over. */
  endLeases(): void {
    const now = this.clock.now()
    for (let lease = this.leases.shift(now); lease !== undefined; lease = this.leases.shift(now)) this.endLease(lease)
  }

  subscribe(prefix: string): Watcher {
    const watcher = new Watcher(prefix)
    this.watchers.add(watcher)
    return watcher
  }

  unsubscribe(watcher: Watcher): void {
    this.watchers.delete(watcher)
  }

  private delete(doc: StoredDoc): void {
    this.docs.delete(doc.key)
    doc.lease?.keys.delete(doc.key)
    this.tell({ kind: 'delete', key: doc.key, rev: ++this.rev }, doc.key)
  }

  private heldLease(lease: Lease): MemoryLease {
    const held = lease as MemoryLease
    if (held.store !== this) throw invalidArgument('lease', lease, 'a lease of this store')
    return held
  }

  private tell(event: WatchEvent, key: string): void {
    for (const watcher of this.watchers) if (key.startsWith(watcher.prefix)) watcher.push(event)
  }
}

function copyOf({ key, value, rev, madeRev }: Doc): Doc {
  return { key, value: value.slice(), rev, madeRev }
}
