import { openDatabase, type Database, type SetAside } from '../state/index.ts'
import type { Bucket, EventView, Marker } from '../wire.ts'
import { packBuckets, unpackBuckets, type StoredBucket } from './bucket-rows.ts'
import type { EventQuery } from './event-log.ts'
import { historyMigrations } from './history-schema.ts'
import { bucketsPerRange, resolutions } from './resolutions.ts'
import type { StateChange } from './state-timeline.ts'
import type { Tally } from './tally.ts'

export interface HistoryLimits {
  /** For how long anything is kept, in ms. */
  readonly maxAge: number
  /** Largest size of the file, in bytes. */
  readonly maxSize: number
}

/** All that is written at once. */
export interface HistoryBatch {
  readonly at: number
  readonly buckets: readonly {
    readonly resolution: number
    readonly number: number
    readonly entries: readonly { readonly dependency: string; readonly tally: Tally; readonly bucket: Bucket }[]
  }[]
  readonly changes: readonly (StateChange & { readonly dependency: string })[]
  readonly events: readonly EventView[]
  readonly markers: readonly Marker[]
}

/** How the run before this one ended. */
export interface EarlierRun {
  /** The last instant of which anything is known. */
  readonly endedAt: number
  /** Whether it was stopped, and did not just end. */
  readonly clean: boolean
}

const maxEvents = 50_000
const maxRuns = 100
/** Share of the allowed size that may be full before the oldest is given up. */
const roomyShare = 0.85

/** The history as a file. All methods throw what the database throws. */
export class HistoryStore {
  readonly setAside: SetAside | undefined
  readonly earlier: EarlierRun | undefined
  private readonly database: Database
  private readonly limits: HistoryLimits
  private readonly run: string
  private dependencies = new Map<string, number>()

  constructor(path: string, limits: HistoryLimits, run: { readonly name: string; readonly at: number }) {
    this.limits = limits
    this.run = run.name
    this.database = openDatabase(path, { durability: 'normal', migrations: historyMigrations })
    this.setAside = this.database.setAside
    // a program that holds the file must not hold up the gateway
    this.database.get('PRAGMA busy_timeout = 20')
    this.earlier = this.readEarlier(run.name)
    this.prune(run.at)
    this.limitSize()
    this.database.run(
      'INSERT OR IGNORE INTO run (name, started_at, alive_at, last_event) VALUES (?, ?, ?, ?)',
      run.name,
      run.at,
      run.at,
      this.lastEventId,
    )
  }

  get lastEventId(): number {
    return Number(
      this.database.get('SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(last_event) FROM run), 0)) AS last')?.[
        'last'
      ],
    )
  }

  save({ at, buckets, changes, events, markers }: HistoryBatch): void {
    const { database } = this
    try {
      database.transaction(() => {
        for (const { resolution, number, entries } of buckets) {
          const row = packBuckets(
            entries.map((entry) => ({ ...entry, dependency: this.idOf(entry.dependency) })),
            resolution === 0,
          )
          database.run('INSERT OR REPLACE INTO buckets (resolution, number, row) VALUES (?, ?, ?)', resolution, number, row)
        }
        for (const { dependency, from, state, forced } of changes)
          database.run('INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)', this.idOf(dependency), from, state, forced ? 1 : 0)
        for (const { id, at: eventAt, type, policy, data } of events)
          database.run('INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)', id, eventAt, type, policy, JSON.stringify(data))
        for (const marker of markers)
          database.run('INSERT INTO marker (at, kind, text) VALUES (?, ?, ?)', marker.at, marker.kind, marker.text)
        const lastEvent = events.at(-1)?.id
        if (lastEvent !== undefined) database.run('UPDATE run SET last_event = ? WHERE name = ?', lastEvent, this.run)
        database.run('UPDATE run SET alive_at = ? WHERE name = ?', at, this.run)
      })
    } catch (error) {
      this.dependencies = new Map() // those made within the transaction are gone with it
      throw error
    }
  }

