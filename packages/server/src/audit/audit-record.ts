import { createHash } from 'node:crypto'
import type { Row } from '../state/index.ts'
import type { AuditView } from '../wire.ts'
import { canonicalJson } from './canonical-json.ts'

/** Something that was changed, or that somebody tried. */
export interface AuditEntry {
  /** The name of a token; `holdfast` for what the server does by itself. */
  readonly who: string
  /** Of the client; empty for what the server does by itself. */
  readonly address: string
  /** Such as `policy.isolate`. */
  readonly action: string
  /** Id of a policy, name of a dependency, or what else it is about. */
  readonly subject: string
  /** Plain data; no secrets. */
  readonly before?: unknown
  readonly after?: unknown
  readonly reason?: string | null
  /** Epoch ms. */
  readonly expiresAt?: number | null
}

/** What stands before the first record of a chain. */
export const genesisHash: string = '0'.repeat(64)

type Unhashed = Omit<AuditView, 'hash'>

/** SHA-256, in hex, over the canonical JSON of `[hash before, record]`. */
export function recordHash(
  previousHash: string,
  { id, at, who, address, action, subject, before, after, reason, expiresAt }: Unhashed,
): string {
  const text = canonicalJson([previousHash, { id, at, who, address, action, subject, before, after, reason, expiresAt }])
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** An entry with its place in the chain. Data is what reading it back will give. */
export function makeRecord(entry: AuditEntry, id: number, at: number, previousHash: string): AuditView {
  const { who, address, action, subject, reason = null, expiresAt = null } = entry
  const [before, after] = [entry.before, entry.after].map((data) => JSON.parse(canonicalJson(data ?? null)) as unknown)
  const record = { id, at, who, address, action, subject, before, after, reason, expiresAt }
  return { ...record, hash: recordHash(previousHash, record) }
}

/** A record as it stands in the file. Data that is no JSON (somebody wrote to the file) is kept as text, so that its hash is wrong. */
export function recordOfRow(row: Row): AuditView {
  const { id, at, who, address, action, subject, before, after, reason, expires_at: expiresAt, hash } = row
  return {
    id: Number(id),
    at: Number(at),
    who: String(who),
    address: String(address),
    action: String(action),
    subject: String(subject),
    before: dataOf(String(before)),
    after: dataOf(String(after)),
    reason: reason === null ? null : String(reason),
    expiresAt: expiresAt === null ? null : Number(expiresAt),
    hash: String(hash),
  }
}

function dataOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return { unreadable: text }
  }
}
