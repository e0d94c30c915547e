import type { Call, CallState } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { DeadlineList } from '../../core/deadline-list.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { errorWithoutStack } from '../../core/errors.ts'
import { EventHub, type Listener, type PolicyEvent } from '../../core/events.ts'
import type { Flow, Layer, Sink } from '../../core/layer.ts'
import { checkOptionNames, nameOption } from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { BasePolicy, type Policy, type PolicyDescription } from '../../core/policy.ts'
import { refusal } from '../../core/refusal.ts'
import { TimeLimitRun, type TimeLimitOwner } from '../../core/time-limit.ts'

export interface TimeoutOptions {
  /** How long a call may take until it answers; 1 ms or more. `Infinity` never times out. */
  readonly after: Duration
  /** @defaultValue 'timeout' */
  readonly name?: string
  readonly clock?: Clock
}

export interface TimeoutFired extends PolicyEvent {
  readonly type: 'timeout.fired'
  readonly afterMs: number
}

/** Work that had been given up has ended after all. */
export interface TimeoutLate extends PolicyEvent {
  readonly type: 'timeout.late'
}

export type TimeoutEvent = TimeoutFired | TimeoutLate

export interface TimeoutStatus {
  readonly kind: 'timeout'
  readonly name: string
  readonly afterMs: number
  /** Calls that were given up, ever. */
  readonly timeouts: number
  /** Calls that have been given up while their work still runs. */
  readonly abandoned: number
  readonly [figure: string]: unknown
}

/** What may change while a timeout is in use. */
export type TimeoutSettings = Pick<TimeoutOptions, 'after'>

export interface Timeout extends Policy<TimeoutEvent> {
  readonly kind: 'timeout'
  readonly afterMs: number
  status(): TimeoutStatus
  /**
   * Puts another duration into force, for the calls to come; those under way keep theirs. Figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: TimeoutSettings): void
}

/**
 * Gives a call up when it has not answered in time: its caller has `ERR_TIMEOUT` at once, its `signal` is aborted, and what
 * it still brings reaches nobody. Outside a retry it limits all attempts together, inside one each attempt.
 * @throws HoldfastError `ERR_TIMEOUT`; `ERR_DEADLINE_EXCEEDED` when the deadline outside has passed before the call begins.
 * @example `await timeout('2s').execute(({ signal }) => fetch(url, { signal }))`
 */
export function timeout(options: Duration | TimeoutOptions): Timeout {
  if (typeof options !== 'object') return new TimeoutPolicy({ after: options })
  checkOptionNames('timeout', options, ['after', 'name', 'clock'])
  return new TimeoutPolicy(options)
}

class TimeoutPolicy extends BasePolicy<TimeoutEvent> implements Timeout {
  readonly kind = 'timeout' as const
  readonly [parts]: readonly Flow[]
  private readonly flow: TimeoutFlow

  constructor(options: TimeoutOptions) {
    const name = nameOption('timeout', options.name)
    super(name, options.clock ?? systemClock)
    this.flow = new TimeoutFlow(name, this.clock, afterOption(name, options.after))
    this[parts] = [this.flow]
  }

  get afterMs(): number {
    return this.flow.limit.afterMs
  }

  reconfigure(settings: TimeoutSettings): void {
    checkOptionNames(this.name, settings, ['after'])
    this.flow.reconfigure(afterOption(this.name, settings.after))
  }

  on(listener: Listener<TimeoutEvent>): () => void {
    return this.flow.events.on(listener)
  }

  describe(): PolicyDescription {
    return { kind: this.kind, name: this.name, ...(this.afterMs === Infinity ? {} : { afterMs: this.afterMs }) }
  }

  status(): TimeoutStatus {
    return { kind: this.kind, name: this.name, afterMs: this.afterMs, timeouts: this.flow.timeouts, abandoned: this.flow.abandoned }
  }
}

function afterOption(name: string, after: unknown): number {
  return durationMs(name, 'after', after, { min: 1, allowInfinity: true })
}

class TimeoutFlow implements Flow {
  readonly kind = 'flow' as const
  readonly events = new EventHub<TimeoutEvent>()
  readonly name: string
  readonly clock: Clock
  timeouts = 0
  abandoned = 0
  limit: TimeLimit

  constructor(name: string, clock: Clock, afterMs: number) {
    this.name = name
    this.clock = clock
    this.limit = new TimeLimit(this, afterMs)
  }

  reconfigure(afterMs: number): void {
    if (afterMs !== this.limit.afterMs) this.limit = new TimeLimit(this, afterMs)
  }

  start(next: Layer, outer: Call, out: Sink): void {
    const now = this.clock.now()
    if (outer.deadlineAt <= now) {
      out.settle(false, refusal('ERR_DEADLINE_EXCEEDED', this.name)) // its timer is late; no work is begun
      return
    }
    const { limit } = this
    const deadlineAt = Math.min(outer.deadlineAt, now + limit.afterMs)
    const run = new TimeLimitRun(limit, (outer as CallState).child(outer.attempt, deadlineAt, true), out)
    limit.waiting.add(run, now)
    next.start(run.call, run)
  }

  timeIsUp(run: TimeLimitRun, afterMs: number): unknown {
    this.timeouts++
    if (this.events.active) this.events.emit({ type: 'timeout.fired', policy: this.name, at: this.clock.wallNow(), afterMs })
    queueMicrotask(() => this.watchAbandoned(run.call))
    return errorWithoutStack({ code: 'ERR_TIMEOUT', policy: this.name, message: `${this.name}: no answer within ${afterMs} ms` })
  }

  /** Counts work that goes on although its caller was told. */
  private watchAbandoned(call: CallState): void {
    if (!call.open) return
    this.abandoned++
    const waiter = {
      ended: (): void => {
        if (call.open) {
          call.whenEnded(waiter)
          return
        }
        this.abandoned--
        if (this.events.active) this.events.emit({ type: 'timeout.late', policy: this.name, at: this.clock.wallNow() })
      },
    }
    call.whenEnded(waiter)
  }
}

/** A duration that was configured, and the calls that it limits: they keep it when another one takes its place. */
class TimeLimit implements TimeLimitOwner {
  readonly afterMs: number
  readonly waiting: DeadlineList
  private readonly flow: TimeoutFlow

  constructor(flow: TimeoutFlow, afterMs: number) {
    this.flow = flow
    this.afterMs = afterMs
    this.waiting = new DeadlineList(flow.clock, afterMs)
  }

  disarm(run: TimeLimitRun): void {
    this.waiting.remove(run)
  }

  timeIsUp(run: TimeLimitRun): unknown {
    return this.flow.timeIsUp(run, this.afterMs)
  }
}
