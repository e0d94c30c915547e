import type { Clock } from 'holdfast'
import type { TaskResult } from './agent.ts'
import { failureReason } from './failure-reason.ts'
import { LaneStatistics } from './lane-statistics.ts'
import type { Task } from './task.ts'

export interface LaneOptions {
  /** Does a task. A lane never cancels it: whether work for a user who has left goes on is up to whoever does the work. */
  readonly run: (task: Task) => Promise<TaskResult>
  /** How long the user of a task waits. */
  readonly deadlineMs: number
  readonly clock: Clock
  /** Tasks that may run at once; more are dropped and counted, so that a lane that piles up cannot take the machine with it. @defaultValue 500 */
  readonly maxRunning?: number
}

/** One way of doing the tasks, with what became of them. */
export interface Lane {
  readonly statistics: LaneStatistics
  /** A task arrives, whether or not others have ended, in a phase of the script. */
  submit(task: Task, phase: string): void
  /** Tasks whose users wait. */
  readonly waiting: number
  /** Tasks that still run although their users have left. */
  readonly abandoned: number
  /** The most tasks that ever ran at once. */
  readonly peakRunning: number
  closeSecond(llmRequests: number): void
}

export function lane(options: LaneOptions): Lane {
  return new OpenLoopLane(options)
}

class OpenLoopLane implements Lane {
  readonly statistics = new LaneStatistics()
  waiting = 0
  abandoned = 0
  peakRunning = 0
  private readonly options: Required<LaneOptions>

  constructor(options: LaneOptions) {
    this.options = { maxRunning: 500, ...options }
  }

  submit(task: Task, phase: string): void {
    this.statistics.count('arrived', phase)
    if (this.waiting + this.abandoned < this.options.maxRunning) void this.follow(task, phase)
    else this.statistics.count('dropped', phase)
  }

  closeSecond(llmRequests: number): void {
    const { waiting, abandoned } = this
    this.statistics.closeSecond(this.options.clock.wallNow(), { waiting, abandoned, llmRequests })
  }

  private async follow(task: Task, phase: string): Promise<void> {
    const { clock, deadlineMs, run } = this.options
    const arrivedAt = clock.now()
    let userWaits = true
    this.waiting++
    this.peakRunning = Math.max(this.peakRunning, this.waiting + this.abandoned)
    const patience = clock.setTimer(() => {
      userWaits = false
      this.waiting--
      this.abandoned++
      this.statistics.count('late', phase)
    }, deadlineMs)

    const ended = await run(task).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    )
    if (!userWaits) {
      this.abandoned--
      return
    }
    patience.cancel()
    this.waiting--
    const latencyMs = clock.now() - arrivedAt
    if (latencyMs >= deadlineMs) this.statistics.count('late', phase)
    else if ('result' in ended) this.statistics.finish(latencyMs, ended.result.degraded, phase)
    else this.statistics.fail(failureReason(ended.error), phase)
  }
}
