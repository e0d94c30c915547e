import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { Clock } from 'holdfast'
import { driveArrivals } from './drive-arrivals.ts'
import type { FaultControl } from './fault-control.ts'
import { positionAt, type FaultScript } from './fault-script.ts'
import type { LaneReport } from './lane-report.ts'
import type { Lane } from './lane.ts'
import { scriptSnapshot } from './script-snapshot.ts'
import { laneNames, type ServiceFleet } from './service-fleet.ts'
import type { DemoSnapshot } from './snapshot.ts'
import type { Task } from './task.ts'

/** Why a demo is over. */
export type DemoEnd = { readonly reason: 'script over' | 'stopped' } | { readonly reason: 'service crashed'; readonly message: string }

export interface DemoRunOptions {
  readonly seed: number
  readonly arrivalsPerSecond: number
  readonly deadlineMs: number
  readonly script: FaultScript
  readonly loops: boolean
  readonly clock: Clock
  readonly fleet: ServiceFleet
  readonly faults: FaultControl
  readonly lanes: readonly { readonly lane: Lane; readonly report: LaneReport }[]
  /** Ends tasks and services. */
  readonly stopWork: () => Promise<void>
}

const followEveryMs = 250
const secondMs = 1_000
const loopResolutionMs = 10

/** Tasks arrive, the script goes on, seconds are counted, until it is over. */
export class DemoRun {
  readonly faults: FaultControl
  readonly ended: Promise<DemoEnd>
  private readonly options: DemoRunOptions
  private readonly startedAt: number
  private readonly startedAtWall: number
  private readonly listeners = new Set<(snapshot: DemoSnapshot) => void>()
  private readonly loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: loopResolutionMs })
  private readonly timers: NodeJS.Timeout[] = []
  private loopDelayP99Ms = 0
  private counting = false
  private stopArrivals: (() => void) | undefined
  private stopped: Promise<void> | undefined
  private end: (end: DemoEnd) => void = () => {}

  constructor(options: DemoRunOptions) {
    this.options = options
    this.faults = options.faults
    this.startedAt = options.clock.now()
    this.startedAtWall = options.clock.wallNow()
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  start(): void {
    const { seed, arrivalsPerSecond: perSecond, clock } = this.options
    this.loopDelay.enable()
    this.stopArrivals = driveArrivals({ seed, perSecond, clock, submit: (task) => this.submit(task) })
    this.timers.push(setInterval(() => void this.faults.follow(this.elapsedMs), followEveryMs))
    this.timers.push(setInterval(() => void this.countSecond(), secondMs))
  }

  /** A service ended by itself: what would follow means nothing. */
  crash(message: string): void {
    this.end({ reason: 'service crashed', message })
  }

  onSecond(listener: (snapshot: DemoSnapshot) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  stop(): Promise<void> {
    return (this.stopped ??= this.stopOnce())
  }

  snapshot(): DemoSnapshot {
    const { seed, arrivalsPerSecond, deadlineMs, script, loops, clock, lanes } = this.options
    return {
      startedAt: this.startedAtWall,
      at: clock.wallNow(),
      elapsedMs: this.elapsedMs,
      seed,
      arrivalsPerSecond,
      deadlineMs,
      loopDelayP99Ms: this.loopDelayP99Ms,
      script: scriptSnapshot(script, this.elapsedMs, loops),
      faults: this.faults.active(),
      faultSegments: this.faults.segments(),
      lanes: lanes.map(({ report }) => report.snapshot()),
    }
  }

  private get elapsedMs(): number {
    return this.options.clock.now() - this.startedAt
  }

  private submit(task: Task): void {
    const { script, loops, lanes } = this.options
    const phase = positionAt(script, this.elapsedMs, loops)?.phase.name
    if (phase === undefined) return // the script ended within this second
    for (const { lane } of lanes) lane.submit(task, phase)
  }

  private async countSecond(): Promise<void> {
    if (this.counting) return // the services are slow to answer; the next second takes these figures in
    this.counting = true
    try {
      await this.closeSecond()
    } finally {
      this.counting = false
    }
  }

  private async closeSecond(): Promise<void> {
    const { fleet, lanes } = this.options
    const failing = new Set(this.faults.active().map((fault) => fault.service))
    const stats = await Promise.all(laneNames.map((name) => fleet.stats(name)))
    for (const [index, { report }] of lanes.entries()) report.closeSecond(stats[index] as (typeof stats)[number], failing)
    this.loopDelayP99Ms = Math.max(0, this.loopDelay.percentile(99) / 1e6 - loopResolutionMs)
    this.loopDelay.reset()
    const snapshot = this.snapshot()
    for (const listener of this.listeners) listener(snapshot)
    if (snapshot.script.index === null) this.finish()
  }

  /** The script is over: no more tasks; the end comes when the last user has an answer or has left. */
  private finish(): void {
    this.stopArrivals?.()
    if (this.options.lanes.every(({ lane }) => lane.waiting === 0)) this.end({ reason: 'script over' })
  }

  private async stopOnce(): Promise<void> {
    this.stopArrivals?.()
    for (const timer of this.timers) clearInterval(timer)
    this.loopDelay.disable()
    this.end({ reason: 'stopped' })
    await this.options.stopWork()
  }
}
