import type { Delta, EventView, WallHistory } from '@holdfast/server/wire'
import { effect, signal } from '@preact/signals'
import { getJson } from '../api/client.ts'
import { range } from '../time-axis.ts'
import { config, dependencies, events, onDelta, onPublish, onSnapshot } from './store.ts'
import { frameOf, withBucket, withStates, type EndedBucket, type WallFrame } from './wall-history.ts'

/** The history of all dependencies for the range on the axis; null until it has been read. */
export const wall = signal<WallFrame | null>(null)
/** Why there is no newer history; an earlier one stays. */
export const wallFailure = signal<string | null>(null)

/** Buckets of the finest resolution that a history can use. */
const maxMeanwhile = 180
const leastPauseMs = 2_000
/** Events of these families may have put a marker on the axis. */
const marking = /^(?:control|config|system|demo|chaos)\./

/** Keeps `wall` up to date while somebody looks at it. Returns what ends it. */
export function followWall(): () => void {
  /** As it is now; `wall` shows it with the next update. */
  let frame = wall.peek()
  let reading: AbortController | undefined
  /** Buckets that ended while the history was being read: it may have been made before them. */
  let meanwhile: EndedBucket[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let readAt = -Infinity
  let lastEventId = events.peek().at(-1)?.id ?? 0
  let reloadedAt = config.peek()?.lastReload.at

  const read = async (): Promise<void> => {
    reading?.abort()
    clearTimeout(timer)
    timer = undefined
    const mine = new AbortController()
    reading = mine
    meanwhile = []
    const asked = range.peek()
    readAt = performance.now()
    let pauseMs = 5_000
    try {
      const history = await getJson<WallHistory>(`/api/v1/history?range=${asked}`, mine.signal)
      frame = withStates(meanwhile.reduce(withBucket, frameOf(history)), dependencies.peek())
      wall.value = frame
      wallFailure.value = null
      // only the finest buckets come with the feed; the sums of coarser ones are read again
      pauseMs = asked === '15m' ? Infinity : history.stepMs
    } catch (error) {
      if (mine.signal.aborted) return
      wallFailure.value = error instanceof Error ? error.message : 'The server cannot be reached.'
    }
    reading = undefined
    if (pauseMs !== Infinity) readIn(pauseMs)
  }
  const readIn = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void read(), ms)
  }
  /** Soon, but a storm of reasons makes one request. */
  const readSoon = (): void => readIn(Math.max(100, readAt + leastPauseMs - performance.now()))

  const takeDelta = ({ bucket, dependencies: changed }: Delta): void => {
    if (bucket !== undefined && reading !== undefined) meanwhile = [...meanwhile.slice(1 - maxMeanwhile), bucket]
    if (frame === null) return
    if (bucket !== undefined) frame = withBucket(frame, bucket)
    if (changed !== undefined) frame = withStates(frame, changed)
  }
  const show = (): void => {
    wall.value = frame
    const fresh = newerThan(events.peek(), lastEventId)
    lastEventId = events.peek().at(-1)?.id ?? lastEventId
    const reload = config.peek()?.lastReload.at
    if (reload !== reloadedAt || fresh.some(({ type }) => marking.test(type))) readSoon()
    reloadedAt = reload
  }
  const ends = [
    onDelta(takeDelta),
    onSnapshot(() => {
      if (wall.peek() !== null) readSoon()
    }),
    onPublish(show),
    effect(() => {
      if (frame?.range !== range.value) frame = wall.value = null
      void read()
    }),
  ]
  return () => {
    for (const end of ends) end()
    reading?.abort()
    clearTimeout(timer)
  }
}

function newerThan(known: readonly EventView[], id: number): readonly EventView[] {
  return known.filter((event) => event.id > id)
}
