import type { ReadOptions, Resolution } from './answers.ts'

/** What an engine promises. A feature that needs more refuses to start, and says which engine would do. */
export interface Profile {
  /** Such as `'memory'` or `'redis'`. */
  readonly engine: string
  /** Who shares what it stores. */
  readonly scope: 'process' | 'host' | 'region' | 'global'
  /** Whose clock ends leases and refills limits. */
  readonly clock: 'local' | 'server'
  /** What an acknowledged write survives: nothing, most crashes, a crash of the machine, the loss of a minority of machines. */
  readonly durability: 'memory' | 'async' | 'fsync' | 'quorum'
  /** What a read may miss: recent writes, those lost in a failover, nothing. */
  readonly consistency: 'eventual' | 'primary' | 'linearizable'
  /** Whether a holder that lost its lease is told so by a number the store checks. */
  readonly fencing: boolean
  /** Whether a write can be part of the caller's own transaction. */
  readonly txWithUserData: boolean
  /** The last `count` attempts that changed something are remembered, for `forMs` each. */
  readonly attempts: { readonly forMs: number; readonly count: number }
}

/** What all ports have. No verb rejects for what a network or a store does: those are values. */
export interface Port {
  readonly profile: Profile
  /** Whether the engine answers at the moment. */
  ready(options: ReadOptions): Promise<boolean>
  /** What became of the request that was sent as `attempt`: see {@link Resolution}. Linearizable with all verbs of the port. */
  resolve(attempt: string, options: ReadOptions): Promise<Resolution>
  /** Gives back what the client holds. All verbs answer `unavailable` from then on. */
  close(): Promise<void>
}
