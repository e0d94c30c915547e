import type { ServerResponse } from 'node:http'
import type { EventLog, NumberedEvent } from './event-log.ts'

/** All that a viewer sees, by section; each section is replaced as a whole when it changes. */
export type LiveState = Readonly<Record<string, unknown>>

export interface LiveOptions {
  /** The present state. Called once per tick, however many viewers there are. */
  readonly read: () => LiveState
  readonly events: EventLog
  /** Tells one run of the server from the next. */
  readonly run: string
  /** Milliseconds between updates. @defaultValue 1_000 */
  readonly intervalMs?: number
  /** @defaultValue 1_000 */
  readonly maxViewers?: number
}

/** Bytes a viewer may leave unread before it is dropped. */
const maxUnreadBytes = 4 * 1024 * 1024

/**
 * Server-sent events: a snapshot first, then deltas of what has changed. The id of a message is that of the last event it
 * contains; a viewer that comes back with it gets the events it missed, once each, as long as they are kept. While nobody
 * looks, nothing is read.
 */
export class LiveFeed {
  private readonly options: LiveOptions
  private readonly viewers = new Set<ServerResponse>()
  private timer: NodeJS.Timeout | undefined = undefined
  private sections = new Map<string, string>()
  private sentEventId = 0

  constructor(options: LiveOptions) {
    this.options = options
  }

  get viewerCount(): number {
    return this.viewers.size
  }

  /** Serves one viewer until it leaves. Answers false when there are too many. */
  add(response: ServerResponse, lastEventId: string | undefined): boolean {
    if (this.viewers.size >= (this.options.maxViewers ?? 1_000)) return false
    const { events, run } = this.options
    // the deltas that follow continue from this very state, for those who are here already too
    if (this.viewers.size > 0) this.tick()
    else this.update()
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    const seen = seenEvents(lastEventId, run)
    const snapshot = {
      run,
      resumed: seen !== undefined,
      state: Object.fromEntries([...this.sections].map(([name, json]) => [name, raw(json)])),
    }
    response.write(message('snapshot', `${run}:${this.sentEventId}`, withEvents(snapshot, events.after(seen ?? 0, 200))))
    this.viewers.add(response)
    response.once('close', () => this.remove(response))
    this.timer ??= setInterval(() => this.tick(), this.options.intervalMs ?? 1_000)
    return true
  }

  close(): void {
    for (const viewer of this.viewers) viewer.end()
    this.viewers.clear()
    clearInterval(this.timer)
    this.timer = undefined
  }

  private remove(viewer: ServerResponse): void {
    this.viewers.delete(viewer)
    if (this.viewers.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private tick(): void {
    const { changed, events } = this.update()
    const text = message('delta', `${this.options.run}:${this.sentEventId}`, withEvents({ at: Date.now(), state: changed }, events))
    const bytes = Buffer.from(text)
    for (const viewer of this.viewers) {
      if (viewer.writableLength > maxUnreadBytes) viewer.destroy()
      else viewer.write(bytes)
    }
  }

  /** Reads the state; answers the sections that differ from those sent last, and the events since then. */
  private update(): { readonly changed: Record<string, unknown>; readonly events: readonly NumberedEvent[] } {
    const changed: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(this.options.read())) {
      const json = JSON.stringify(value)
      if (this.sections.get(name) === json) continue
      this.sections.set(name, json)
      changed[name] = value
    }
    const events = this.options.events.after(this.sentEventId)
    this.sentEventId = this.options.events.lastId
    return { changed, events }
  }
}

function seenEvents(lastEventId: string | undefined, run: string): number | undefined {
  if (lastEventId === undefined || !lastEventId.startsWith(`${run}:`)) return undefined
  const id = Number(lastEventId.slice(run.length + 1))
  return Number.isSafeInteger(id) && id >= 0 ? id : undefined
}

function withEvents(body: Record<string, unknown>, events: readonly NumberedEvent[]): string {
  return JSON.stringify({ ...body, events })
}

function raw(json: string): unknown {
  return JSON.parse(json)
}

function message(event: string, id: string, data: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`
}
