import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ResourceLimits, Transferable } from 'node:worker_threads'
import type { Call } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { HoldfastError } from '../../core/errors.ts'
import { EventHub, type Listener, type Observable, type PolicyEvent } from '../../core/events.ts'
import { checkOptionNames, integerOption, invalidOption, nameOption, show } from '../../core/options.ts'
import { pipeline } from '../../core/pipeline.ts'
import type { CallOptions, HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import {
  bulkhead,
  timeout,
  type Bulkhead,
  type BulkheadEvent,
  type BulkheadStatus,
  type Timeout,
  type TimeoutEvent,
} from '../../patterns/index.ts'
import { WorkerPool, type RestLimits } from './worker-pool.ts'
import { Ending, type WorkerThread } from './worker-thread.ts'

export interface WorkerCompartmentSettings {
  /** Jobs that run at the same time, each in a worker of its own; 1 or more. @defaultValue one less than there are processors, at least 1 */
  readonly maxWorkers?: number
  /** Jobs that may wait for a worker. @defaultValue 0 */
  readonly maxQueued?: number
  /** Longest wait for a worker. @defaultValue no limit but the caller's deadline */
  readonly maxWait?: Duration
  /** A job that takes longer has its worker ended: code that computes listens to nothing else. @defaultValue Infinity */
  readonly timeout?: Duration
  /** A worker that has had nothing to do for so long is ended. @defaultValue '30s' */
  readonly idleAfter?: Duration
}

export interface WorkerCompartmentOptions extends WorkerCompartmentSettings {
  /** The module with the tasks, as `new URL('./tasks.js', import.meta.url)` or an absolute path: each exported function is one, by its name. */
  readonly module: URL | string
  /** How much memory a worker may use; one that needs more crashes alone. @defaultValue Node's own limits */
  readonly resourceLimits?: ResourceLimits
  /** @defaultValue 'worker-compartment' */
  readonly name?: string
  readonly clock?: Clock
}

export interface WorkerEvent extends PolicyEvent {
  readonly type: 'worker.started' | 'worker.ended'
  /** Of one that ended: `crashed` is an error that nobody in it caught, too little memory, or an exit of its own. */
  readonly why?: 'idle' | 'cancelled' | 'disposed' | 'crashed'
}

export type WorkerCompartmentEvent = WorkerEvent | BulkheadEvent | TimeoutEvent

export interface WorkerCompartmentStatus extends Omit<BulkheadStatus, 'kind' | 'maxConcurrent'> {
  readonly kind: 'worker-compartment'
  readonly maxWorkers: number
  /** Workers there are now, and how many of them have nothing to do. */
  readonly workers: number
  readonly idle: number
  /** Ever. */
  readonly started: number
  readonly crashed: number
  readonly timeouts: number
}

export interface JobOptions extends CallOptions {
  /** What is handed over instead of copied: ArrayBuffers, message ports. */
  readonly transfer?: readonly Transferable[]
}

/** Functions that a module of tasks exports: one argument in, one value out, both copied as `structuredClone` does. */
type Tasks = Readonly<Record<string, unknown>>
type InputOf<T> = T extends (input: infer Input, ...rest: never[]) => unknown ? Input : never
type OutputOf<T> = T extends (...args: never[]) => infer Output ? Awaited<Output> : never

/** Worker threads behind a bulkhead. `T`: the module of tasks, `typeof import('./tasks.ts')`. */
export interface WorkerCompartment<T extends Tasks = Tasks> extends Observable<WorkerCompartmentEvent>, AsyncDisposable {
  readonly kind: 'worker-compartment'
  readonly name: string
  /**
   * Runs a task in a worker. A caller who gives up, and a job that takes too long, end the worker: the place is free when it is gone.
   * @throws whatever the task throws, with its name, message, stack, own properties and causes; HoldfastError `ERR_BULKHEAD_FULL`,
   * `ERR_BULKHEAD_WAIT`, `ERR_TIMEOUT`, `ERR_WORKER_LOST` when the worker crashed, `ERR_UNKNOWN_NAME` when there is no such task.
   */
  run<Name extends keyof T & string>(task: Name, input: InputOf<T[Name]>, options?: JobOptions): Promise<OutputOf<T[Name]>>
  describe(): PolicyDescription
  status(): WorkerCompartmentStatus
  health(): HealthRecord
  /**
   * Puts other settings into force: what is left out is as if it had been left out at first. Jobs under way go on.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: WorkerCompartmentSettings): void
  resetStatistics(): void
  /** Turns waiting and later jobs away, ends all workers and the jobs in them, and is done when they are gone. */
  dispose(): Promise<void>
}

const settingNames = ['maxWorkers', 'maxQueued', 'maxWait', 'timeout', 'idleAfter'] as const

/**
 * Runs CPU-bound work in worker threads, so that it can neither block the event loop nor take every processor.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const cpu = workerCompartment<typeof import('./tasks.ts')>({ module: new URL('./tasks.js', import.meta.url), timeout: '10s' }); await cpu.run('parse', text)`
 */
export function workerCompartment<T extends Tasks = Record<string, (input: unknown) => unknown>>(
  options: WorkerCompartmentOptions,
): WorkerCompartment<T> {
  return new Workers(options) as WorkerCompartment<T>
}

class Workers implements WorkerCompartment {
  readonly kind = 'worker-compartment' as const
  readonly name: string
  private readonly clock: Clock
  private readonly module: string
  private readonly events = new EventHub<WorkerEvent>()
  private readonly door: Bulkhead
  private readonly limit: Timeout
  private readonly guarded: Pick<Policy, 'execute'>
  private readonly pool: WorkerPool

  constructor(options: WorkerCompartmentOptions) {
    checkOptionNames('workerCompartment', options, [...settingNames, 'module', 'resourceLimits', 'name', 'clock'])
    this.name = nameOption('worker-compartment', options.name)
    this.clock = options.clock ?? systemClock
    this.module = moduleOption(this.name, options.module)
    const { name, clock, module } = this
    this.door = bulkhead({ ...bulkheadSettings(name, options), name, clock })
    this.limit = timeout({ after: options.timeout ?? Infinity, name, clock })
    this.guarded = pipeline(this.door, this.limit)
    const settings = { name, module, clock, resourceLimits: options.resourceLimits }
    this.pool = new WorkerPool(settings, restLimits(name, options), (change) => this.report(change))
  }

  run(task: string, input: unknown, options: JobOptions = {}): Promise<never> {
    const { transfer = [], ...callOptions } = options
    return this.guarded.execute((call) => this.work(call, task, input, transfer) as Promise<never>, callOptions)
  }

  on(listener: Listener<WorkerCompartmentEvent>): () => void {
    const ends = [this.door.on(listener), this.limit.on(listener), this.events.on(listener)]
    return () => {
      for (const end of ends) end()
    }
  }

  describe(): PolicyDescription {
    const { maxConcurrent, kind: _kind, ...rest } = this.door.describe()
    return { ...rest, kind: this.kind, name: this.name, module: this.module, maxWorkers: maxConcurrent, timeoutMs: this.limit.afterMs }
  }

  status(): WorkerCompartmentStatus {
    const { maxConcurrent, ...figures } = this.door.status()
    return {
      ...figures,
      kind: this.kind,
      maxWorkers: maxConcurrent,
      workers: this.pool.size,
      idle: this.pool.resting,
      started: this.pool.started,
      crashed: this.pool.crashed,
      timeouts: this.limit.status().timeouts,
    }
  }

  health(): HealthRecord {
    return this.door.health()
  }

  reconfigure(settings: WorkerCompartmentSettings): void {
    checkOptionNames(this.name, settings, settingNames)
    const limits = restLimits(this.name, settings)
    durationMs(this.name, 'timeout', settings.timeout ?? Infinity, { min: 1, allowInfinity: true })
    this.door.reconfigure(bulkheadSettings(this.name, settings))
    this.limit.reconfigure({ after: settings.timeout ?? Infinity })
    this.pool.reconfigure(limits)
  }

  resetStatistics(): void {
    this.door.resetStatistics()
  }

  async dispose(): Promise<void> {
    this.door.dispose()
    await this.pool.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  /** One job, in a worker of its own. What is answered settles the promise; when nobody waits any more, the worker's end does. */
  private async work(call: Call, task: string, input: unknown, transfer: readonly Transferable[]): Promise<unknown> {
    if (typeof task !== 'string') {
      throw new HoldfastError({
        code: 'ERR_INVALID_ARGUMENT',
        policy: this.name,
        message: `${this.name}: the task must be a name, got ${show(task)}`,
      })
    }
    const thread = this.pool.take()
    const abandonment = new Abandonment(this.pool, thread)
    call.onCancel(abandonment)
    try {
      return await thread.run(task, input, transfer)
    } finally {
      call.offCancel(abandonment)
      this.pool.giveBack(thread)
    }
  }

  private report(change: 'started' | NonNullable<WorkerEvent['why']>): void {
    if (!this.events.active) return
    const event = { policy: this.name, at: this.clock.wallNow() }
    this.events.emit(change === 'started' ? { ...event, type: 'worker.started' } : { ...event, type: 'worker.ended', why: change })
  }
}

/** Hears that nobody waits for a job any more. */
class Abandonment {
  private readonly pool: WorkerPool
  private readonly thread: WorkerThread

  constructor(pool: WorkerPool, thread: WorkerThread) {
    this.pool = pool
    this.thread = thread
  }

  cancel(): void {
    void this.pool.end(this.thread, new Ending('cancelled'))
  }
}

function bulkheadSettings(name: string, { maxWorkers, maxQueued, maxWait }: WorkerCompartmentSettings) {
  return {
    maxConcurrent: workersOption(name, maxWorkers),
    ...(maxQueued === undefined ? {} : { maxQueued }),
    ...(maxWait === undefined ? {} : { maxWait }),
  }
}

function restLimits(name: string, { maxWorkers, idleAfter = '30s' }: WorkerCompartmentSettings): RestLimits {
  return { maxIdle: workersOption(name, maxWorkers), idleAfterMs: durationMs(name, 'idleAfter', idleAfter, { allowInfinity: true }) }
}

function workersOption(name: string, maxWorkers = Math.max(1, availableParallelism() - 1)): number {
  return integerOption(name, 'maxWorkers', maxWorkers, { min: 1, max: 1_000 })
}

function moduleOption(name: string, module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href
  if (typeof module === 'string' && /^(file|data|node):/.test(module)) return module
  throw invalidOption(name, 'module', module, `a URL, as new URL('./tasks.js', import.meta.url), or an absolute path`)
}
