import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from 'holdfast'
import type { History } from '../history/index.ts'
import type { EventView, LiveState } from '../wire.ts'
import { LiveEncoder } from './live-encoder.ts'

export interface LiveOptions {
  /** The present state. Called once per tick, however many viewers there are, and never while there are none. */
  readonly read: () => LiveState
  readonly history: History
  readonly clock: Clock
  /** Milliseconds between updates. @defaultValue 1_000 */
  readonly intervalMs?: number
  /** @defaultValue 1_000 */
  readonly maxViewers?: number
  /** A state could not be read; the feed goes on with the next. */
  readonly onError?: (error: unknown) => void
}

interface Viewer {
  readonly response: ServerResponse
  /** Bytes of the snapshot that it has not read yet. */
  backlog: number
}

/** Bytes of updates that a viewer may leave unread before it is dropped. */
const maxUnreadBytes = 1024 * 1024
const heartbeatMs = 15_000
const eventsOfSnapshot = 200
const maxMissedEvents = 1_000

/**
 * Server-sent events: a snapshot first, then deltas of what has changed. The id of a message names the run of the server and the
 * last event it contains: a viewer that comes back with it gets the events it missed, once each, also from the run before. An
 * update is encoded once, and all viewers share its bytes.
 */
export class LiveFeed {
  private readonly options: LiveOptions
  private readonly viewers = new Map<ServerResponse, Viewer>()
  private readonly encoder = new LiveEncoder()
  private timer: Timer | undefined = undefined
  private sentEventId = 0
  private sentBucket = 0
  private heartbeatAt = 0
  /** Viewers that read too slowly and were dropped. */
  dropped = 0

  constructor(options: LiveOptions) {
    this.options = options
  }

  get viewerCount(): number {
    return this.viewers.size
  }

  /** Serves one viewer until it leaves. Answers false when there are too many. */
  add(response: ServerResponse, lastEventId: string | undefined): boolean {
    if (this.viewers.size >= (this.options.maxViewers ?? 1_000)) return false
    // with viewers here, the last update is at most a tick old, and the next one continues from it for all of them
    if (this.viewers.size === 0) this.update()
    const viewer = { response, backlog: 0 }
    this.viewers.set(response, viewer)
    response.once('close', () => this.remove(response))
    response.on('error', () => this.remove(response))
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
    const bytes = Buffer.from(`retry: 2000\n${this.message('snapshot', this.snapshot(lastEventId))}`)
    viewer.backlog = bytes.length
    response.write(bytes)
    this.schedule()
    return true
  }

  /** Sends what has changed to all viewers. Runs once a second by itself while there are any. */
  tick(): void {
    let text = this.heartbeat()
    try {
      const { members, events } = this.update()
      const bucket = this.bucket()
      const at = this.options.clock.wallNow()
      text += this.message(
        'delta',
        `{${[`"at":${at}`, members, bucket, `"events":${JSON.stringify(events)}`].filter((part) => part !== '').join()}}`,
      )
    } catch (error) {
      this.options.onError?.(error)
      text += ':\n\n'
    }
    const bytes = Buffer.from(text)
    for (const viewer of this.viewers.values()) this.send(viewer, bytes)
  }

  close(): void {
    for (const response of this.viewers.keys()) response.end()
    this.viewers.clear()
    this.timer?.cancel()
    this.timer = undefined
  }

  private send(viewer: Viewer, bytes: Buffer): void {
    const { response } = viewer
    const unread = response.writableLength
    if (unread > viewer.backlog + maxUnreadBytes) {
      this.dropped++
      this.remove(response)
      response.destroy()
      return
    }
    viewer.backlog = Math.min(viewer.backlog, unread)
    response.write(bytes)
  }

  private schedule(): void {
    if (this.timer !== undefined) return
    const { clock, intervalMs = 1_000 } = this.options
    this.timer = clock.setTimer(() => {
      this.timer = undefined
      if (this.viewers.size === 0) return
      this.schedule()
      this.tick()
    }, intervalMs)
    this.timer.unref()
  }

  private remove(response: ServerResponse): void {
    this.viewers.delete(response)
    if (this.viewers.size > 0) return
    this.timer?.cancel()
    this.timer = undefined
  }

  /** Reads the state and the events since the last time. Events are stored before anybody is told of them. */
  private update(): { readonly members: string; readonly events: readonly EventView[] } {
    const { history, read } = this.options
    const members = this.encoder.advance(read())
    history.storeEvents()
    const events = history.events.after(this.sentEventId)
    this.sentEventId = history.events.lastId
    return { members, events }
  }

  private snapshot(lastEventId: string | undefined): string {
    const { history, clock } = this.options
    const missed = this.missedSince(lastEventId)
    const events = missed ?? history.findEvents({ before: this.sentEventId + 1, limit: eventsOfSnapshot })
    const head = `"run":${JSON.stringify(history.run)},"at":${clock.wallNow()},"resumed":${missed !== undefined}`
    return `{${head},"state":${this.encoder.stateJson},"events":${JSON.stringify(events)}}`
  }

  /** The events after the last one that a viewer has seen; undefined when that cannot be told, or they are too many. */
  private missedSince(lastEventId: string | undefined): readonly EventView[] | undefined {
    const [, run = '', digits = ''] = /^([\w-]{1,64}):(\d{1,15})$/.exec(lastEventId ?? '') ?? []
    if (digits === '') return undefined
    const id = Number(digits)
    const { history } = this.options
    if (!history.knows(run, id)) return undefined
    const missed = history.findEvents({ after: id, limit: maxMissedEvents + 1 }).filter((event) => event.id <= this.sentEventId)
    return missed.length > maxMissedEvents ? undefined : missed
  }

  /** The bucket that has just ended, as a member of the delta. */
  private bucket(): string {
    const { history } = this.options
    const ended = history.lastEnded
    if (ended === undefined || ended.number === this.sentBucket) return ''
    this.sentBucket = ended.number
    const { from, stepMs } = ended
    return `"bucket":${JSON.stringify({ from, stepMs, rows: history.bucketsOf(ended) })}`
  }

  /** Keeps proxies from taking the connection for dead, whatever the interval is. */
  private heartbeat(): string {
    const now = this.options.clock.now()
    if (now - this.heartbeatAt < heartbeatMs - 1_000) return ''
    this.heartbeatAt = now
    return ': heartbeat\n\n'
  }

  private message(event: string, data: string): string {
    return `event: ${event}\nid: ${this.options.history.run}:${this.sentEventId}\ndata: ${data}\n\n`
  }
}
