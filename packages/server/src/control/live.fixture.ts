import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FakeClock } from 'holdfast/testing'
import { historyScene, type HistoryScene } from '../history/history.fixture.ts'
import type { HistoryOptions } from '../history/history.ts'
import type { Delta, LiveState, PolicyView, Snapshot } from '../wire.ts'
import { LiveFeed, type LiveOptions } from './live.ts'

/** A viewer's end of the wire, in memory: everything it was sent, and as much of it unread as a test says. */
export class FakeViewer extends EventEmitter {
  readonly written: Buffer[] = []
  headers: Readonly<Record<string, string>> = {}
  isDestroyed = false
  isEnded = false
  reads = true

  get writableLength(): number {
    return this.reads ? 0 : this.written.reduce((sum, { length }) => sum + length, 0)
  }

  get response(): ServerResponse {
    return this as unknown as ServerResponse
  }

  writeHead(_status: number, headers: Readonly<Record<string, string>>): void {
    this.headers = headers
  }

  write(bytes: Buffer): boolean {
    this.written.push(bytes)
    return this.reads
  }

  end(): void {
    this.isEnded = true
    this.leave()
  }

  destroy(): void {
    this.isDestroyed = true
    this.leave()
  }

  leave(): void {
    this.emit('close')
  }

  get messages(): readonly { readonly event: string; readonly id: string; readonly data: unknown }[] {
    return Buffer.concat(this.written)
      .toString()
      .split('\n\n')
      .filter((message) => message.includes('data: '))
      .map((message) => {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1] ?? ''
        return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) as unknown }
      })
  }

  get snapshot(): Snapshot {
    return this.messages[0]?.data as Snapshot
  }

  get deltas(): readonly Delta[] {
    return this.messages.filter(({ event }) => event === 'delta').map(({ data }) => data as Delta)
  }

  get lastId(): string {
    return this.messages.at(-1)?.id ?? ''
  }

  /** Ids of all events it was told of. */
  get eventIds(): readonly number[] {
    return this.messages.flatMap(({ data }) => (data as Snapshot | Delta).events.map(({ id }) => id))
  }
}

export interface LiveScene extends HistoryScene {
  readonly clock: FakeClock
  readonly feed: LiveFeed
  /** What the feed reads; a test changes it. */
  state: LiveState
  readonly reads: number
  happen(type?: string): void
  watch(lastEventId?: string): FakeViewer
}

export function liveScene(
  options: Partial<Omit<LiveOptions, 'history'>> & { readonly history?: Partial<HistoryOptions> & { readonly at?: number } } = {},
): LiveScene {
  const base = historyScene(options.history)
  let reads = 0
  const scene: LiveScene = {
    ...base,
    state: emptyState,
    get reads() {
      return reads
    },
    feed: new LiveFeed({
      clock: base.clock,
      ...options,
      history: base.history,
      read: () => {
        reads++
        return scene.state
      },
    }),
    happen: (type = 'test.happened') => void base.history.addEvent({ type, policy: 'x', at: base.clock.wallNow() }),
    watch: (lastEventId) => {
      const viewer = new FakeViewer()
      scene.feed.add(viewer.response, lastEventId)
      return viewer
    },
  }
  return scene
}

export const emptyState: LiveState = {
  server: {
    version: '1.0.0',
    startedAt: 0,
    phase: 'serving',
    gatewayUrl: 'http://127.0.0.1:8080',
    health: { status: 'pass', summary: 'healthy', ready: true, reasons: [] },
    inFlight: 0,
  },
  config: {
    generation: 1,
    loadedAt: 0,
    files: [],
    lastReload: { at: 0, trigger: 'start', ok: true, problems: [], changes: [], needsRestart: [] },
  },
  dependencies: {},
  policies: {},
}

export function policy(name: string, status: Readonly<Record<string, unknown>> = {}): PolicyView {
  return {
    id: `circuit-breaker/${name}`,
    name,
    kind: 'circuit-breaker',
    state: 'closed',
    since: 0,
    forced: null,
    health: { status: 'pass', reason: null },
    status,
    dependencies: [],
    actions: [],
  }
}
