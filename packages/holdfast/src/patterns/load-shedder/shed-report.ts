import type { Priority } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import type { EventHub } from '../../core/events.ts'
import type { Random } from '../../core/random.ts'
import { refusal, type Refusal } from '../../core/refusal.ts'
import type { LoadShedderEvent } from './events.ts'

/** Shed calls are told at most once in so many ms. */
const toldEveryMs = 1_000

export interface ReportSettings {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly dark: boolean
  readonly retryAfterMs: number
}

/** Counts what is let in and what is shed, and tells those who listen. */
export class ShedReport {
  settings: ReportSettings
  readonly events: EventHub<LoadShedderEvent>
  admitted = 0
  /** Calls shed; in dark mode those that would have been. */
  shed = 0
  readonly shedByPriority: Record<Priority, number> = { low: 0, normal: 0, high: 0, critical: 0 }
  /** Monotonic ms. */
  since: number | undefined = undefined
  private shedBefore = 0
  private toldAt = -Infinity
  private untold = 0

  constructor(settings: ReportSettings, events: EventHub<LoadShedderEvent>) {
    this.settings = settings
    this.events = events
  }

  /** Whether load is being shed has been found out. */
  state(active: boolean, load: number, now: number): void {
    if (active === (this.since !== undefined)) return
    const { name, clock, dark } = this.settings
    const at = clock.wallNow()
    if (active) {
      this.since = now
      this.shedBefore = this.shed
      if (this.events.active) this.events.emit({ type: 'load.shedding-started', policy: name, at, load, dark })
      return
    }
    const forMs = now - (this.since as number)
    this.since = undefined
    const shed = this.shed - this.shedBefore
    if (this.events.active) this.events.emit({ type: 'load.shedding-ended', policy: name, at, forMs, shed, dark })
  }

  /** A call is shed, or would be: answers the refusal, or nothing in dark mode. */
  refuse(priority: Priority, load: number, now: number): Refusal | undefined {
    this.shed++
    this.shedByPriority[priority]++
    this.untold++
    const { name, clock, dark, random, retryAfterMs } = this.settings
    if (this.events.active && now - this.toldAt >= toldEveryMs) {
      this.events.emit({ type: 'load.shed', policy: name, at: clock.wallNow(), priority, load, calls: this.untold, dark })
      this.toldAt = now
      this.untold = 0
    }
    if (dark) return undefined
    // spread, so that those turned away together do not come back together
    return refusal('ERR_LOAD_SHED', name, Math.round(retryAfterMs * (0.5 + random())))
  }

  callbackFailed(callback: string, error: unknown): void {
    const { name, clock } = this.settings
    if (this.events.active) this.events.emit({ type: 'load.callback-failed', policy: name, at: clock.wallNow(), callback, error })
  }
}
