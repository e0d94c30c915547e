import type { PolicyEvent } from '../../core/events.ts'

export interface StateEntered<S extends string = string, E extends string = string> extends PolicyEvent {
  readonly type: 'state.entered'
  readonly from: S
  readonly to: S
  readonly event: E
}

/** A guard said no. */
export interface TransitionRefused<S extends string = string, E extends string = string> extends PolicyEvent {
  readonly type: 'state.transition-refused'
  readonly state: S
  readonly event: E
}

/** A guard, a hook or an action failed. `state` is the one the machine is in now. */
export interface TransitionFailed<S extends string = string, E extends string = string> extends PolicyEvent {
  readonly type: 'state.transition-failed'
  readonly state: S
  readonly event: E
  readonly error: unknown
}

export type StateMachineEvent<S extends string = string, E extends string = string> =
  | StateEntered<S, E>
  | TransitionRefused<S, E>
  | TransitionFailed<S, E>