  /** Visits the buckets of a resolution from a number on, oldest first. */
  eachBucket(
    { resolution, from, withLatencies = false }: { readonly resolution: number; readonly from: number; readonly withLatencies?: boolean },
    visit: (name: string, number: number, stored: StoredBucket) => void,
  ): void {
    const names = this.names()
    const rows = this.database.all('SELECT number, row FROM buckets WHERE resolution = ? AND number >= ? ORDER BY number', resolution, from)
    for (const { number, row } of rows) {
      unpackBuckets(row as Uint8Array, withLatencies, (stored) => {
        const name = names.get(stored.dependency)
        if (name !== undefined) visit(name, Number(number), stored)
      })
    }
  }

  lastBucket(resolution: number): number | undefined {
    const last = this.database.get('SELECT max(number) AS last FROM buckets WHERE resolution = ?', resolution)?.['last']
    return typeof last === 'number' ? last : undefined
  }

  /** The latest changes of a dependency's state, oldest first. */
  changes(dependency: string, limit: number): StateChange[] {
    return this.database
      .all(
        'SELECT from_at, state, forced FROM state WHERE dependency = (SELECT id FROM dependency WHERE name = ?) ORDER BY from_at DESC LIMIT ?',
        dependency,
        limit,
      )
      .map((row) => ({ from: Number(row['from_at']), state: row['state'] as StateChange['state'], forced: row['forced'] === 1 }))
      .toReversed()
  }

  markers(from: number): Marker[] {
    return this.database
      .all('SELECT at, kind, text FROM marker WHERE at >= ? ORDER BY at, id', from)
      .map(({ at, kind, text }) => ({ at: Number(at), kind: kind as Marker['kind'], text: String(text) }))
  }

  /** The newest of those asked for (the oldest of them when only later ones than `after` are wanted), oldest first. */
  events({ after, before, policy, type, limit }: EventQuery): EventView[] {
    const forward = after !== undefined && before === undefined
    const found = this.database.all(
      `SELECT id, at, type, policy, data FROM event WHERE id > ?1 AND id < ?2
       AND (?3 IS NULL OR policy = ?3) AND (?4 IS NULL OR type = ?4) ORDER BY id ${forward ? 'ASC' : 'DESC'} LIMIT ?5`,
      after ?? 0,
      before ?? Number.MAX_SAFE_INTEGER,
      policy ?? null,
      type ?? null,
      limit,
    )
    const events = found.map((row) => ({
      id: Number(row['id']),
      type: String(row['type']),
      policy: String(row['policy']),
      at: Number(row['at']),
      data: JSON.parse(String(row['data'])) as Record<string, unknown>,
    }))
    return forward ? events : events.toReversed()
  }

  /** Whether all events of a run after one of its ids are still here. */
  knows(run: string, id: number): boolean {
    const row = this.database.get('SELECT last_event FROM run WHERE name = ?', run)
    if (row === undefined || id > Number(row['last_event'])) return false
    const oldest = this.database.get('SELECT min(id) AS oldest FROM event')?.['oldest']
    return typeof oldest !== 'number' || id >= oldest - 1
  }

  /** The run before has ended: since then no dependency's state is known. */
  endStates(at: number): void {
    this.database.run(
      `INSERT OR REPLACE INTO state SELECT dependency, max(from_at + 1, ?), 'unknown', 0 FROM state AS last
       WHERE from_at = (SELECT max(from_at) FROM state WHERE dependency = last.dependency) AND state <> 'unknown'`,
      at,
    )
  }

  /** The clock was set back: what carries later times is taken out; events keep the times they were given. */
  cut(at: number): void {
    this.database.transaction(() => {
      resolutions.forEach(({ stepMs }, resolution) => {
        this.database.run('DELETE FROM buckets WHERE resolution = ? AND number >= ?', resolution, Math.floor(at / stepMs))
      })
      this.database.run('DELETE FROM state WHERE from_at > ?', at)
      this.database.run('DELETE FROM marker WHERE at > ?', at)
    })
  }

