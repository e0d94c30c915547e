import type { Priority } from '../core/call.ts'
import type { Distribution } from './distribution.ts'
import type { Schedule } from './schedule.ts'

/** What the pipeline protects its callers from: workers behind one queue, with everything that can go wrong there. Durations in ms. */
export interface SimulatedDependency {
  /** Calls that are worked on at the same time, 1 or more; Infinity for a dependency that never queues. */
  readonly workers: number
  /** Calls that may wait for a worker, first come first served; the next one fails at once with status 503. @defaultValue Infinity */
  readonly maxQueued?: number
  /** How long a worker needs for a call. */
  readonly service: Distribution
  /** Factor on `service`; 3 is a dependency that lost two thirds of its capacity. @defaultValue 1 */
  readonly slowdown?: Schedule
  /** Share of calls that fail with status 500. @defaultValue 0 */
  readonly failureRatio?: Schedule
  /** How long a failing call takes, without a worker. @defaultValue as long as others, on a worker */
  readonly failAfter?: Distribution
  /** Share of calls that never answer. They occupy no worker, as a packet that was lost does not. @defaultValue 0 */
  readonly hangRatio?: Schedule
  /** After how many ms a call that hangs fails with status 504. @defaultValue Infinity */
  readonly hangsForMs?: number
  /** Time on the way, which occupies no worker: a longer cable, a slower proxy. @defaultValue 0 */
  readonly addedLatencyMs?: Schedule
  /** Times at which all workers stand still, as in a garbage collection. In order, not overlapping. */
  readonly pauses?: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** What the dependency does with a call that was cancelled: works on, drops it from the queue, or stops at once. @defaultValue 'never' */
  readonly stopsOnCancel?: 'never' | 'queued' | 'always'
}

/** A stream of requests. It is an open loop: nobody waits for an answer before the next request comes. */
export interface SimulatedLoad {
  /** Requests per second. */
  readonly rate: Schedule
  /** Poisson, or evenly spaced. @defaultValue 'poisson' */
  readonly arrivals?: 'poisson' | 'regular'
  /** How long a caller waits for one try, in ms; an answer after that is worth nothing. @defaultValue Infinity */
  readonly deadlineMs?: number
  /** Whether the pipeline is told of the deadline, and may give the call up then. @defaultValue false */
  readonly passDeadline?: boolean
  /** How often the caller itself asks again, whatever the reason. @defaultValue 0 */
  readonly retries?: number
  /** How long it waits before that. @defaultValue not at all */
  readonly retryDelay?: Distribution
  /** @defaultValue 'normal' */
  readonly priority?: Priority
  /** First and last client, counted from 0, that sends these requests. @defaultValue all of them */
  readonly clients?: readonly [number, number]
}

export interface ScenarioPhase {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

/** A world to put a pipeline into. Plain data, unless a schedule is a function. */
export interface Scenario {
  readonly name: string
  /** What happens in it, in a sentence. */
  readonly title: string
  readonly durationMs: number
  readonly load: SimulatedLoad | readonly SimulatedLoad[]
  /** Several are shards: each request belongs to one of them by chance, and carries its number as key: `'shard-0'` … */
  readonly dependency: SimulatedDependency | readonly SimulatedDependency[]
  /** Processes, each with a pipeline of its own, before the same dependency. @defaultValue 1 */
  readonly clients?: number
  /** Parts of the run that are reported by themselves, by the time at which a request came. */
  readonly phases?: readonly ScenarioPhase[]
}
