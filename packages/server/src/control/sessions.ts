import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from 'holdfast'
import type { Token, Tokens } from './tokens.ts'

export interface SessionOptions {
  readonly clock: Clock
  /** A session lasts no longer than its token. */
  readonly tokens: Tokens
  readonly maxAgeMs: number
  readonly idleTimeoutMs: number
  readonly max: number
}

export interface Session {
  readonly token: Token
  /** Epoch ms at which it ends at the latest. */
  readonly expiresAt: number
}

interface Entry extends Session {
  readonly endsAt: number
  usedAt: number
}

/** Who is logged in, by the hash of a random id that only the browser knows. In memory only: a restart ends all. */
export class Sessions {
  private readonly options: SessionOptions
  /** The longest unused first. */
  private readonly entries = new Map<string, Entry>()

  constructor(options: SessionOptions) {
    this.options = options
  }

  get maxAgeMs(): number {
    return this.options.maxAgeMs
  }

  get count(): number {
    this.dropEnded()
    return this.entries.size
  }

  begin(token: Token): { readonly id: string; readonly session: Session } {
    const { clock, maxAgeMs, max } = this.options
    this.dropEnded()
    for (const key of this.entries.keys()) {
      if (this.entries.size < max) break
      this.entries.delete(key)
    }
    const id = randomBytes(32).toString('base64url')
    const now = clock.now()
    const entry = { token, expiresAt: clock.wallNow() + maxAgeMs, endsAt: now + maxAgeMs, usedAt: now }
    this.entries.set(hash(id), entry)
    return { id, session: entry }
  }

  /** The session of an id, which counts as used by this. */
  use(id: string): Session | undefined {
    const key = hash(id)
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    this.entries.delete(key)
    const now = this.options.clock.now()
    const token = this.options.tokens.current(entry.token)
    if (token === undefined || this.hasEnded(entry, now)) return undefined
    const used = { ...entry, token, usedAt: now }
    this.entries.set(key, used)
    return used
  }

  end(id: string): void {
    this.entries.delete(hash(id))
  }

  private hasEnded({ endsAt, usedAt }: Entry, now: number): boolean {
    return now >= endsAt || now - usedAt >= this.options.idleTimeoutMs
  }

  private dropEnded(): void {
    const now = this.options.clock.now()
    for (const [key, entry] of this.entries) {
      if (this.hasEnded(entry, now) || this.options.tokens.current(entry.token) === undefined) this.entries.delete(key)
    }
  }
}

function hash(id: string): string {
  return createHash('sha256').update(id, 'utf8').digest('hex')
}
