import { randomUUID } from 'node:crypto'
import type { PolicyEvent } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import type { Bucket, DependencyHistory, EventView, HistoryRange, Marker, WallHistory } from '../wire.ts'
import type { DependencyRecorder } from './dependency-recorder.ts'
import { EventLog, isAskedFor, type EventQuery } from './event-log.ts'
import { withForcedMark } from './forced-mark.ts'
import { dependencyHistory, wallHistory, type HistorySource } from './history-answers.ts'
import { HistoryClock } from './history-clock.ts'
import { HistoryStore, type EarlierRun, type HistoryBatch, type HistoryLimits } from './history-store.ts'
import { HistoryWriter } from './history-writer.ts'
import type { StateReading } from './policy-state.ts'
import { RecordedDependencies, type RecordedDependency } from './recorded-dependencies.ts'
import { finestStepMs } from './resolutions.ts'
import { restore } from './restore.ts'
import { subjectOf } from './subject-of.ts'

export interface HistoryOptions extends HistoryLimits {
  readonly system: FaultTolerantSystem
  /** The file; without one the history is in memory only. */
  readonly path: string | undefined
  readonly version: string
  /** Whether somebody has set a policy's state by hand. */
  readonly isForced?: (policy: string) => boolean
  /** Told when the file cannot be written, and (undefined) when it can be again. */
  readonly onProblem?: (problem: string | undefined) => void
  /** Told of a damaged file that was moved out of the way. */
  readonly onSetAside?: (file: { readonly path: string; readonly movedTo: string; readonly reason: string }) => void
}

/** A bucket of the finest resolution that has just ended. */
export interface EndedBucket {
  readonly number: number
  readonly from: number
  readonly stepMs: number
}

type RowEntry = HistoryBatch['buckets'][number]['entries'][number]

const tickMs = 1_000
const pruneEveryMs = 60_000
const maxMarkers = 500
const maxNoteLength = 500

/**
 * What happened, for as long as the configuration says: per dependency in buckets of time, the states it was in, markers, events.
 * Recording a request adds to a few counters; everything else is done once a second.
 */
export class History {
  /** Another one after a restart of the server. */
  readonly run: string = randomUUID()
  readonly events: EventLog
  readonly startedAt: number
  private readonly options: HistoryOptions
  private readonly recorded: RecordedDependencies
  private readonly time: HistoryClock
  private readonly endEvents: () => void
  private writer: HistoryWriter | undefined = undefined
  private markers: Marker[] = []
  private openNumber: number
  private at: number
  private prunedAt: number
  private ended: EndedBucket | undefined = undefined
  private timer: { cancel(): void } | undefined = undefined
  private storedUpTo = 0
  private wasOpened = false

  constructor(options: HistoryOptions) {
    this.options = options
    const { system } = options
    this.time = new HistoryClock(system.clock)
    this.at = system.clock.wallNow()
    this.startedAt = this.at
    this.prunedAt = this.at
    this.openNumber = Math.floor(this.at / finestStepMs)
    this.recorded = new RecordedDependencies({
      system,
      isForced: (policy) => options.isForced?.(policy) ?? false,
      onChange: (name, change) => this.writer?.addChange(name, change),
      restore: (recorder) => this.writer?.read((store) => restore(store, new Map([[recorder.name, recorder]]), this.at)),
    })
    this.events = new EventLog({ subjectOf: (event) => subjectOf(event, (id) => system.has(id)) })
    this.endEvents = system.on((event) => this.addEvent(withForcedMark(event)))
    this.addMarker('start', `Holdfast ${options.version} started`)
    this.scheduleTick()
  }

  /**
   * Goes on where the run before ended, and stores what happens from now on. To be called when it is sure that this server runs: two
   * servers must not write to one file. Without a `path` it does nothing.
   */
  open(): void {
    const { system, path } = this.options
    if (path === undefined || this.writer !== undefined) return
    const writer = new HistoryWriter({
      open: () => new HistoryStore(path, this.options, { name: this.run, at: this.startedAt }),
      now: () => system.clock.now(),
      onProblem: (problem) => this.options.onProblem?.(problem),
      onOpen: (store) => this.opened(store),
    })
    this.writer = writer
    for (const event of this.events.after(this.storedUpTo)) writer.addEvent(event)
    for (const marker of this.markers) if (marker.at >= this.startedAt) writer.addMarker(marker)
    for (const { name, timeline } of this.recorded.recorders) if (timeline.last !== undefined) writer.addChange(name, timeline.last)
  }

  /** Why the history is not being stored; undefined while it is, or is not meant to be. */
  get problem(): string | undefined {
    return this.writer?.problem
  }

