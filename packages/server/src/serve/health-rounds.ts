import type { FaultTolerantSystem } from 'holdfast/system'
import type { ReliabilityConfig } from '../config/index.ts'

/** Keeps the health of dependencies known while nobody asks for it. */
export class HealthRounds {
  private readonly system: FaultTolerantSystem
  private timer: NodeJS.Timeout | undefined = undefined
  private intervalMs: number | undefined = undefined

  constructor(system: FaultTolerantSystem) {
    this.system = system
  }

  /** Asks as often as the most impatient check of a configuration wants. */
  follow({ upstreams }: ReliabilityConfig): void {
    const intervals = Object.values(upstreams).flatMap(({ health }) => (health === undefined ? [] : [health.interval]))
    const intervalMs = intervals.length === 0 ? undefined : Math.min(...intervals)
    if (intervalMs !== undefined) void this.system.checkHealth()
    if (intervalMs === this.intervalMs) return
    this.stop()
    this.intervalMs = intervalMs
    if (intervalMs !== undefined) this.timer = setInterval(() => void this.system.checkHealth(), intervalMs).unref()
  }

  stop(): void {
    clearInterval(this.timer)
    this.intervalMs = undefined
  }
}
