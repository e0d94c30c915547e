import type { Clock } from 'holdfast'
import { finestStepMs } from './resolutions.ts'

/** What the wall clock has done since it was last looked at. */
export type ClockReading =
  | { readonly kind: 'steady'; readonly at: number }
  /** It was set back by more than a bucket: later times than `at` were wrong. */
  | { readonly kind: 'back'; readonly at: number }
  /** It was set on, or the machine slept: nothing is known of the time since `from`. */
  | { readonly kind: 'gap'; readonly at: number; readonly from: number }

/** The time of day as the history uses it: corrections smaller than a bucket never make it go back. */
export class HistoryClock {
  private readonly clock: Clock
  private wall: number
  private monotonic: number

  constructor(clock: Clock) {
    this.clock = clock
    this.wall = clock.wallNow()
    this.monotonic = clock.now()
  }

  read(): ClockReading {
    const wall = this.clock.wallNow()
    const monotonic = this.clock.now()
    const expected = this.wall + (monotonic - this.monotonic)
    const drift = wall - expected
    const before = this.wall
    this.monotonic = monotonic
    if (drift < -finestStepMs && wall < before) {
      this.wall = wall
      return { kind: 'back', at: wall }
    }
    this.wall = Math.max(wall, before)
    return drift > 2 * finestStepMs ? { kind: 'gap', at: wall, from: Math.round(expected) } : { kind: 'steady', at: this.wall }
  }
}
