import type { Ambiguous, ReadOptions, Unavailable, WriteOptions } from './answers.ts'
import type { Port } from './port.ts'

/** A small document and its revision. Revisions grow over all documents of the store. */
export interface Doc {
  readonly key: string
  readonly value: Uint8Array
  /** Of its last change. */
  readonly rev: bigint
  /** Of its making, since when it has existed without a break: the epoch of whoever made it. */
  readonly madeRev: bigint
}

/** Documents put under a lease vanish when it ends. It renews itself until it is released or lost. */
export interface Lease {
  readonly ok: true
  /** Higher than that of every lease granted before. */
  readonly epoch: bigint
  /** Monotonic ms until when the lease holds whatever happens to the store: whoever acts on it must not do so later. */
  readonly validUntil: number
  /** Aborted before anybody else can see the lease end, or as soon as it is known to be over. */
  readonly lost: AbortSignal
  /** Ends it, and its documents, now. */
  release(options: WriteOptions): Promise<{ readonly ok: true } | Unavailable | Ambiguous>
}

export type CasAnswer =
  | { readonly ok: true; readonly rev: bigint }
  /** The document is not as expected; nothing has changed. */
  | { readonly ok: false; readonly why: 'conflict'; readonly now: Doc | undefined }
  /** The lease it was to be put under is over; nothing has changed. */
  | { readonly ok: false; readonly why: 'lease-lost' }
  | Unavailable
  | Ambiguous

export interface CasOptions extends WriteOptions {
  /** The document vanishes with this lease. @defaultValue it stays */
  readonly lease?: Lease
}

export interface WatchOptions {
  /** Begin after this revision if the engine still can; otherwise, and by default, with a snapshot. */
  readonly afterRev?: bigint
  /** Ends the watch. */
  readonly signal: AbortSignal
}

export type WatchEvent =
  /** All documents under the prefix, as of a revision: it replaces all that was known. Comes again whenever changes were missed. */
  | { readonly kind: 'snapshot'; readonly docs: readonly Doc[]; readonly rev: bigint }
  | { readonly kind: 'put'; readonly doc: Doc }
  | { readonly kind: 'delete'; readonly key: string; readonly rev: bigint }

/** Small, rare, strongly consistent documents: votes, epochs, allocations. */
export interface CoordPort extends Port {
  /** `stale` allows an answer that misses recent changes. @defaultValue linearizable */
  get(
    key: string,
    options: ReadOptions & { readonly stale?: boolean },
  ): Promise<{ readonly ok: true; readonly doc: Doc | undefined } | Unavailable>
  /** Writes, or with `undefined` deletes, the document if it is still at the expected revision (or absent). One linearizable step. */
  cas(key: string, expected: bigint | 'absent', value: Uint8Array | undefined, options: CasOptions): Promise<CasAnswer>
  /** @param ttlMs For how long it holds after its holder has vanished, 1 or more. */
  lease(ttlMs: number, options: WriteOptions): Promise<Lease | Unavailable | Ambiguous>
  /** Changes under a prefix, in order, each once. A slow reader misses none silently: it gets a snapshot instead. Ends when the port is closed. */
  watch(prefix: string, options: WatchOptions): AsyncIterable<WatchEvent>
}
