import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from 'holdfast'
import type { Identity } from './environment.ts'

const lookEveryMs = 10_000

/**
 * Ends live feeds whose viewers may no longer look: a feed would outlive the session or the token it was opened with. A feed that is open
 * counts as use of its session.
 */
export class WatchedFeeds {
  private readonly clock: Clock
  private readonly mayLook: (identity: Identity | undefined) => boolean
  private readonly feeds = new Map<ServerResponse, Identity | undefined>()
  private timer: Timer | undefined = undefined

  constructor(clock: Clock, mayLook: (identity: Identity | undefined) => boolean) {
    this.clock = clock
    this.mayLook = mayLook
  }

  add(response: ServerResponse, identity: Identity | undefined): void {
    this.feeds.set(response, identity)
    response.once('close', () => this.feeds.delete(response))
    this.arm()
  }

  /** To be called when sessions or tokens have ended. */
  look(): void {
    for (const [response, identity] of this.feeds) if (!this.mayLook(identity)) response.end()
    this.arm()
  }

  dispose(): void {
    this.timer?.cancel()
    this.feeds.clear()
  }

  private arm(): void {
    this.timer?.cancel()
    this.timer = undefined
    if (this.feeds.size === 0) return
    this.timer = this.clock.setTimer(() => this.look(), lookEveryMs)
    this.timer.unref()
  }
}
