import type { Clock, Timer } from 'holdfast'

/** The wall clock may be set, and the machine may sleep: how late an expiry is noticed at the latest, in ms. */
const longestLookMs = 60_000

/** Calls `run` once an instant of the wall clock (epoch ms) has come, however far away it is. One at a time. */
export class ExpiryTimer {
  private readonly clock: Clock
  private readonly run: () => void
  private timer: Timer | undefined = undefined

  constructor(clock: Clock, run: () => void) {
    this.clock = clock
    this.run = run
  }

  /** Replaces the instant; undefined for none. */
  set(at: number | undefined): void {
    this.timer?.cancel()
    this.timer = undefined
    if (at === undefined) return
    const delayMs = Math.max(0, at - this.clock.wallNow())
    const look = (): void => (this.clock.wallNow() >= at ? this.run() : this.set(at))
    this.timer = this.clock.setTimer(look, Math.min(delayMs, longestLookMs))
    this.timer.unref()
  }
}
