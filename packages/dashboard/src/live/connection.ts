import type { Delta, Snapshot } from '@holdfast/server/wire'

/**
 * connecting: nothing has come yet. live: an update came within the last seconds. reconnecting: the feed broke off or fell silent.
 * stale: it has been silent for so long that what is shown must not be taken for the present.
 */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'stale'

const silentAfterMs = 3_500
const staleAfterMs = 10_000

/** @param silentForMs Since the last message; null before the first. */
export function connectionState(silentForMs: number | null, isBroken: boolean): ConnectionState {
  if (silentForMs === null) return 'connecting'
  if (silentForMs >= staleAfterMs) return 'stale'
  return isBroken || silentForMs >= silentAfterMs ? 'reconnecting' : 'live'
}

export interface FeedReceiver {
  onSnapshot(snapshot: Snapshot): void
  onDelta(delta: Delta): void
  /** The feed broke off; it is being opened again. */
  onBreak(): void
}

/** A feed that is silent for this long is given up: its other end may be gone without a word. */
const deadAfterMs = 15_000
const firstPauseMs = 1_000
const longestPauseMs = 15_000

/** The event stream of the server: opened again when it breaks, when it is refused, and when it falls silent. */
export class Feed {
  private readonly url: string
  private readonly receiver: FeedReceiver
  private source: EventSource | undefined = undefined
  private retry: ReturnType<typeof setTimeout> | undefined = undefined
  private pauseMs = firstPauseMs

  constructor(url: string, receiver: FeedReceiver) {
    this.url = url
    this.receiver = receiver
  }

  open(): void {
    clearTimeout(this.retry)
    this.source?.close()
    const source = new EventSource(this.url)
    this.source = source
    source.addEventListener('snapshot', (message) => {
      this.pauseMs = firstPauseMs
      this.receiver.onSnapshot(JSON.parse(message.data) as Snapshot)
    })
    source.addEventListener('delta', (message) => this.receiver.onDelta(JSON.parse(message.data) as Delta))
    source.addEventListener('error', () => {
      this.receiver.onBreak()
      // a lost connection is opened again by the browser, with the id of the last event; a refused one is not
      if (source.readyState === EventSource.CLOSED) this.openLater()
    })
  }

  /** To be told, now and then, for how long nothing has come. */
  watch(silentForMs: number): void {
    if (silentForMs < deadAfterMs || this.source?.readyState !== EventSource.OPEN) return
    this.source.close()
    this.receiver.onBreak()
    this.openLater()
  }

  private openLater(): void {
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.open(), this.pauseMs)
    this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2)
  }
}
