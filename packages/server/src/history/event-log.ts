import type { PolicyEvent } from 'holdfast'
import type { EventView } from '../wire.ts'
import { eventData } from './event-data.ts'
import { RepeatLimit } from './repeat-limit.ts'

/** Which events somebody asks for. */
export interface EventQuery {
  /** Only later ones. */
  readonly after?: number | undefined
  /** Only earlier ones. */
  readonly before?: number | undefined
  readonly policy?: string | undefined
  readonly type?: string | undefined
  readonly limit: number
}

export interface EventLogOptions {
  /** Events that are kept in memory. @defaultValue 1_000 */
  readonly max?: number
  /** What an event is about, as the id of a policy. */
  readonly subjectOf?: (event: PolicyEvent) => string
}

/** The last events, oldest first, in bounded memory. Of what repeats many times a second, a few per second are listed. */
export class EventLog {
  private readonly kept: EventView[] = []
  private readonly max: number
  private readonly subjectOf: (event: PolicyEvent) => string
  private readonly repeats = new RepeatLimit()
  private nextId = 1

  constructor({ max = 1_000, subjectOf = ({ policy }) => policy }: EventLogOptions = {}) {
    this.max = max
    this.subjectOf = subjectOf
  }

  /** Answers undefined for a repeat that is only counted; the next of its kind that is listed says how many: `repeats`. */
  add(event: PolicyEvent): EventView | undefined {
    const { type, policy: _name, at, ...data } = event
    const policy = this.subjectOf(event)
    const repeats = this.repeats.take(type, policy, at)
    if (repeats === undefined) return undefined
    const view = { id: this.nextId++, type, policy, at, data: { ...eventData(data), ...(repeats === 0 ? {} : { repeats }) } }
    this.keep(view)
    return view
  }

  get lastId(): number {
    return this.nextId - 1
  }

  /** The id of the oldest event in memory; what comes next when there is none. */
  get oldestId(): number {
    return this.kept[0]?.id ?? this.nextId
  }

  /** Goes on where an earlier run ended, whose latest events are `events`, oldest first. Those there are come after them. */
  resume(lastId: number, events: readonly EventView[]): void {
    const own = this.kept.map((event) => ({ ...event, id: event.id + lastId }))
    this.kept.splice(0, this.kept.length, ...[...events, ...own].slice(-this.max))
    this.nextId += lastId
  }

  /** Numbers up to `lastId` were given away elsewhere; those told already stay. */
  leap(lastId: number): void {
    this.nextId = Math.max(this.nextId, lastId + 1)
  }

  /** Events after an id, oldest first, at most `limit` of the newest. */
  after(id: number, limit = this.max): readonly EventView[] {
    const later = this.kept.filter((event) => event.id > id)
    return later.slice(Math.max(0, later.length - limit))
  }

  private keep(view: EventView): void {
    this.kept.push(view)
    if (this.kept.length > this.max) this.kept.shift()
  }
}

/** Whether an event is among those asked for, but for its place. */
export function isAskedFor(event: EventView, { after = 0, before = Infinity, policy, type }: EventQuery): boolean {
  if (event.id <= after || event.id >= before) return false
  return (policy === undefined || event.policy === policy) && (type === undefined || event.type === type)
}
