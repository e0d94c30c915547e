import type { Listener } from '../../core/events.ts'
import { compile, type Blueprint } from './compile.ts'
import type { StateMachineEvent } from './events.ts'
import type { HistoryEntry } from './history.ts'
import { Machine } from './machine.ts'
import type { StateMachineOptions } from './options.ts'
import { mermaid } from './picture.ts'
import type { MachineSnapshot } from './snapshot.ts'

export interface StateMachineDescription {
  readonly kind: 'state-machine'
  readonly name: string
  readonly initial: string
  readonly states: readonly string[]
  readonly events: readonly string[]
  readonly transitions: readonly { readonly from: string; readonly to: string; readonly event: string; readonly guarded: boolean }[]
}

export interface StateMachineStatus {
  readonly kind: 'state-machine'
  readonly name: string
  readonly state: string
  /** Epoch ms; null before the first transition. */
  readonly enteredAt: number | null
  /** A transition is under way. */
  readonly busy: boolean
  /** Triggers that wait for it to end. */
  readonly pending: number
}

/** A thing that is in one of a few states, and changes between them only as it may. */
export interface StateMachine<S extends string, E extends string, C = unknown> extends Disposable {
  readonly kind: 'state-machine'
  readonly name: string
  readonly currentState: S
  /** The machine's own copy of the definition's context. Guards and hooks see it, snapshots carry it. */
  readonly context: C
  /** After a restore: the event whose hooks had not ended when the snapshot was made; null when all was done. */
  readonly unfinished: E | null
  /**
   * Makes the transition of an event; answers with the new state once its hooks have ended. Triggers are handled one after the
   * other, in order. A hook must not wait for a trigger of its own machine, which begins only after it: see `raise`.
   * @throws HoldfastError `ERR_INVALID_TRANSITION`, `ERR_TRANSITION_REFUSED`, `ERR_TRANSITION_BUSY` when too many wait, `ERR_DISPOSED`;
   *   what a guard, a hook or an action throws, untouched.
   */
  trigger(event: E, payload?: unknown): Promise<S>
  /**
   * As {@link StateMachine.trigger}, at once. Hooks that answer with a promise are not waited for.
   * @throws as trigger does; `ERR_TRANSITION_BUSY` while a transition is under way.
   */
  send(event: E, payload?: unknown): S
  /** Whether the event would be taken now. Asks guards, changes nothing. */
  canTransition(event: E, payload?: unknown): boolean
  /** The events that would be taken now. */
  validTransitions(): E[]
  /** The latest transitions, oldest first, as many as `maxHistory`. */
  history(): HistoryEntry<S, E>[]
  /** The machine as plain data, fit for JSON if its context is. Callers that wait are not part of it. */
  serialize(): MachineSnapshot<S, E, C>
  /**
   * Puts the machine into the state of a snapshot (or its JSON text). Hooks are not called. The time of a state goes on from where it
   * was, the time between included; what is over happens at once.
   * @throws HoldfastError `ERR_STATE_VERSION` when it is none of this machine in this version; nothing has changed then.
   */
  deserialize(data: unknown): void
  describe(): StateMachineDescription
  /** The machine as a Mermaid state diagram, the present state marked. */
  mermaid(): string
  status(): StateMachineStatus
  on(listener: Listener<StateMachineEvent<S, E>>): () => void
  /** Ends its time limit, and turns waiting and later triggers away with `ERR_DISPOSED`. */
  dispose(): void
}

/** What machines of one kind have in common, checked and made ready once. */
export interface StateMachineDefinition<S extends string, E extends string, C = unknown> {
  readonly name: string
  /** A new machine in the initial state. */
  start(): StateMachine<S, E, C>
  /** A machine in the state of a snapshot; see {@link StateMachine.deserialize}. */
  restore(data: unknown): StateMachine<S, E, C>
  mermaid(): string
}

/**
 * Defines machines of which many are started: orders, jobs, connections.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 */
export function defineStateMachine<S extends string, E extends string, C = unknown>(
  options: StateMachineOptions<S, E, C>,
): StateMachineDefinition<S, E, C> {
  const blueprint = compile(options as unknown as StateMachineOptions<string, string>)
  return new Definition(blueprint) as unknown as StateMachineDefinition<S, E, C>
}

/**
 * A state machine with guarded transitions, hooks, time limits and snapshots. Names of states and events are checked by the types.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example
 * const job = stateMachine({
 *   initial: 'pending',
 *   states: { pending: {}, running: {}, done: {} },
 *   transitions: [{ from: 'pending', to: 'running', event: 'start' }, { from: 'running', to: 'done', event: 'finish' }],
 * })
 * await job.trigger('start')
 */
export function stateMachine<S extends string, E extends string, C = unknown>(
  options: StateMachineOptions<S, E, C>,
): StateMachine<S, E, C> {
  return defineStateMachine(options).start()
}

class Definition implements StateMachineDefinition<string, string> {
  private readonly blueprint: Blueprint

  constructor(blueprint: Blueprint) {
    this.blueprint = blueprint
  }

  get name(): string {
    return this.blueprint.name
  }

  start(): Machine {
    return new Machine(this.blueprint)
  }

  restore(data: unknown): Machine {
    return new Machine(this.blueprint, data)
  }

  mermaid(): string {
    return mermaid(this.blueprint, undefined)
  }
}
