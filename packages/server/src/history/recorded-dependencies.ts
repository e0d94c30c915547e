import type { PolicyStatus } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import { DependencyRecorder } from './dependency-recorder.ts'
import { stateOf, type StateReading } from './policy-state.ts'
import type { StateChange } from './state-timeline.ts'

/** A dependency to be recorded. */
export interface RecordedDependency {
  readonly name: string
  /** Ids of the policies before it. */
  readonly policies: readonly string[]
  /** Statuses of answers that count as failures. */
  readonly isFailure: (status: number) => boolean
}

export interface RecordedDependenciesOptions {
  readonly system: FaultTolerantSystem
  /** Whether somebody has set a policy's state by hand. */
  readonly isForced: (policy: string) => boolean
  /** A dependency's state is another one. */
  readonly onChange: (dependency: string, change: StateChange) => void
  /** Gives a new recorder what is stored of its dependency. */
  readonly restore: (recorder: DependencyRecorder) => void
}

interface Recorded {
  readonly dependency: RecordedDependency
  readonly recorder: DependencyRecorder
  /** When the pause that was seen last is over. */
  pausedUntil: number | null
}

/** The dependencies that are recorded, by name, and the states that the policies before them bring about. */
export class RecordedDependencies {
  private readonly options: RecordedDependenciesOptions
  private readonly recorded = new Map<string, Recorded>()
  private readonly prepared = new Map<string, DependencyRecorder>()
  /** Names by policy; made when it is asked for. */
  private byPolicy: Map<string, string[]> | undefined = undefined

  constructor(options: RecordedDependenciesOptions) {
    this.options = options
  }

  /** In the order in which they were added. */
  get names(): readonly string[] {
    return [...this.recorded.keys()]
  }

  get recorders(): readonly DependencyRecorder[] {
    return [...this.recorded.values()].map(({ recorder }) => recorder)
  }

  /** Those that are recorded, and those that are about to be. */
  get all(): readonly DependencyRecorder[] {
    return [...this.recorders, ...this.prepared.values()]
  }

  recorder(name: string): DependencyRecorder | undefined {
    return this.recorded.get(name)?.recorder
  }

  policiesOf(name: string): readonly string[] {
    return this.recorded.get(name)?.dependency.policies ?? []
  }

  /** Names of the dependencies that a policy stands before. */
  dependenciesOf(policy: string): readonly string[] {
    if (this.byPolicy === undefined) {
      this.byPolicy = new Map()
      for (const [name, { dependency }] of this.recorded) {
        for (const id of dependency.policies) {
          const names = this.byPolicy.get(id)
          if (names === undefined) this.byPolicy.set(id, [name])
          else names.push(name)
        }
      }
    }
    return this.byPolicy.get(policy) ?? []
  }

  prepare(name: string): DependencyRecorder {
    const known = this.recorder(name) ?? this.prepared.get(name)
    if (known !== undefined) return known
    const recorder = new DependencyRecorder(name, this.options.system.clock)
    this.options.restore(recorder)
    this.prepared.set(name, recorder)
    return recorder
  }

  add(dependency: RecordedDependency, at: number): void {
    const { name } = dependency
    const recorder = this.prepare(name)
    this.prepared.delete(name)
    recorder.isFailure = dependency.isFailure
    this.recorded.set(name, { dependency, recorder, pausedUntil: this.recorded.get(name)?.pausedUntil ?? null })
    this.byPolicy = undefined
    this.observe(name, at)
  }

  remove(name: string, at: number): void {
    const recorded = this.recorded.get(name)
    if (recorded === undefined) return
    this.change(recorded.recorder, 'unknown', false, at)
    this.recorded.delete(name)
    this.byPolicy = undefined
  }

  observeAll(at: number): void {
    for (const name of this.recorded.keys()) this.observe(name, at)
  }

  /** Nobody knows how things were from an instant on. */
  loseSight(at: number): void {
    for (const recorder of this.recorders) this.change(recorder, 'unknown', false, at)
  }

  /** Looks at the policies before a dependency, and takes its state in. */
  observe(name: string, at: number): StateReading | undefined {
    const recorded = this.recorded.get(name)
    if (recorded === undefined) return undefined
    const { dependency, recorder } = recorded
    const gates = dependency.policies.flatMap((id) => this.gateStatus(id))
    const reading = stateOf(gates.map(({ status }) => status))
    const forced = reading.causes.some((index) => this.options.isForced(gates[index]?.id ?? ''))
    const { last } = recorder.timeline
    // a pause that is over, and an open time that is over, ended at their own times and not when somebody looked
    const ownTimes = [reading.since, last?.state === 'paused' ? recorded.pausedUntil : null].filter(
      (time) => time !== null && time <= at && time > (last?.from ?? -Infinity),
    ) as number[]
    this.change(recorder, reading.state, forced, ownTimes.length > 0 && last?.state !== 'unknown' ? Math.max(...ownTimes) : at)
    recorded.pausedUntil = reading.pausedUntil
    return reading
  }

  private gateStatus(id: string): readonly { readonly id: string; readonly status: PolicyStatus }[] {
    const { system } = this.options
    if (!/^(circuit-breaker|rate-limiter)\//.test(id) || !system.has(id)) return []
    return [{ id, status: system.get(id).status() }]
  }

  private change(recorder: DependencyRecorder, state: StateChange['state'], forced: boolean, at: number): void {
    const change = recorder.timeline.observe(state, forced, at)
    if (change !== undefined) this.options.onChange(recorder.name, change)
  }
}
