import { deadlineHeap } from '../../core/deadline-heap.ts'
import { errorWithoutStack, HoldfastError, type ErrorCode } from '../../core/errors.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import { runSoon } from '../../core/microtasks.ts'
import { show } from '../../core/options.ts'
import { askPredicate, isThenable } from '../../core/predicate.ts'
import { suggest } from '../../core/suggest.ts'
import type { Blueprint, Edge, State } from './compile.ts'
import type { StateMachineEvent } from './events.ts'
import { entriesOf, latestIn, remember, type History, type HistoryEntry, type Step } from './history.ts'
import type { TransitionInfo } from './options.ts'
import { mermaid } from './picture.ts'
import { StateTimer } from './state-timer.ts'
import { Info } from './transition-info.ts'
import { readSnapshot, type MachineSnapshot } from './snapshot.ts'
import type { StateMachine, StateMachineDescription, StateMachineStatus } from './state-machine.ts'

/** A trigger that waits for the transition under way to end. */
interface Pending {
  readonly event: string
  readonly payload: unknown
  /** Set for a state's time limit: the stay it belongs to. */
  readonly stay: number | undefined
  readonly resolve: (state: string) => void
  readonly reject: (error: unknown) => void
}

/** What only machines need that wait, listen or have a limited time. */
class MachineExtras {
  readonly raised: Pending[] = []
  readonly pending: Pending[] = []
  /** Promises of triggers that wait: a hook must not be waited for until one of them is kept. */
  readonly waits = new WeakSet<object>()
  readonly events = new EventHub<StateMachineEvent>()
  unfinished: string | undefined = undefined
  disposed = false
  timer: StateTimer | undefined = undefined
}

/** One machine. Most of what it is, its blueprint knows. */
export class Machine implements StateMachine<string, string> {
  readonly blueprint: Blueprint
  readonly context: unknown
  private state: State
  /** The event whose transition is under way. */
  private underWay: string | undefined = undefined
  /** The latest transitions; or only when the state was entered, in epoch ms, where none are kept. */
  private past: History | number | undefined = undefined
  private extras: MachineExtras | undefined = undefined

  constructor(blueprint: Blueprint, snapshot?: unknown) {
    this.blueprint = blueprint
    this.state = blueprint.initial
    this.context = blueprint.context === undefined ? undefined : structuredClone(blueprint.context)
    if (snapshot === undefined) this.startTimer(this.state.timeoutMs)
    else this.deserialize(snapshot)
  }

  get kind(): 'state-machine' {
    return 'state-machine'
  }

  get name(): string {
    return this.blueprint.name
  }

  get currentState(): string {
    return this.state.name
  }

  get unfinished(): string | null {
    return this.extras?.unfinished ?? null
  }

