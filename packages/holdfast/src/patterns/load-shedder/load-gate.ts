import type { Call, Priority } from '../../core/call.ts'
import type { Gate } from '../../core/layer.ts'
import type { Refusal } from '../../core/refusal.ts'
import type { Share, Shares } from '../../core/shares.ts'
import type { LoadSource } from './load-sources.ts'
import { decide, shedProbability, SheddingState, type ShedThresholds } from './shed-rule.ts'
import type { ShedReport } from './shed-report.ts'

export interface LoadSettings extends ShedThresholds {
  readonly sources: Readonly<Record<string, LoadSource>>
  readonly sampleEveryMs: number
  /** Calls in flight that are a load of 1; Infinity: not looked at. */
  readonly capacity: number
  readonly shares: Shares | undefined
}

export interface LoadPermit {
  readonly share: Share | undefined
}

const withoutShare: LoadPermit = { share: undefined }

/** Sheds by load, the least important first. */
export class LoadGate implements Gate<LoadPermit> {
  readonly kind = 'gate' as const
  settings: LoadSettings
  readonly report: ShedReport
  running = 0
  /** The last value of each source. */
  readonly loads: Record<string, number> = {}
  private sampledAt = -Infinity
  private sampled = 0
  private readonly state = new SheddingState()

  constructor(settings: LoadSettings, report: ShedReport) {
    this.settings = settings
    this.report = report
  }

  admit(call: Call): LoadPermit | Refusal {
    const { settings, report } = this
    const now = report.settings.clock.now()
    const share = settings.shares?.of(call)
    const isGuaranteed = share !== undefined && share.hasRoom(settings.capacity)
    const load = this.load(now)
    if (this.isShed(call.priority, load, now) && !(isGuaranteed && load < settings.hardLimit)) {
      const refused = report.refuse(call.priority, load, now)
      if (refused !== undefined) {
        if (share !== undefined) share.rejected++
        return refused
      }
    }
    report.admitted++
    this.running++
    if (share === undefined) return withoutShare
    share.inUse++
    share.admitted++
    return { share }
  }

  settle(): void {
    // how a call went says nothing about the load
  }

  leave({ share }: LoadPermit): void {
    this.running--
    if (share !== undefined) share.inUse--
  }

  shouldShed(priority: Priority | number): boolean {
    const now = this.report.settings.clock.now()
    return this.isShed(priority, this.load(now), now)
  }

  reconfigure(settings: LoadSettings): void {
    this.settings = settings
    for (const name of Object.keys(this.loads)) delete this.loads[name]
    this.sampledAt = -Infinity
  }

  /** The highest of all sources. */
  load(now: number): number {
    const { sampleEveryMs, capacity } = this.settings
    if (now - this.sampledAt >= sampleEveryMs) this.sample(now)
    return capacity === Infinity ? this.sampled : Math.max(this.sampled, this.running / capacity)
  }

  private isShed(priority: Priority | number, load: number, now: number): boolean {
    this.state.update(this.settings, load)
    this.report.state(this.state.active, load, now)
    return decide(shedProbability(this.settings, priority, load), this.report.settings.random)
  }

  /** A source that throws, or answers with no number, counts as no load: it must not turn everybody away. */
  private sample(now: number): void {
    this.sampledAt = now
    this.sampled = 0
    for (const [name, source] of Object.entries(this.settings.sources)) {
      let load: unknown
      try {
        load = source()
      } catch (error) {
        this.report.callbackFailed(`sources.${name}`, error)
      }
      this.loads[name] = typeof load === 'number' && load > 0 ? load : 0
      this.sampled = Math.max(this.sampled, this.loads[name])
    }
  }
}
