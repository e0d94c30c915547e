import { retry, type RetryOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { vi } from 'vitest'

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
  const outcome = policy.tryExecute(flaky(Infinity))
  await clock.settle()
  while (policy.status().waiting > 0) await clock.advance('365d')
  await outcome
  return delays
}

/** Attempts made of a function that always fails, or always answers, the same way. */
export async function attemptsAt(
  answer: { error: unknown } | { value: unknown },
  options: RetryOptions,
  idempotencyKey?: string,
): Promise<number> {
  const run = vi.fn(() => ('error' in answer ? Promise.reject(answer.error as Error) : Promise.resolve(answer.value)))
  await retry({ maxAttempts: 3, initialDelay: 0, maxRetryAfter: Infinity, clock: fakeClock(), ...options }).tryExecute(run, {
    idempotencyKey,
  })
  return run.mock.calls.length
}

export const coded = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more })
export const status = (value: number): Error => Object.assign(new Error(String(value)), { status: value })