  trigger(event: string, payload?: unknown): Promise<string> {
    if (this.isTaken) return this.enqueue(this.more().pending, event, payload)
    try {
      return Promise.resolve(this.perform(event, payload))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  send(event: string, payload?: unknown): string {
    if (this.isTaken)
      throw this.fault('ERR_TRANSITION_BUSY', `'${event}' cannot be sent while a transition is under way: trigger() waits for its end`)
    const answer = this.perform(event, payload)
    if (typeof answer === 'string') return answer
    answer.catch(() => undefined) // an event has told of it
    return this.state.name
  }

  canTransition(event: string, payload?: unknown): boolean {
    const edges = this.state.exits.get(event)
    if (edges === undefined || this.extras?.disposed === true) return false
    try {
      return this.choose(edges, event, payload) !== undefined
    } catch {
      return false
    }
  }

  validTransitions(): string[] {
    return [...this.state.exits.keys()].filter((event) => this.canTransition(event))
  }

  history(): HistoryEntry[] {
    return entriesOf(this.kept, this.blueprint.maxHistory)
  }

  serialize(): MachineSnapshot {
    const { extras, state, context } = this
    const timer = extras?.timer
    const isLimited = timer !== undefined && timer.place >= 0
    return {
      machine: this.name,
      version: this.blueprint.version,
      state: state.name,
      enteredAt: this.enteredAt() ?? null,
      timeoutAt: isLimited ? Math.round(this.blueprint.clock.wallNow() + Math.max(0, timer.dueAt - this.blueprint.clock.now())) : null,
      unfinished: this.underWay ?? extras?.unfinished ?? null,
      history: this.history(),
      ...(context === undefined ? {} : { context: structuredClone(context) }),
    }
  }

  deserialize(data: unknown): void {
    if (this.underWay !== undefined) throw this.fault('ERR_TRANSITION_BUSY', 'a machine cannot be restored while a transition is under way')
    const { state, enteredAt, timeoutAt, unfinished, history, context } = readSnapshot(this.blueprint, data)
    this.stopTimer()
    this.state = state
    if (unfinished !== undefined) this.more().unfinished = unfinished
    else if (this.extras !== undefined) this.extras.unfinished = undefined
    if (context !== undefined) (this as { context: unknown }).context = structuredClone(context)
    this.past = enteredAt
    for (const entry of history) this.past = remember(this.kept, this.blueprint.maxHistory, entry, entry.at)
    // a wall clock that was set back must not make the time longer than it is as a whole
    const leftMs = timeoutAt === undefined ? state.timeoutMs : timeoutAt - this.blueprint.clock.wallNow()
    if (state.timeoutMs !== Infinity) this.startTimer(Math.min(state.timeoutMs, Math.max(0, leftMs)))
  }

  describe(): StateMachineDescription {
    const { name, initial, states, events } = this.blueprint
    const transitions = [...states.values()].flatMap(({ exits }) =>
      [...exits.values()]
        .flat()
        .map(({ from, to, event, guard }) => ({ from: from.name, to: to.name, event, guarded: guard !== undefined })),
    )
    return { kind: this.kind, name, initial: initial.name, states: [...states.keys()], events, transitions }
  }

  mermaid(): string {
    return mermaid(this.blueprint, this.state.name)
  }

  status(): StateMachineStatus {
    const { extras } = this
    return {
      kind: this.kind,
      name: this.name,
      state: this.state.name,
      enteredAt: this.enteredAt() ?? null,
      busy: this.underWay !== undefined,
      pending: extras === undefined ? 0 : extras.pending.length + extras.raised.length,
    }
  }

  on(listener: Listener<StateMachineEvent>): () => void {
    return this.more().events.on(listener)
  }

  dispose(): void {
    const extras = this.more()
    extras.disposed = true
    this.stopTimer()
    for (const { reject } of [...extras.raised.splice(0), ...extras.pending.splice(0)]) reject(this.disposedError())
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** For hooks: what is to happen right after the transition under way. */
  raise(event: string, payload: unknown): void {
    const extras = this.more()
    this.enqueue(this.underWay === undefined ? extras.pending : extras.raised, event, payload).catch(() => undefined)
    if (this.underWay === undefined) runSoon(this)
  }

  /** The time of a state is over. */
  timeIsUp(event: string, stay: number): void {
    const extras = this.more()
    this.enqueue(extras.pending, event, undefined, stay).catch(() => undefined)
    if (this.underWay === undefined) runSoon(this)
  }

  /** Makes the transitions that wait, for as long as they end at once. */
  proceed(): void {
    const extras = this.more()
    while (this.underWay === undefined) {
      const next = extras.raised.shift() ?? extras.pending.shift()
      if (next === undefined) return
      const { event, payload, stay, resolve, reject } = next
      if (stay !== undefined && stay !== extras.timer?.stay) continue // the state was left meanwhile
      try {
        const answer = this.perform(event, payload)
        if (typeof answer === 'string') resolve(answer)
        else answer.then(resolve, reject)
      } catch (error) {
        reject(error)
      }
    }
  }

  /** The new state's name, or the promise of it when a hook takes its time. */
  private perform(event: string, payload: unknown): string | Promise<string> {
    const edges = this.state.exits.get(event)
    if (edges === undefined) throw this.invalid(event)
    const first = edges[0] as Edge
    if (!first.isPlain || this.extras?.disposed === true) return this.performWithHooks(edges, event, payload)
    this.enter(first)
    return first.to.name
  }

  private performWithHooks(edges: readonly Edge[], event: string, payload: unknown): string | Promise<string> {
    if (this.extras?.disposed === true) throw this.disposedError()
    this.underWay = event
    try {
      const edge = this.choose(edges, event, payload)
      if (edge === undefined) throw this.refused(event)
      const info = new Info(this, edge, payload)
      const left = this.call(edge.from.onExit, info)
      if (left !== undefined)
        return this.goOn(
          edge,
          info,
          left.then(() => this.call(edge.action, info)),
        )
      const acted = this.call(edge.action, info)
      if (acted !== undefined) return this.goOn(edge, info, acted)
      this.enter(edge)
      const entered = this.call(edge.to.onEnter, info)
      if (entered !== undefined) return this.goOn(edge, info, entered, true)
    } catch (error) {
      this.failed(event, error)
      throw error
    }
    this.ended()
    return this.state.name
  }

  /** The rest of a transition, after a hook that takes its time. */
  private async goOn(edge: Edge, info: Info, hook: PromiseLike<unknown>, isIn = false): Promise<string> {
    try {
      await hook
      if (!isIn) {
        if (this.extras?.disposed === true) throw this.disposedError()
        this.enter(edge)
        await this.call(edge.to.onEnter, info)
      }
    } catch (error) {
      this.failed(edge.event, error)
      throw error
    }
    this.ended()
    return edge.to.name
  }

  /** Calls a hook; answers with what has to be waited for. */
  private call(hook: ((info: TransitionInfo<string, string>) => unknown) | undefined, info: Info): Promise<unknown> | undefined {
    const answer: unknown = hook === undefined ? undefined : hook(info)
    return isThenable(answer) && this.extras?.waits.has(answer) !== true ? Promise.resolve(answer) : undefined
  }

  private choose(edges: readonly Edge[], event: string, payload: unknown): Edge | undefined {
    for (const edge of edges) {
      if (edge.guard === undefined || askPredicate(`the guard of '${event}'`, edge.guard, new Info(this, edge, payload))) return edge
    }
    return undefined
  }

  private enter(edge: Edge): void {
    const at = this.blueprint.clock.wallNow()
    const { extras } = this
    this.state = edge.to
    this.keep(edge, at)
    if (extras !== undefined) extras.unfinished = undefined
    if (edge.from.timeoutEvent !== undefined) this.stopTimer()
    if (edge.to.timeoutEvent !== undefined) this.startTimer(edge.to.timeoutMs)
    if (extras?.events.active === true)
      extras.events.emit({ type: 'state.entered', policy: this.name, at, from: edge.from.name, to: edge.to.name, event: edge.event })
  }

  private keep(edge: Step, at: number): void {
    const { maxHistory } = this.blueprint
    this.past = maxHistory > 0 ? remember(this.kept, maxHistory, edge, at) : at
  }

  private ended(): void {
    const { extras } = this
    this.underWay = undefined
    if (extras !== undefined && extras.raised.length + extras.pending.length > 0) runSoon(this)
  }

  private failed(event: string, error: unknown): void {
    this.ended()
    const events = this.extras?.events
    if (events?.active !== true) return
    const what = { policy: this.name, at: this.blueprint.clock.wallNow(), state: this.state.name, event }
    if ((error as { code?: unknown } | null)?.code === 'ERR_TRANSITION_REFUSED') events.emit({ type: 'state.transition-refused', ...what })
    else events.emit({ type: 'state.transition-failed', ...what, error })
  }

  private enqueue(line: Pending[], event: string, payload: unknown, stay?: number): Promise<string> {
    const extras = this.more()
    if (extras.disposed) return Promise.reject(this.disposedError())
    const { maxPending } = this.blueprint
    if (line === extras.pending && stay === undefined && line.length >= maxPending)
      return Promise.reject(this.fault('ERR_TRANSITION_BUSY', `${maxPending} triggers wait already, as many as may`))
    const waiting = new Promise<string>((resolve, reject) => line.push({ event, payload, stay, resolve, reject }))
    extras.waits.add(waiting)
    return waiting
  }

  private startTimer(afterMs: number): void {
    const { timeoutEvent } = this.state
    if (timeoutEvent === undefined) return
    const extras = this.more()
    const timer = (extras.timer ??= new StateTimer(this))
    timer.event = timeoutEvent
    timer.dueAt = this.blueprint.clock.now() + afterMs
    deadlineHeap(this.blueprint.clock).add(timer)
  }

  private stopTimer(): void {
    const timer = this.extras?.timer
    if (timer === undefined) return
    timer.stay++
    deadlineHeap(this.blueprint.clock).remove(timer)
  }

  /** A transition is under way, or some wait. */
  private get isTaken(): boolean {
    const { extras } = this
    return this.underWay !== undefined || (extras !== undefined && extras.raised.length + extras.pending.length > 0)
  }

  private get kept(): History | undefined {
    return typeof this.past === 'number' ? undefined : this.past
  }

  private enteredAt(): number | undefined {
    return typeof this.past === 'number' ? this.past : latestIn(this.past, this.blueprint.maxHistory)
  }

  private more(): MachineExtras {
    return (this.extras ??= new MachineExtras())
  }

  private invalid(event: string): HoldfastError {
    const valid = [...this.state.exits.keys()]
    const near = typeof event === 'string' ? suggest(event, valid) : undefined
    const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
    const out = valid.length === 0 ? 'nothing leads out of it' : `there is ${valid.map((each) => `'${each}'`).join(', ')}`
    return this.fault('ERR_INVALID_TRANSITION', `there is no ${show(event)} in the state '${this.state.name}'${hint}; ${out}`)
  }

  private refused(event: string): HoldfastError {
    return this.fault('ERR_TRANSITION_REFUSED', `no guard lets '${event}' pass in the state '${this.state.name}'`)
  }

  private disposedError(): HoldfastError {
    return errorWithoutStack({ code: 'ERR_DISPOSED', policy: this.name })
  }

  private fault(code: ErrorCode, problem: string): HoldfastError {
    return errorWithoutStack({ code, policy: this.name, message: `${this.name}: ${problem}` })
  }
}
