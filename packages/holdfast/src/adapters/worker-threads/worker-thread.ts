import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads'
import { HoldfastError } from '../../core/errors.ts'
import { show } from '../../core/options.ts'
import { reviveError } from './revive-error.ts'
import { workerProgram, type WorkerAnswer } from './worker-program.ts'

export interface ThreadSettings {
  readonly name: string
  /** URL of the module with the tasks. */
  readonly module: string
  readonly resourceLimits: ResourceLimits | undefined
}

/** A job under way. */
interface Job {
  readonly task: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** One worker: does one job at a time until it is ended, or ends by itself. */
export class WorkerThread {
  /** Monotonic ms since which it has had nothing to do. */
  idleSince = 0
  private readonly settings: ThreadSettings
  private readonly worker: Worker
  private readonly gone: Promise<void>
  private job: Job | undefined = undefined
  /** Why it ends: an error that nobody in it caught, or what {@link WorkerThread.end} was told. */
  private reason: unknown = undefined

  constructor(settings: ThreadSettings, ended: (thread: WorkerThread) => void) {
    this.settings = settings
    const { name, module, resourceLimits } = settings
    this.worker = new Worker(workerProgram, {
      eval: true,
      name,
      workerData: { module },
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    })
    this.worker.on('message', (answer: WorkerAnswer) => this.answer(answer))
    this.worker.on('messageerror', (error) => this.settle((job) => job.reject(error)))
    this.worker.on('error', (error: unknown) => (this.reason ??= error))
    this.gone = new Promise((resolve) => {
      this.worker.on('exit', (exitCode) => {
        ended(this)
        this.settle((job) => job.reject(this.lost(job, exitCode)))
        resolve()
      })
    })
  }

  /** Why it ended. */
  get endedBy(): Ending['why'] | 'crashed' {
    return this.reason instanceof Ending ? this.reason.why : 'crashed'
  }

  /**
   * Does a job. Settles when it is answered, or else when the worker is gone: not before.
   * @throws whatever the task throws; HoldfastError `ERR_WORKER_LOST`, `ERR_UNKNOWN_NAME`; DataCloneError for an input that cannot travel.
   */
  run(task: string, input: unknown, transfer: readonly Transferable[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ task, input }, transfer)
      this.worker.ref()
      this.job = { task, resolve, reject }
    })
  }

  /** Lets the process exit although the worker is there. */
  rest(now: number): void {
    this.idleSince = now
    this.worker.unref()
  }

  /** Ends it, whatever it does: a loop in it listens to nothing else. */
  end(reason: Ending): Promise<void> {
    this.reason ??= reason
    void this.worker.terminate()
    return this.gone
  }

  private answer(answer: WorkerAnswer): void {
    this.settle((job) => {
      if (answer.ok) job.resolve(answer.value)
      else job.reject('error' in answer ? reviveError(answer.error) : this.unknownTask(job.task, answer.unknownTask))
    })
  }

  private settle(how: (job: Job) => void): void {
    const { job } = this
    if (job === undefined) return
    this.job = undefined
    how(job)
  }

  private unknownTask(task: string, tasks: readonly string[]): HoldfastError {
    const { name, module } = this.settings
    const message = `${name}: ${module} exports no function ${show(task)}; it exports: ${tasks.join(', ') || 'none'}`
    return new HoldfastError({ code: 'ERR_UNKNOWN_NAME', policy: name, message })
  }

  private lost({ task }: Job, exitCode: number): HoldfastError {
    const { name } = this.settings
    const { reason } = this
    if (reason instanceof Ending) return new HoldfastError({ code: reason.code, policy: name })
    const why = reason === undefined ? `it exited with code ${exitCode}` : reason instanceof Error ? reason.message : show(reason)
    const message = `${name}: the worker ended before it answered ${show(task)}: ${why}`
    return new HoldfastError({ code: 'ERR_WORKER_LOST', policy: name, message, ...(reason === undefined ? {} : { cause: reason }) })
  }
}

/** Why we end a worker, and what the job in it is told. */
export class Ending {
  readonly why: 'idle' | 'cancelled' | 'disposed'
  readonly code: 'ERR_CANCELLED' | 'ERR_DISPOSED'

  constructor(why: 'idle' | 'cancelled' | 'disposed') {
    this.why = why
    this.code = why === 'disposed' ? 'ERR_DISPOSED' : 'ERR_CANCELLED'
  }
}
