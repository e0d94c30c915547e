export type { StateEntered, StateMachineEvent, TransitionFailed, TransitionRefused } from './events.ts'
export type { HistoryEntry } from './history.ts'
export type { StateMachineOptions, StateOptions, TransitionInfo, TransitionOptions } from './options.ts'
export type { MachineSnapshot } from './snapshot.ts'
export {
  defineStateMachine,
  stateMachine,
  type StateMachine,
  type StateMachineDefinition,
  type StateMachineDescription,
  type StateMachineStatus,
} from './state-machine.ts'
