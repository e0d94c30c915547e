import type { Ambiguous, Fenced, ReadOptions, Unavailable, WriteOptions } from './answers.ts'
import type { Port } from './port.ts'

/** A key within its scope. Two keys are the same when both texts are. */
export interface OnceKey {
  /** Tenant and operation, say: keys of other scopes are never seen. 0 to 1,000 characters. */
  readonly scope: string
  /** 1 to 1,000 characters. */
  readonly key: string
}

export interface OnceClaim extends OnceKey {
  /** What was asked for, shortened to a digest. Another one under the same key is a mismatch, in every state. */
  readonly fingerprint: string
  /** For how long the claim holds unless it is renewed, 1 or more. */
  readonly leaseMs: number
  /** For how long the record of an effect that may have happened is kept once the lease is over. */
  readonly keepMs: number
  /** Whether this caller can decide about a record whose holder has vanished: then it gets the claim; otherwise it is told. */
  readonly takeOver: boolean
}

/** Proof of a claim. A higher fence is a later claim of the same key. */
export interface Held extends OnceKey {
  readonly fence: bigint
}

/** What a holder wrote down on its way. */
export interface Checkpoint {
  readonly step: string
  readonly data: Uint8Array
}

export type BeginAnswer =
  /** Nobody has begun it, or whoever had gave it up undone: the caller holds the claim. */
  | { readonly ok: true; readonly state: 'fresh'; readonly fence: bigint; readonly leaseMs: number }
  /** The holder has vanished, and the caller now holds the claim: the effect may have happened. */
  | {
      readonly ok: true
      readonly state: 'takeover'
      readonly fence: bigint
      readonly leaseMs: number
      /** Epoch ms, by the clock of the store, at which the first holder began. */
      readonly startedAt: number
      readonly checkpoints: readonly Checkpoint[]
    }
  /** The holder has vanished, and the caller did not ask to take over. Nothing has changed. */
  | { readonly ok: true; readonly state: 'unknown'; readonly startedAt: number }
  | { readonly ok: true; readonly state: 'done'; readonly result: Uint8Array }
  /** Somebody holds the claim; for `retryAfterMs` at least, unless the work ends before. */
  | { readonly ok: true; readonly state: 'busy'; readonly retryAfterMs: number }
  | { readonly ok: true; readonly state: 'mismatch' }

export type OnceRecord =
  | {
      readonly state: 'started'
      readonly fingerprint: string
      readonly fence: bigint
      readonly startedAt: number
      /** 0 when it is over, and the outcome unknown. */
      readonly leaseMs: number
      readonly checkpoints: readonly Checkpoint[]
    }
  | {
      readonly state: 'done'
      readonly fingerprint: string
      readonly fence: bigint
      readonly startedAt: number
      readonly doneAt: number
      /** For how long it is still kept. */
      readonly keptMs: number
      readonly result: Uint8Array
    }

/** Where the engine's profile says `txWithUserData`: a write that takes effect with the caller's own transaction, or not at all. */
export interface InTransaction<Tx> {
  readonly tx?: Tx
}

/**
 * An effect that happens once. `begin` is one linearizable step: of any number of callers one gets the claim. What is written
 * with a fence that is not the current one changes nothing. A lease that is over ends nothing by itself: its holder may renew,
 * checkpoint and commit until somebody has taken the claim over.
 */
export interface OncePort<Tx = unknown> extends Port {
  begin(claim: OnceClaim, options: WriteOptions): Promise<BeginAnswer | Unavailable | Ambiguous>
  /** The lease holds for another `leaseMs` from now. */
  renew(held: Held, leaseMs: number, options: WriteOptions): Promise<{ readonly ok: true } | Fenced | Unavailable | Ambiguous>
  /** Writes a step down; a later one of the same name takes its place. */
  checkpoint(
    held: Held,
    checkpoint: Checkpoint,
    options: WriteOptions & InTransaction<Tx>,
  ): Promise<{ readonly ok: true } | Fenced | Unavailable | Ambiguous>
  /** The effect has happened, and this came of it. It is kept for `keepMs` from now; then the key is as new. Frees the checkpoints. */
  commit(
    held: Held,
    result: Uint8Array,
    keepMs: number,
    options: WriteOptions & InTransaction<Tx>,
  ): Promise<{ readonly ok: true } | Fenced | Unavailable | Ambiguous>
  /**
   * Gives the claim up without a result. `forget`: nothing has happened, and the key is as new. `unknown`: it may have happened;
   * the lease is over now, and the next `begin` says so.
   */
  fail(held: Held, how: 'forget' | 'unknown', options: WriteOptions): Promise<{ readonly ok: true } | Fenced | Unavailable | Ambiguous>
  get(key: OnceKey, options: ReadOptions): Promise<{ readonly ok: true; readonly record: OnceRecord | undefined } | Unavailable>
}
