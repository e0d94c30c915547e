import { retry, type RetryOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'

/** An error that is worth another attempt. */
export function transientError(message = 'connection reset'): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code: 'ECONNRESET' })
}

export interface Flaky {
  (): Promise<string>
  calls: number
}

/** Fails with a transient error so many times, then answers 'done'. */
export function flaky(failures: number): Flaky {
  const run: Flaky = async () => {
    run.calls++
    if (run.calls <= failures) throw transientError(`failure ${run.calls}`)
    return 'done'
  }
  run.calls = 0
  return run
}

/** The delays between so many attempts that all fail. */
export async function delaysOf(attempts: number, options: RetryOptions): Promise<number[]> {
  const clock = fakeClock()
  const delays: number[] = []
  const policy = retry({ ...options, maxAttempts: attempts, clock, onRetry: ({ delayMs }) => delays.push(delayMs) })
  let over = false
  const outcome = policy.tryExecute(flaky(Infinity)).finally(() => {
    over = true
  })
  while (!over) await clock.advance('365d')
  await outcome
  return delays
}
