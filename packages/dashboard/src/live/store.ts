import type { ConfigView, Delta, DependencyView, EventView, PolicyView, ServerView } from '@holdfast/server/wire'
import { batch, signal } from '@preact/signals'
import { connectionState, Feed, type ConnectionState } from './connection.ts'
import { LiveModel, type Entries } from './live-model.ts'

export interface Connection {
  readonly state: ConnectionState
  /** Since the last message, in whole seconds; null before the first. */
  readonly ageMs: number | null
}

export const connection = signal<Connection>({ state: 'connecting', ageMs: null })
export const server = signal<ServerView | null>(null)
export const config = signal<ConfigView | null>(null)
/** By name. */
export const dependencies = signal<Entries<DependencyView>>({})
/** By id. */
export const policies = signal<Entries<PolicyView>>({})
/** What the demonstration tells; undefined on a server that runs none. */
export const demo = signal<unknown>(undefined)
/** The latest, oldest first. */
export const events = signal<readonly EventView[]>([])
/** The server's clock, epoch ms: moves on with each update, and stands still when none comes. What is shown is of this instant. */
export const now = signal(Date.now())
/** When a restart of the server was noticed, epoch ms; null: none since the page was opened. */
export const restartedAt = signal<number | null>(null)

const model = new LiveModel()
const deltaListeners = new Set<(delta: Delta) => void>()
const snapshotListeners = new Set<() => void>()
const publishListeners = new Set<() => void>()
const publishEveryMs = 1_000
/** Updates come once a second, give or take this. */
const leewayMs = 250

let messageAt: number | null = null
let isBroken = false
let publishedAt = -Infinity
let isDue = false
let restart = false

/**
 * Opens the live feed. Signals change together, at most once a second and within an animation frame; never while the page is hidden.
 * Returns what opens it again at once, for a viewer who has just been let in.
 */
export function startLive(): () => void {
  const feed = new Feed('/events', {
    onSnapshot: (snapshot) => {
      restart = model.snapshot(snapshot) || restart
      received()
      publishedAt = -Infinity
      schedule()
      for (const tell of snapshotListeners) tell()
    },
    onDelta: (delta) => {
      if (model.run === null) return
      model.delta(delta)
      received()
      for (const tell of deltaListeners) tell(delta)
      schedule()
    },
    onBreak: () => {
      isBroken = true
      showConnection()
    },
  })
  feed.open()
  setInterval(() => {
    if (messageAt === null) return
    const silentForMs = performance.now() - messageAt
    feed.watch(silentForMs)
    if (silentForMs < publishEveryMs + leewayMs * 2) return
    showConnection()
  }, publishEveryMs)
  return () => feed.open()
}

/** Calls with each update as it comes, also while the page is hidden. Returns what ends it. */
export function onDelta(tell: (delta: Delta) => void): () => void {
  deltaListeners.add(tell)
  return () => void deltaListeners.delete(tell)
}

/** Calls when a whole state has come: at the start, and after each interruption, in which buckets may have been missed. */
export function onSnapshot(tell: () => void): () => void {
  snapshotListeners.add(tell)
  return () => void snapshotListeners.delete(tell)
}

/** Calls within each update of the signals, after they have changed: what it changes itself belongs to the same update. */
export function onPublish(tell: () => void): () => void {
  publishListeners.add(tell)
  return () => void publishListeners.delete(tell)
}

function received(): void {
  messageAt = performance.now()
  isBroken = false
}

function schedule(): void {
  if (isDue) return
  isDue = true
  const wait = publishedAt + publishEveryMs - leewayMs - performance.now()
  if (wait > 0) setTimeout(() => requestAnimationFrame(publish), wait)
  else requestAnimationFrame(publish)
}

function publish(): void {
  isDue = false
  publishedAt = performance.now()
  batch(() => {
    now.value = model.at
    server.value = model.server
    config.value = model.config
    dependencies.value = model.dependencies
    policies.value = model.policies
    demo.value = model.demo
    events.value = model.events
    if (restart) restartedAt.value = model.at
    restart = false
    showConnection()
    for (const tell of publishListeners) tell()
  })
}

function showConnection(): void {
  const silentForMs = messageAt === null ? null : performance.now() - messageAt
  const state = connectionState(silentForMs, isBroken)
  const ageMs = silentForMs === null || state === 'live' ? null : Math.floor(silentForMs / 1_000) * 1_000
  const shown = connection.peek()
  if (shown.state !== state || shown.ageMs !== ageMs) connection.value = { state, ageMs }
}
