import type { AuditView } from '@holdfast/server/wire'

interface JoinedRecords {
  /** Newest first. */
  readonly records: readonly AuditView[]
  /** The known records were dropped, since some between them and the read ones are missing. */
  readonly isAnew: boolean
}

/** Known records and a page that was just read, newest first, each once, without a hole that nobody would see. */
export function joinRecords(known: readonly AuditView[], read: readonly AuditView[]): JoinedRecords {
  const newestKnown = known[0]?.id ?? 0
  const oldestRead = read.at(-1)?.id ?? 0
  if (known.length === 0 || oldestRead > newestKnown + 1) return { records: read, isAnew: true }
  const byId = new Map([...known, ...read].map((record) => [record.id, record]))
  return { records: [...byId.values()].toSorted((a, b) => b.id - a.id), isAnew: false }
}