  get writeFailures(): number {
    return this.writer?.failures ?? 0
  }

  /** Milliseconds spent on writing so far. */
  get writingMs(): number {
    return this.writer?.spentMs ?? 0
  }

  /** The last bucket of the finest resolution that has ended. */
  get lastEnded(): EndedBucket | undefined {
    return this.ended
  }

  /**
   * Records a dependency from now on. One of a name that is known goes on as before: counters, buckets and states stay; only its
   * policies and what counts as a failure are new.
   */
  add(dependency: RecordedDependency): void {
    this.recorded.add(dependency, this.now())
  }

  /** The recorder of a dependency that is, or is about to be, added: its gates belong into the dependency's pipeline. */
  prepare(name: string): DependencyRecorder {
    return this.recorded.prepare(name)
  }

  /** Ends the recording of a dependency that is no more. What is stored of it stays until it is too old. */
  remove(name: string): void {
    this.recorded.remove(name, this.now())
  }

  recorder(name: string): DependencyRecorder | undefined {
    return this.recorded.recorder(name)
  }

  /** Names in the order in which they were added. */
  names(): readonly string[] {
    return this.recorded.names
  }

  policiesOf(name: string): readonly string[] {
    return this.recorded.policiesOf(name)
  }

  /** Names of the dependencies that a policy stands before. */
  dependenciesOf(policy: string): readonly string[] {
    return this.recorded.dependenciesOf(policy)
  }

  /** Something that concerns all, on the time axis. */
  addMarker(kind: Marker['kind'], text: string): Marker {
    const marker = { at: this.now(), kind, text: text.slice(0, maxNoteLength) }
    this.markers.push(marker)
    if (this.markers.length > maxMarkers) this.markers.shift()
    this.writer?.addMarker(marker)
    return marker
  }

  addEvent(event: PolicyEvent): EventView | undefined {
    const view = this.events.add(event)
    if (view !== undefined) this.writer?.addEvent(view)
    if (/^(circuit|limiter|control|system)\./.test(event.type)) this.observeBehind(view?.policy ?? event.policy)
    return view
  }

  /** Puts the events there are into the file, so that no viewer has seen what a restart does not know. */
  storeEvents(): void {
    if (this.storedUpTo === this.events.lastId) return
    this.storedUpTo = this.events.lastId
    this.writer?.flush(this.now())
  }

  /** Events asked for, oldest first: from memory where it reaches, else from the file. */
  findEvents(query: EventQuery): readonly EventView[] {
    const { after, before, limit } = query
    const found = this.events.after(0).filter((event) => isAskedFor(event, query))
    const forward = after !== undefined && before === undefined
    const reachesBack = after !== undefined && after + 1 >= this.events.oldestId
    if (this.writer !== undefined && !reachesBack && (forward || found.length < limit)) {
      this.storeEvents()
      const stored = this.writer.read((store) => store.events(query))
      if (stored !== undefined) return stored
    }
    return forward ? found.slice(0, limit) : found.slice(-limit)
  }

  /** Whether all events after an id that a run of this server gave can still be told. */
  knows(run: string, id: number): boolean {
    if (run === this.run && id <= this.events.lastId && id + 1 >= this.events.oldestId) return true
    this.storeEvents()
    return this.writer?.read((store) => store.knows(run, id)) ?? false
  }

  /** The state of a dependency as its ribbon shows it, and since when. */
  state(name: string): (StateReading & { readonly since: number; readonly forced: boolean }) | undefined {
    const reading = this.recorded.observe(name, this.now())
    if (reading === undefined) return undefined
    const last = this.recorder(name)?.timeline.last
    return { ...reading, since: last?.from ?? this.startedAt, forced: last?.forced ?? false }
  }

  /** Number of the finest bucket that has not ended, and for how much of a minute there has been something to record. */
  get present(): { readonly number: number; readonly coveredMs: number } {
    const oldest = Math.max(this.startedAt, (this.openNumber + 1) * finestStepMs - 60_000)
    return { number: this.openNumber, coveredMs: Math.min(60_000, this.now() - oldest) }
  }

  /** What the fine bucket held, by dependency. */
  bucketsOf({ number }: EndedBucket): Record<string, Bucket> {
    return Object.fromEntries(
      this.recorded.recorders.flatMap(({ name, rings }) => {
        const bucket = rings[0]?.read(number)
        return bucket === undefined ? [] : [[name, bucket]]
      }),
    )
  }

  wall(range: HistoryRange): WallHistory {
    this.tick()
    return wallHistory(this.source(), range)
  }

