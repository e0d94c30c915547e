import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Libsql from 'libsql'
import { databaseError, DatabaseError } from './database-error.ts'
import { setAside, unusableFile, type SetAside } from './set-aside.ts'

/** What a column holds. Blobs come back as `Uint8Array`. */
export type Value = string | number | null | Uint8Array

export type Row = Readonly<Record<string, Value>>

export interface OpenDatabaseOptions {
  /** `full`: a committed change survives a power cut. `normal`: it survives the end of the process; a power cut may take the latest. */
  readonly durability: 'full' | 'normal'
  /**
   * SQL that makes the schema, one text per version, each carried out once and whole. Add to the end; what stands there already is
   * never changed.
   */
  readonly migrations: readonly string[]
  /** Told of a damaged file that was moved out of the way before a new one was begun. */
  readonly onSetAside?: (file: SetAside) => void
  /** A damaged file stays where it is, and opening it is an error. @defaultValue false */
  readonly keepsDamaged?: boolean
}

/** A SQLite file. Everything is synchronous. Every failure is a {@link DatabaseError}. */
export interface Database {
  readonly path: string
  /** The damaged file that stood here before, if there was one. */
  readonly setAside: SetAside | undefined
  /** Statements without parameters. */
  exec(sql: string): void
  /** One statement that changes something. Statements are prepared once. */
  run(sql: string, ...values: readonly Value[]): { readonly changes: number; readonly lastId: number }
  get(sql: string, ...values: readonly Value[]): Row | undefined
  all(sql: string, ...values: readonly Value[]): Row[]
  /** All of it or nothing. Not to be nested. */
  transaction<T>(work: () => T): T
  /** Brings the log into the file. Closing twice does no harm. */
  close(): void
}

/**
 * Opens a database, or begins one. A damaged or unreadable file is renamed to `<path>.damaged-<time>` and a new one is begun.
 * @throws DatabaseError when the folder cannot be written, or the file was written by a newer version.
 */
export function openDatabase(path: string, options: OpenDatabaseOptions): Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return open(path, options, undefined)
  } catch (error) {
    const known = databaseError(error, path)
    const reason = damage(known, path)
    if (reason === undefined || options.keepsDamaged === true) throw asAccessError(known, path)
    const moved = setAside(path, reason, Date.now())
    options.onSetAside?.(moved)
    return open(path, options, moved)
  }
}

function open(path: string, { durability, migrations }: OpenDatabaseOptions, moved: SetAside | undefined): Database {
  // SQLite gives its log files the permissions of the database
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  const connection = new Libsql(path)
  try {
    connection.exec(
      `PRAGMA busy_timeout = 250; PRAGMA foreign_keys = ON; PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`,
    )
    connection.prepare('PRAGMA journal_mode = WAL').get()
    const check = connection.prepare('PRAGMA quick_check(1)').get() as { readonly quick_check?: unknown }
    if (check.quick_check !== 'ok') throw new DatabaseError('ERR_DATABASE_DAMAGED', path, `is damaged (${String(check.quick_check)})`)
    const database = new SqliteDatabase(path, connection, moved)
    migrate(database, migrations)
    return database
  } catch (error) {
    connection.close()
    throw databaseError(error, path)
  }
}

function migrate(database: Database, migrations: readonly string[]): void {
  const version = Number(database.get('PRAGMA user_version')?.['user_version'])
  if (version > migrations.length) {
    const known = `it has version ${version}, and this program knows up to ${migrations.length}`
    throw new DatabaseError(
      'ERR_DATABASE_NEWER',
      database.path,
      `was written by a newer version of Holdfast (${known}): update, or move it away`,
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue
    database.transaction(() => {
      database.exec(sql)
      database.exec(`PRAGMA user_version = ${index + 1}`)
    })
  }
}

/** Why a file must be set aside; undefined when it need not be. */
function damage(error: unknown, path: string): string | undefined {
  if (error instanceof DatabaseError && error.code === 'ERR_DATABASE_DAMAGED') return error.message.slice(path.length + 1)
  return unusableFile(path)
}

function asAccessError(error: unknown, path: string): unknown {
  const { code } = error as { readonly code?: unknown }
  if (error instanceof DatabaseError || typeof code !== 'string') return error
  return new DatabaseError(
    'ERR_DATABASE_ACCESS',
    path,
    `cannot be opened (${code}): set server.dataDir to a folder that this user may write`,
    error,
  )
}

class SqliteDatabase implements Database {
  readonly path: string
  readonly setAside: SetAside | undefined
  private readonly connection: Libsql.Database
  private readonly statements = new Map<string, Libsql.Statement>()
  private isOpen = true

  constructor(path: string, connection: Libsql.Database, moved: SetAside | undefined) {
    this.path = path
    this.connection = connection
    this.setAside = moved
  }

  exec(sql: string): void {
    this.attempt(() => this.connection.exec(sql))
  }

  run(sql: string, ...values: readonly Value[]): { readonly changes: number; readonly lastId: number } {
    const { changes, lastInsertRowid } = this.attempt(() => this.statement(sql).run([...values]))
    return { changes, lastId: Number(lastInsertRowid) }
  }

  get(sql: string, ...values: readonly Value[]): Row | undefined {
    const row = this.attempt(() => this.statement(sql).get([...values])) as Record<string, unknown> | undefined
    return row === undefined ? undefined : columns(row)
  }

  all(sql: string, ...values: readonly Value[]): Row[] {
    const rows = this.attempt(() => this.statement(sql).all([...values])) as Record<string, unknown>[]
    return rows.map(columns)
  }

  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite takes some failed transactions back by itself
      if (this.isOpen && this.connection.inTransaction) this.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    if (!this.isOpen) return
    this.statements.clear()
    try {
      this.connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
    } catch {
      // a full disk, or another reader: the log stays and is brought in at the next opening
    }
    this.isOpen = false
    this.connection.close()
  }

  private statement(sql: string): Libsql.Statement {
    const known = this.statements.get(sql)
    if (known !== undefined) return known
    const statement = this.connection.prepare(sql)
    this.statements.set(sql, statement)
    return statement
  }

  private attempt<T>(work: () => T): T {
    if (!this.isOpen) throw new DatabaseError('ERR_DATABASE_CLOSED', this.path, 'is closed')
    try {
      return work()
    } catch (error) {
      throw databaseError(error, this.path)
    }
  }
}

/** A row without what the driver adds to it. */
function columns({ _metadata, ...row }: Record<string, unknown>): Row {
  for (const [name, value] of Object.entries(row)) {
    // the driver answers blobs in one of two forms
    if (value instanceof ArrayBuffer || Buffer.isBuffer(value)) row[name] = new Uint8Array(value)
  }
  return row as Row
}
