import type { Clock, Timer } from 'holdfast'
import { arrivals, type Task } from './task.ts'

export interface ArrivalOptions {
  readonly seed: number
  /** Mean number of tasks per second. */
  readonly perSecond: number
  readonly clock: Clock
  /** Receives every task once; hands the same one to every lane. */
  readonly submit: (task: Task) => void
}

/** After a longer pause (a sleeping machine, say) the tasks that would have come meanwhile do not come all at once. */
const longestCatchUpMs = 2_000

/** Lets tasks arrive, open loop: nobody waits for an earlier one to end. Returns the function that ends it. */
export function driveArrivals(options: ArrivalOptions): () => void {
  const { seed, perSecond, clock, submit } = options
  const schedule = arrivals(seed, perSecond)
  let next = schedule.next().value
  let origin = clock.now()
  let timer: Timer | undefined

  const submitDue = (): void => {
    const lateMs = clock.now() - (origin + next.atMs)
    if (lateMs > longestCatchUpMs) origin += lateMs
    while (origin + next.atMs <= clock.now()) {
      submit(next.task)
      next = schedule.next().value
    }
    timer = clock.setTimer(submitDue, origin + next.atMs - clock.now())
  }
  timer = clock.setTimer(submitDue, next.atMs)
  return () => timer?.cancel()
}