  /** Takes out what is too old, and the oldest when all of it is too large. */
  prune(at: number): void {
    const { database, limits } = this
    database.transaction(() => {
      resolutions.forEach(({ stepMs, storedForMs }, resolution) => {
        const oldest = Math.floor((at - Math.min(storedForMs, limits.maxAge)) / stepMs)
        database.run('DELETE FROM buckets WHERE resolution = ? AND number < ?', resolution, oldest)
      })
      const oldest = at - limits.maxAge
      database.run(
        'DELETE FROM state WHERE from_at < (SELECT max(from_at) FROM state AS later WHERE later.dependency = state.dependency AND later.from_at <= ?)',
        oldest,
      )
      database.run('DELETE FROM marker WHERE at < ?', oldest)
      database.run('DELETE FROM event WHERE at < ? OR id <= (SELECT max(id) FROM event) - ?', oldest, maxEvents)
      database.run('DELETE FROM run WHERE id <= (SELECT max(id) FROM run) - ?', maxRuns)
    })
    for (let round = 0; round < 16 && this.usedBytes() > limits.maxSize * roomyShare; round++) this.giveUpOldest()
  }

  /** The file may not grow: the oldest makes room. */
  makeRoom(): void {
    for (let round = 0; round < 16 && this.usedBytes() > this.limits.maxSize / 2; round++) this.giveUpOldest()
  }

  stop(at: number): void {
    this.database.run('UPDATE run SET stopped_at = ?, alive_at = ? WHERE name = ?', at, at, this.run)
  }

  close(): void {
    this.database.close()
  }

  private giveUpOldest(): void {
    const { database } = this
    database.transaction(() => {
      database.run('DELETE FROM event WHERE id <= (SELECT (min(id) + max(id)) / 2 FROM event)')
      database.run('DELETE FROM marker WHERE id <= (SELECT (min(id) + max(id)) / 2 FROM marker)')
      for (const resolution of resolutions.keys()) {
        const share = Math.ceil(bucketsPerRange / 4)
        database.run(
          'DELETE FROM buckets WHERE resolution = ?1 AND number IN (SELECT number FROM buckets WHERE resolution = ?1 ORDER BY number LIMIT ?2)',
          resolution,
          share,
        )
      }
      database.run('DELETE FROM state WHERE from_at < (SELECT (min(from_at) + max(from_at)) / 2 FROM state)')
    })
  }

  private usedBytes(): number {
    const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) => this.pragma(name)) as [number, number, number]
    return (pages - free) * size
  }

  /** SQLite itself refuses to let the file grow beyond its limit. */
  private limitSize(): void {
    const size = this.pragma('page_size')
    const most = Math.max(16, Math.floor(this.limits.maxSize / size))
    if (this.pragma('page_count') > most) this.database.exec('VACUUM')
    this.database.get(`PRAGMA max_page_count = ${most}`)
    this.database.get(`PRAGMA journal_size_limit = ${Math.min(this.limits.maxSize, 8 * 1024 * 1024)}`)
  }

  private pragma(name: string): number {
    return Number(this.database.get(`PRAGMA ${name}`)?.[name])
  }

  private readEarlier(run: string): EarlierRun | undefined {
    const row = this.database.get('SELECT alive_at, stopped_at FROM run WHERE name <> ? ORDER BY id DESC LIMIT 1', run)
    if (row === undefined) return undefined
    return { endedAt: Number(row['stopped_at'] ?? row['alive_at']), clean: row['stopped_at'] !== null }
  }

  private names(): Map<number, string> {
    return new Map(this.database.all('SELECT id, name FROM dependency').map(({ id, name }) => [Number(id), String(name)]))
  }

  private idOf(name: string): number {
    const known = this.dependencies.get(name)
    if (known !== undefined) return known
    this.database.run('INSERT OR IGNORE INTO dependency (name) VALUES (?)', name)
    const id = Number(this.database.get('SELECT id FROM dependency WHERE name = ?', name)?.['id'])
    this.dependencies.set(name, id)
    return id
  }
}
