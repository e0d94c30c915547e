import type { Clock } from '../../core/clock.ts'
import type { Duration } from '../../core/duration.ts'

/** What hooks, guards and actions are told. */
export interface TransitionInfo<S extends string, E extends string, C = unknown> {
  readonly from: S
  readonly to: S
  readonly event: E
  /** What `trigger` was given beside the event. */
  readonly payload: unknown
  readonly context: C
  /** Has an event happen right after this transition, before those that wait. What comes of it nobody waits for. */
  raise(event: E, payload?: unknown): void
}

type Hook<S extends string, E extends string, C> = (info: TransitionInfo<S, E, C>) => unknown

export interface StateOptions<S extends string, E extends string, C> {
  /** The state has been entered. If it fails, the machine is in the state all the same, and who triggered hears of it. */
  readonly onEnter?: Hook<S, E, C>
  /** The state is about to be left. If it fails, the machine stays. */
  readonly onExit?: Hook<S, E, C>
  /** The event that happens when the machine has been in the state for so long. */
  readonly timeout?: { readonly after: Duration; readonly event: E }
}

export interface TransitionOptions<S extends string, E extends string, C> {
  readonly from: S | readonly S[]
  readonly to: S
  readonly event: E
  /** Whether the transition may be made now; answers at once. Of several from one state by one event, the first allowed one is made. */
  readonly guard?: (info: TransitionInfo<S, E, C>) => boolean
  /** Done between leaving and entering. If it fails, the machine stays. */
  readonly action?: Hook<S, E, C>
}

export interface StateMachineOptions<S extends string, E extends string, C = unknown> {
  /** @defaultValue 'state-machine' */
  readonly name?: string
  readonly initial: NoInfer<S>
  readonly states: Readonly<Record<S, StateOptions<NoInfer<S>, NoInfer<E>, NoInfer<C>>>>
  readonly transitions: readonly TransitionOptions<NoInfer<S>, E, NoInfer<C>>[]
  /** What machines start with, for guards and hooks. Copied for each machine, so it must be what `structuredClone` takes. */
  readonly context?: C
  /** Written into snapshots; others are refused, or migrated. @defaultValue 1 */
  readonly version?: number
  /** Makes a snapshot of this version out of an older one. @defaultValue none: other versions are refused */
  readonly migrate?: (snapshot: Readonly<Record<string, unknown>>) => unknown
  /** Transitions remembered by each machine. @defaultValue 16 */
  readonly maxHistory?: number
  /** Triggers that may wait while a transition is under way. @defaultValue 1_000 */
  readonly maxPending?: number
  readonly clock?: Clock
}
