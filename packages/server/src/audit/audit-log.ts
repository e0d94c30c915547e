import { openDatabase, type Database, type Row, type SetAside } from '../state/index.ts'
import type { AuditView } from '../wire.ts'
import { genesisHash, makeRecord, recordHash, recordOfRow, type AuditEntry } from './audit-record.ts'
import { canonicalJson } from './canonical-json.ts'
import { auditMigrations } from './audit-schema.ts'

export interface AuditLogOptions {
  /** Epoch ms. */
  readonly wallNow: () => number
  /** Told of every record once it is on the disk. */
  readonly onRecord?: (record: AuditView) => void
  readonly onSetAside?: (file: SetAside) => void
  /** For those who only look: a damaged file is an error and stays where it is. @defaultValue false */
  readonly onlyReads?: boolean
}

/** Whether the chain is whole, and where it is not. */
export type AuditVerification =
  | { readonly ok: true; readonly count: number; readonly lastId: number; readonly lastHash: string }
  | { readonly ok: false; readonly brokenAt: number; readonly message: string }

const pageSize = 500

/**
 * Who changed what, when, why. Records are only ever added; each carries a hash over itself and the hash before it, so that a record
 * that was altered or taken out shows. What a record tells of is written to the same file in the same transaction: neither is ever
 * there without the other.
 */
export class AuditLog {
  readonly database: Database
  private readonly options: AuditLogOptions
  private head: { readonly id: number; readonly hash: string }

  /** @throws DatabaseError */
  constructor(path: string, options: AuditLogOptions) {
    this.options = options
    this.database = openDatabase(path, {
      durability: 'full',
      migrations: auditMigrations,
      keepsDamaged: options.onlyReads === true,
      ...(options.onSetAside === undefined ? {} : { onSetAside: options.onSetAside }),
    })
    const last = this.database.get('SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1')
    this.head = last === undefined ? this.anchor() : { id: Number(last['id']), hash: String(last['hash']) }
    const { setAside } = this.database
    if (setAside === undefined) return
    const { movedTo, reason } = setAside
    this.append({ who: 'holdfast', address: '', action: 'audit.began-anew', subject: 'audit log', after: { movedTo, why: reason } })
  }

  /**
   * Adds a record; `change` writes what belongs to it. When this returns, both are on the disk.
   * @throws DatabaseError when they could not be written; then neither is.
   */
  append(entry: AuditEntry, change?: (database: Database) => void): AuditView {
    const record = makeRecord(entry, this.head.id + 1, this.options.wallNow(), this.head.hash)
    this.database.transaction(() => {
      this.insert(record)
      change?.(this.database)
    })
    this.head = { id: record.id, hash: record.hash }
    this.options.onRecord?.(record)
    return record
  }

  /** The latest records before an id, newest first. */
  list(limit: number, before: number = Number.MAX_SAFE_INTEGER): readonly AuditView[] {
    return this.database.all('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?', before, limit).map(recordOfRow)
  }

  /** Reads the whole chain, a page at a time, letting others run in between. */
  async verify(): Promise<AuditVerification> {
    const verifier = new Verifier(this.anchor())
    for (;;) {
      const page = this.database.all('SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?', verifier.last.id, pageSize)
      const fault = verifier.take(page)
      if (fault !== undefined) return fault
      if (page.length < pageSize) return verifier.end(this.head)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }

  /**
   * Takes out the records from before an instant (epoch ms). A record of its own, `audit.pruned`, holds the id and the hash of the last
   * one that was taken out: from there on the chain is verified. Answers how many there were.
   */
  prune(olderThan: number): number {
    const row = this.database.get('SELECT count(*) AS count, max(id) AS last FROM audit WHERE at < ? AND id < ?', olderThan, this.head.id)
    const count = Number(row?.['count'])
    if (count === 0) return 0
    const lastId = Number(row?.['last'])
    const hash = String(this.database.get('SELECT hash FROM audit WHERE id = ?', lastId)?.['hash'])
    this.append(
      { who: 'holdfast', address: '', action: 'audit.pruned', subject: 'audit log', before: { count }, after: { lastId, hash, olderThan } },
      (database) => {
        database.run('INSERT INTO audit_anchor (last_id, hash) VALUES (?, ?)', lastId, hash)
        database.run('DELETE FROM audit WHERE id <= ?', lastId)
      },
    )
    return count
  }

  close(): void {
    this.database.close()
  }

  /** Where the chain begins: nowhere, or after the last record that was pruned. */
  private anchor(): { readonly id: number; readonly hash: string } {
    const row = this.database.get('SELECT last_id, hash FROM audit_anchor ORDER BY last_id DESC LIMIT 1')
    return row === undefined ? { id: 0, hash: genesisHash } : { id: Number(row['last_id']), hash: String(row['hash']) }
  }

  private insert(record: AuditView): void {
    const { id, at, who, address, action, subject, before, after, reason, expiresAt, hash } = record
    this.database.run(
      'INSERT INTO audit (id, at, who, address, action, subject, before, after, reason, expires_at, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      at,
      who,
      address,
      action,
      subject,
      canonicalJson(before),
      canonicalJson(after),
      reason,
      expiresAt,
      hash,
    )
  }
}

/** Follows a chain record by record. */
class Verifier {
  last: { readonly id: number; readonly hash: string }
  private readonly anchor: { readonly id: number; readonly hash: string }
  private count = 0
  /** The anchor must be vouched for by a record of the chain. */
  private anchorIsVouched: boolean

  constructor(anchor: { readonly id: number; readonly hash: string }) {
    this.anchor = anchor
    this.last = anchor
    this.anchorIsVouched = anchor.id === 0
  }

  take(page: readonly Row[]): AuditVerification | undefined {
    for (const row of page) {
      const record = recordOfRow(row)
      const { id, hash, action, after } = record
      if (id !== this.last.id + 1) return broken(this.last.id + 1, `record ${this.last.id + 1} is missing`)
      if (recordHash(this.last.hash, record) !== hash)
        return broken(id, `record ${id} does not fit its hash: it, or the one before it, was altered`)
      const vouched = after as { readonly lastId?: unknown; readonly hash?: unknown } | null
      if (action === 'audit.pruned' && vouched?.lastId === this.anchor.id && vouched.hash === this.anchor.hash) this.anchorIsVouched = true
      this.last = { id, hash }
      this.count++
    }
    return undefined
  }

  end(head: { readonly id: number }): AuditVerification {
    const { id, hash } = this.last
    if (!this.anchorIsVouched) return broken(this.anchor.id, `the records up to ${this.anchor.id} were taken out, and no record says so`)
    if (id < head.id) return broken(id + 1, `record ${id + 1} is missing`)
    return { ok: true, count: this.count, lastId: id, lastHash: hash }
  }
}

function broken(brokenAt: number, message: string): AuditVerification {
  return { ok: false, brokenAt, message }
}