  dependency(name: string, range: HistoryRange): DependencyHistory | undefined {
    this.tick()
    const recorder = this.recorder(name)
    return recorder === undefined ? undefined : dependencyHistory(this.source(), recorder, range)
  }

  /** Brings everything up to now. Runs once a second by itself. */
  tick(): void {
    const reading = this.time.read()
    const { at } = reading
    if (reading.kind === 'back') this.rewind(at)
    // nobody knows how things were meanwhile
    if (reading.kind === 'gap') this.recorded.loseSight(reading.from)
    this.at = at
    const number = Math.floor(at / finestStepMs)
    const buckets = number > this.openNumber ? this.close(number) : []
    this.recorded.observeAll(at)
    this.storedUpTo = this.events.lastId
    this.writer?.flush(at, buckets)
    if (at - this.prunedAt < pruneEveryMs) return
    this.prunedAt = at
    this.writer?.read((store) => store.prune(at))
  }

  /** The server stops: everything is stored, and nothing recorded any more. */
  dispose(): void {
    if (this.timer === undefined) return
    this.timer.cancel()
    this.timer = undefined
    this.endEvents()
    this.tick()
    this.addMarker('stop', 'Holdfast stopped')
    this.writer?.flush(this.at, this.closeEarly())
    this.writer?.stop(this.at)
  }

  private now(): number {
    return Math.max(this.at, this.options.system.clock.wallNow())
  }

  private source(): HistorySource {
    return { at: this.at, openNumber: this.openNumber, recorders: this.recorded.recorders, markers: this.markers }
  }

  private scheduleTick(): void {
    const timer = this.options.system.clock.setTimer(() => {
      this.scheduleTick()
      this.tick()
    }, tickMs)
    timer.unref()
    this.timer = timer
  }

  /** The first time, the history goes on where the run before ended; later ones (the file was away) only the numbers do. */
  private opened(store: HistoryStore): void {
    const { setAside, earlier, lastEventId } = store
    if (setAside !== undefined) this.options.onSetAside?.(setAside)
    if (this.wasOpened || this.writer !== undefined) this.events.leap(lastEventId)
    else this.events.resume(lastEventId, store.events({ limit: 1_000 }))
    this.storedUpTo = lastEventId
    if (this.wasOpened) return
    this.wasOpened = true
    this.markers = [...store.markers(this.at - 86_400_000).slice(-maxMarkers), ...this.markers]
    if (earlier !== undefined) this.endEarlier(store, earlier)
    restore(store, new Map(this.recorded.all.map((recorder) => [recorder.name, recorder])), this.at)
  }

  private endEarlier(store: HistoryStore, earlier: EarlierRun): void {
    store.endStates(earlier.endedAt)
    if (earlier.clean) return
    const marker: Marker = { at: earlier.endedAt, kind: 'stop', text: 'Holdfast ended without being stopped' }
    this.markers.push(marker)
    store.save({ at: this.at, buckets: [], changes: [], events: [], markers: [marker] })
  }

  private close(number: number): HistoryBatch['buckets'] {
    const rows = new Map<string, { readonly resolution: number; readonly number: number; readonly entries: RowEntry[] }>()
    for (const recorder of this.recorded.recorders) {
      for (const closed of recorder.close(this.openNumber, number)) {
        const key = `${closed.resolution} ${closed.number}`
        const row = rows.get(key) ?? { resolution: closed.resolution, number: closed.number, entries: [] }
        row.entries.push({ dependency: recorder.name, tally: closed.tally, bucket: closed.bucket })
        rows.set(key, row)
      }
    }
    this.ended = { number: this.openNumber, from: this.openNumber * finestStepMs, stepMs: finestStepMs }
    this.openNumber = number
    return [...rows.values()]
  }

  /** What the bucket that has not ended holds so far. */
  private closeEarly(): HistoryBatch['buckets'] {
    const entries = this.recorded.recorders.map((recorder) => {
      const tally = recorder.current(0)
      return { dependency: recorder.name, tally, bucket: tally.toBucket() }
    })
    return [{ resolution: 0, number: this.openNumber, entries }]
  }

  private rewind(at: number): void {
    this.openNumber = Math.floor(at / finestStepMs)
    this.ended = undefined
    this.prunedAt = at
    this.markers = this.markers.filter((marker) => marker.at <= at)
    for (const recorder of this.recorded.recorders) recorder.rewind(at)
    this.writer?.cut(at)
  }

  private observeBehind(policy: string): void {
    for (const name of this.dependenciesOf(policy)) this.recorded.observe(name, this.now())
  }
}
