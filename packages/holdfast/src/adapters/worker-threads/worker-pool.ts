import type { Clock, Timer } from '../../core/clock.ts'
import { Ending, WorkerThread, type ThreadSettings } from './worker-thread.ts'

export interface PoolSettings extends ThreadSettings {
  readonly clock: Clock
}

/** How many workers may rest, and for how long. */
export interface RestLimits {
  readonly maxIdle: number
  readonly idleAfterMs: number
}

/** The workers there are. They are started when they are needed; how many that may be is the bulkhead's business. */
export class WorkerPool {
  started = 0
  crashed = 0
  private readonly settings: PoolSettings
  private limits: RestLimits
  private readonly changed: (change: 'started' | 'crashed' | Ending['why']) => void
  private readonly all = new Set<WorkerThread>()
  /** The one that has rested for the longest comes first. */
  private readonly idle: WorkerThread[] = []
  private timer: Timer | undefined = undefined

  constructor(settings: PoolSettings, limits: RestLimits, changed: WorkerPool['changed']) {
    this.settings = settings
    this.limits = limits
    this.changed = changed
  }

  get size(): number {
    return this.all.size
  }

  get resting(): number {
    return this.idle.length
  }

  /** A worker for one job: the one that rested last, whose caches are warm, or a new one. */
  take(): WorkerThread {
    return this.idle.pop() ?? this.start()
  }

  /** A worker has done its job. One that has ended meanwhile does not come back. */
  giveBack(thread: WorkerThread): void {
    if (!this.all.has(thread)) return
    thread.rest(this.settings.clock.now())
    this.idle.push(thread)
    this.trim()
    this.watch()
  }

  reconfigure(limits: RestLimits): void {
    this.limits = limits
    this.trim()
    this.timer?.cancel()
    this.timer = undefined
    this.watch()
  }

  /** Ends a worker, and with it the job it does. */
  async end(thread: WorkerThread, ending: Ending): Promise<void> {
    const index = this.idle.indexOf(thread)
    if (index >= 0) this.idle.splice(index, 1)
    await thread.end(ending)
  }

  async dispose(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    await Promise.all([...this.all].map((thread) => this.end(thread, new Ending('disposed'))))
  }

  private start(): WorkerThread {
    const thread = new WorkerThread(this.settings, (ended) => this.ended(ended))
    this.all.add(thread)
    this.started++
    this.changed('started')
    return thread
  }

  private ended(thread: WorkerThread): void {
    this.all.delete(thread)
    const index = this.idle.indexOf(thread)
    if (index >= 0) this.idle.splice(index, 1)
    if (thread.endedBy === 'crashed') this.crashed++
    this.changed(thread.endedBy)
  }

  /** Fewer may rest than did. */
  private trim(): void {
    while (this.idle.length > this.limits.maxIdle) void this.idle.shift()?.end(new Ending('idle'))
  }

  /** One timer for all; nobody waits for it, so it keeps no process alive. */
  private watch(): void {
    const [first] = this.idle
    if (this.timer !== undefined || first === undefined || this.limits.idleAfterMs === Infinity) return
    const { clock } = this.settings
    this.timer = clock.setTimer(() => this.endIdle(), Math.max(0, first.idleSince + this.limits.idleAfterMs - clock.now()))
    this.timer.unref()
  }

  private endIdle(): void {
    this.timer = undefined
    const now = this.settings.clock.now()
    while (this.idle[0] !== undefined && now - this.idle[0].idleSince >= this.limits.idleAfterMs)
      void this.idle.shift()?.end(new Ending('idle'))
    this.watch()
  }
}
