import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs } from '../../core/duration.ts'
import { checkOptionNames, functionOption, integerOption, invalidOption, nameOption } from '../../core/options.ts'
import { suggest } from '../../core/suggest.ts'
import type { StateMachineOptions, StateOptions, TransitionInfo, TransitionOptions } from './options.ts'

type AnyHook = (info: TransitionInfo<string, string>) => unknown

/** A state with what leads out of it. */
export interface State {
  readonly name: string
  readonly onEnter: AnyHook | undefined
  readonly onExit: AnyHook | undefined
  readonly timeoutMs: number
  readonly timeoutEvent: string | undefined
  /** By event; in the order in which guards are asked. */
  readonly exits: Map<string, Edge[]>
}

export interface Edge {
  readonly from: State
  readonly to: State
  readonly event: string
  readonly guard: ((info: TransitionInfo<string, string>) => boolean) | undefined
  readonly action: AnyHook | undefined
  /** Nothing of the user's is called, and no time limit begins or ends. */
  readonly isPlain: boolean
}

/** A definition, checked and made ready. Machines share it. */
export interface Blueprint {
  readonly name: string
  readonly initial: State
  readonly states: ReadonlyMap<string, State>
  readonly events: readonly string[]
  readonly version: number
  readonly migrate: ((snapshot: Readonly<Record<string, unknown>>) => unknown) | undefined
  readonly maxHistory: number
  readonly maxPending: number
  readonly context: unknown
  readonly clock: Clock
}

const optionNames = ['name', 'initial', 'states', 'transitions', 'context', 'version', 'migrate', 'maxHistory', 'maxPending', 'clock']

/** @throws HoldfastError `ERR_INVALID_OPTION`. */
export function compile(options: StateMachineOptions<string, string>): Blueprint {
  checkOptionNames('stateMachine', options, optionNames)
  const name = nameOption('state-machine', options.name)
  if (typeof options.states !== 'object' || options.states === null || Object.keys(options.states).length === 0)
    throw invalidOption(name, 'states', options.states, 'an object with at least one state')
  if (!Array.isArray(options.transitions)) throw invalidOption(name, 'transitions', options.transitions, 'a list of transitions')
  const states = new Map(Object.entries(options.states).map(([state, settings]) => [state, newState(name, state, settings)]))
  const find = (option: string, state: unknown): State => {
    const found = typeof state === 'string' ? states.get(state) : undefined
    if (found !== undefined) return found
    const near = typeof state === 'string' ? suggest(state, [...states.keys()]) : undefined
    throw invalidOption(name, option, state, `one of the states${near === undefined ? '' : ` (did you mean '${near}'?)`}`)
  }
  const events = new Set<string>()
  for (const [index, transition] of options.transitions.entries()) {
    const where = `transitions[${index}]`
    checkOptionNames(`${name}/${where}`, transition, ['from', 'to', 'event', 'guard', 'action'])
    const { event, from } = transition
    if (typeof event !== 'string' || event === '') throw invalidOption(name, `${where}.event`, event, 'a text')
    events.add(event)
    const to = find(`${where}.to`, transition.to)
    for (const each of typeof from === 'string' ? [from] : from) addEdge(name, where, find(`${where}.from`, each), to, transition)
  }
  for (const { name: state, timeoutEvent, exits } of states.values()) {
    if (timeoutEvent !== undefined && !exits.has(timeoutEvent))
      throw invalidOption(name, `states.${state}.timeout.event`, timeoutEvent, `an event that leads out of '${state}'`)
  }
  return {
    name,
    initial: find('initial', options.initial),
    states,
    events: [...events],
    version: integerOption(name, 'version', options.version ?? 1),
    migrate: functionOption(name, 'migrate', options.migrate),
    maxHistory: integerOption(name, 'maxHistory', options.maxHistory ?? 16, { max: 100_000 }),
    maxPending: integerOption(name, 'maxPending', options.maxPending ?? 1_000, { max: 1_000_000 }),
    context: options.context,
    clock: options.clock ?? systemClock,
  }
}

function newState(owner: string, name: string, settings: StateOptions<string, string, unknown>): State {
  const where = `states.${name}`
  checkOptionNames(`${owner}/${where}`, settings, ['onEnter', 'onExit', 'timeout'])
  const { timeout } = settings
  if (timeout !== undefined) checkOptionNames(`${owner}/${where}.timeout`, timeout, ['after', 'event'])
  return {
    name,
    onEnter: functionOption(owner, `${where}.onEnter`, settings.onEnter),
    onExit: functionOption(owner, `${where}.onExit`, settings.onExit),
    timeoutMs: timeout === undefined ? Infinity : durationMs(owner, `${where}.timeout.after`, timeout.after, { min: 1 }),
    timeoutEvent: timeout?.event,
    exits: new Map(),
  }
}

function addEdge(owner: string, where: string, from: State, to: State, transition: TransitionOptions<string, string, unknown>): void {
  const { event } = transition
  const edges = from.exits.get(event) ?? []
  if (edges.some(({ guard }) => guard === undefined)) {
    const problem = `reachable: another transition from '${from.name}' by this event has no guard and comes first`
    throw invalidOption(owner, where, event, problem)
  }
  const guard = functionOption(owner, `${where}.guard`, transition.guard)
  const action = functionOption(owner, `${where}.action`, transition.action)
  const called = [guard, action, from.onExit, to.onEnter, from.timeoutEvent, to.timeoutEvent]
  edges.push({ from, to, event, guard, action, isPlain: called.every((each) => each === undefined) })
  from.exits.set(event, edges)
}
