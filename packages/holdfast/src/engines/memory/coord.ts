import { systemClock, type Clock } from '../../core/clock.ts'
import { checkOptionNames, integerOption } from '../../core/options.ts'
import type { ReadOptions, Unavailable, WriteOptions } from '../../core/ports/answers.ts'
import type { CasAnswer, CasOptions, CoordPort, Doc, Lease, WatchEvent, WatchOptions } from '../../core/ports/coord-port.ts'
import { checkedNumber, checkedText, MemoryPort } from '../../core/ports/memory-port.ts'
import { MemoryLease } from './coord-lease.ts'
import { CoordStore } from './coord-store.ts'

export interface MemoryCoordOptions {
  /** Documents kept at a time; with so many, new ones are unavailable. @defaultValue 10_000 */
  readonly maxDocs?: number
  readonly clock?: Clock
}

export interface MemoryCoord extends CoordPort {
  readonly size: number
  /** Another client of the same documents, with leases of its own: several instances in one process, in tests and simulations. */
  connect(): MemoryCoord
  /** As if this client's process had died: it is closed, and its leases end when nobody renews them. */
  vanish(): void
}

/**
 * {@link CoordPort} in the memory of this process: linearizable, bounded; the only timers are those of leases that are held.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function memoryCoord(options: MemoryCoordOptions = {}): MemoryCoord {
  checkOptionNames('memoryCoord', options, ['maxDocs', 'clock'])
  const maxDocs = integerOption('memoryCoord', 'maxDocs', options.maxDocs ?? 10_000, { min: 1 })
  return new CoordClient(new CoordStore(maxDocs, options.clock ?? systemClock))
}

class CoordClient extends MemoryPort implements MemoryCoord {
  private readonly store: CoordStore
  private readonly leases = new Set<MemoryLease>()
  private readonly ending = new AbortController()

  constructor(store: CoordStore) {
    super(store.attempts)
    this.store = store
  }

  get size(): number {
    return this.store.size
  }

  connect(): MemoryCoord {
    return new CoordClient(this.store)
  }

  async get(key: string, options: ReadOptions): Promise<{ readonly ok: true; readonly doc: Doc | undefined } | Unavailable> {
    checkedText('key', key, 1, 1_000)
    return this.read(options, () => ({ ok: true, doc: this.store.get(key) }))
  }

  async cas(key: string, expected: bigint | 'absent', value: Uint8Array | undefined, options: CasOptions): Promise<CasAnswer> {
    checkedText('key', key, 1, 1_000)
    return this.write(options, () => {
      const answer = this.store.cas(key, expected, value, options.lease)
      return { answer, changed: answer.ok }
    })
  }

  async lease(ttlMs: number, options: WriteOptions): Promise<Lease | Unavailable> {
    checkedNumber('ttlMs', ttlMs, 1)
    return this.write(options, () => {
      const lease = new MemoryLease(this.store, ttlMs)
      this.leases.add(lease)
      lease.lost.addEventListener('abort', () => this.leases.delete(lease), { once: true })
      return { answer: lease, changed: true }
    })
  }

  async *watch(prefix: string, { afterRev, signal }: WatchOptions): AsyncGenerator<WatchEvent, void> {
    checkedText('prefix', prefix, 0, 1_000)
    const watcher = this.store.subscribe(prefix)
    watcher.missed = afterRev !== this.store.lastRev
    const ends = [signal, this.ending.signal]
    for (const end of ends) end.addEventListener('abort', watcher.stir)
    try {
      while (!ends.some(({ aborted }) => aborted)) {
        if (watcher.missed) {
          watcher.missed = false
          const docs = this.store.list(prefix)
          for (let seen = watcher.shift(); seen !== undefined; seen = watcher.shift()); // the snapshot tells of them
          yield { kind: 'snapshot', docs, rev: this.store.lastRev }
          continue
        }
        const event = watcher.shift()
        if (event === undefined) await watcher.change()
        else yield event
      }
    } finally {
      for (const end of ends) end.removeEventListener('abort', watcher.stir)
      this.store.unsubscribe(watcher)
    }
  }

  override async close(): Promise<void> {
    for (const lease of this.leases) this.store.endLease(lease)
    this.end()
  }

  vanish(): void {
    for (const lease of this.leases) lease.abandon()
    this.end()
  }

  private end(): void {
    this.closed = true
    this.ending.abort()
  }
}
