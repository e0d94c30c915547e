import type { HttpBindings } from '@hono/node-server'
import type { ClientOrigin } from '../gateway/client-origin.ts'
import type { AuditEntry } from '../audit/index.ts'
import type { AuditView } from '../wire.ts'
import type { Role } from './tokens.ts'

/** Whom a request comes from. */
export interface Identity {
  /** The name of the token. */
  readonly name: string
  readonly role: Role
  readonly via: 'bearer' | 'session'
  /** Epoch ms at which the session ends; null for a bearer token. */
  readonly expiresAt: number | null
  /** Whether the token or the session still is one. */
  readonly stillHolds: () => boolean
}

/** What somebody changes, put on record in their name. */
export type ChangeEntry = Omit<AuditEntry, 'who' | 'address'>

/** What node:http hands to the control routes, and what the guard before them found out. */
export interface ControlEnvironment {
  Bindings: HttpBindings
  Variables: {
    readonly origin: ClientOrigin
    readonly identity: Identity | undefined
    /** What a POST brought. */
    readonly bodyText: string
    /**
     * Puts a change on record, before it is carried out.
     * @throws DatabaseError when it cannot be written: then the change must not be made. It is answered with 503.
     */
    readonly record: (entry: ChangeEntry) => AuditView
  }
}
