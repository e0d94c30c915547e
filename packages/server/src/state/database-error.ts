export type DatabaseErrorCode =
  | 'ERR_DATABASE_FULL'
  | 'ERR_DATABASE_BUSY'
  | 'ERR_DATABASE_DAMAGED'
  | 'ERR_DATABASE_CONSTRAINT'
  | 'ERR_DATABASE_ACCESS'
  | 'ERR_DATABASE_NEWER'
  | 'ERR_DATABASE_CLOSED'
  | 'ERR_DATABASE'

/** A database file that could not be read or written, in one line with its path and the way out. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode
  readonly path: string
  constructor(code: DatabaseErrorCode, path: string, message: string, cause?: unknown) {
    super(`${path} ${message}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
  }
}
Object.defineProperty(DatabaseError.prototype, 'name', { value: 'DatabaseError' })

/** Primary result codes of SQLite: https://www.sqlite.org/rescode.html */
const meanings: Readonly<Record<number, readonly [DatabaseErrorCode, string]>> = {
  3: ['ERR_DATABASE_ACCESS', 'may not be used by this user'],
  5: ['ERR_DATABASE_BUSY', 'is held by another program: is a second server running on this folder?'],
  6: ['ERR_DATABASE_BUSY', 'is held by another program: is a second server running on this folder?'],
  8: ['ERR_DATABASE_ACCESS', 'may not be written by this user'],
  10: ['ERR_DATABASE_ACCESS', 'could not be read or written: check the disk'],
  11: ['ERR_DATABASE_DAMAGED', 'is damaged'],
  13: ['ERR_DATABASE_FULL', 'could not be written: the disk is full'],
  14: ['ERR_DATABASE_ACCESS', 'cannot be opened'],
  19: ['ERR_DATABASE_CONSTRAINT', 'refused the change'],
  26: ['ERR_DATABASE_DAMAGED', 'is no database'],
}

/** What the driver threw, as a {@link DatabaseError}; errors of others pass through. */
export function databaseError(error: unknown, path: string): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error
  if (error.message === 'The database connection is not open') return new DatabaseError('ERR_DATABASE_CLOSED', path, 'is closed', error)
  const { rawCode, code } = error as { rawCode?: unknown; code?: unknown }
  if (typeof rawCode === 'number') {
    // the low byte is the primary code, the rest says more
    const [meaning, message] = meanings[rawCode & 0xff] ?? ['ERR_DATABASE', 'could not be used']
    return new DatabaseError(meaning, path, `${message} (${typeof code === 'string' ? code : rawCode}: ${error.message})`, error)
  }
  if (error.message.startsWith('ConnectionFailed')) return new DatabaseError('ERR_DATABASE_ACCESS', path, 'cannot be opened', error)
  return error
}
