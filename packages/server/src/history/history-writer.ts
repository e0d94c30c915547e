import type { EventView, Marker } from '../wire.ts'
import { DatabaseError } from '../state/index.ts'
import type { HistoryBatch, HistoryStore } from './history-store.ts'
import type { StateChange } from './state-timeline.ts'

export interface HistoryWriterOptions {
  /** Opens the file. */
  readonly open: () => HistoryStore
  /** Monotonic ms. */
  readonly now: () => number
  /** Told when writing begins to fail, and (undefined) when it works again. */
  readonly onProblem: (problem: string | undefined) => void
  /** A file was opened: for the first time, or again. */
  readonly onOpen: (store: HistoryStore) => void
}

/** Milliseconds between attempts to write to a file that cannot be written. */
const writeAgainAfterMs = 30_000
/** Changes, events and markers that wait for the file; buckets do not. */
const maxWaiting = 1_000

/**
 * Writes the history, and lives without a file: a full disk, a damaged file, a folder that is gone never reach the gateway. What
 * waits is bounded; buckets of the time in which nothing can be written are only in memory.
 */
export class HistoryWriter {
  /** Batches that could not be written. */
  failures = 0
  /** Why nothing can be written now. */
  problem: string | undefined = undefined
  /** Milliseconds that writing has taken. */
  spentMs = 0
  private readonly options: HistoryWriterOptions
  private store: HistoryStore | undefined = undefined
  private blockedUntil = -Infinity
  private changes: HistoryBatch['changes'][number][] = []
  private events: EventView[] = []
  private markers: Marker[] = []

  constructor(options: HistoryWriterOptions) {
    this.options = options
    this.read(() => undefined)
  }

  addChange(dependency: string, change: StateChange): void {
    bounded(this.changes, { ...change, dependency })
  }

  addEvent(event: EventView): void {
    bounded(this.events, event)
  }

  addMarker(marker: Marker): void {
    bounded(this.markers, marker)
  }

  /** Writes what waits, with these buckets. Never throws. */
  flush(at: number, buckets: HistoryBatch['buckets'] = []): void {
    const { changes, events, markers } = this
    if (buckets.length === 0 && changes.length === 0 && events.length === 0 && markers.length === 0) return
    const startedAt = this.options.now()
    const written = this.read((store) => {
      store.save({ at, buckets, changes, events, markers })
      return true
    })
    this.spentMs += this.options.now() - startedAt
    if (written !== true) return
    this.changes = []
    this.events = []
    this.markers = []
  }

  /** The clock was set back: see {@link HistoryStore.cut}. */
  cut(at: number): void {
    this.changes = this.changes.filter(({ from }) => from <= at)
    this.markers = this.markers.filter((marker) => marker.at <= at)
    this.read((store) => store.cut(at))
  }

  stop(at: number): void {
    this.read((store) => store.stop(at))
    this.store?.close()
    this.store = undefined
    this.blockedUntil = Infinity
  }

  /** Does something with the file, unless it was found unusable a moment ago; undefined when it cannot be done. */
  read<T>(work: (store: HistoryStore) => T): T | undefined {
    if (this.options.now() < this.blockedUntil) return undefined
    try {
      if (this.store === undefined) {
        this.store = this.options.open()
        this.options.onOpen(this.store)
      }
      const result = this.attempt(this.store, work)
      this.settle(undefined)
      return result
    } catch (error) {
      this.failures++
      this.blockedUntil = this.options.now() + writeAgainAfterMs
      // a full or busy file is the right one; any other is opened again, and set aside then if it is damaged
      const code = error instanceof DatabaseError ? error.code : undefined
      if (code !== 'ERR_DATABASE_FULL' && code !== 'ERR_DATABASE_BUSY') {
        this.store?.close()
        this.store = undefined
      }
      this.settle(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  /** A file that has reached its limit makes room, once; a full disk stays full. */
  private attempt<T>(store: HistoryStore, work: (store: HistoryStore) => T): T {
    try {
      return work(store)
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== 'ERR_DATABASE_FULL') throw error
      store.makeRoom()
      return work(store)
    }
  }

  private settle(problem: string | undefined): void {
    const { problem: before } = this
    this.problem = problem
    if ((before === undefined) !== (problem === undefined)) this.options.onProblem(problem)
  }
}

function bounded<T>(waiting: T[], item: T): void {
  waiting.push(item)
  if (waiting.length > maxWaiting) waiting.shift()
}
