import {
  circuitBreaker,
  type CallOptions,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitEvent,
  type Observable,
  type Outcome,
  type Permit,
} from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'

/** A call whose function has not answered, unless it was refused. */
export interface RunningCall {
  /** Whether the function was called. */
  readonly ran: boolean
  readonly outcome: Promise<Outcome<unknown>>
  succeed(value?: unknown): Promise<Outcome<unknown>>
  fail(error?: unknown): Promise<Outcome<unknown>>
}

/** Starts a call through a policy; its function answers when told to. */
export function begin(policy: Pick<CircuitBreaker<unknown>, 'tryExecute'>, options?: CallOptions): RunningCall {
  let resolve = (_value: unknown): void => undefined
  let reject = (_error: unknown): void => undefined
  let ran = false
  const run = (): Promise<unknown> => {
    ran = true
    return new Promise((yes, no) => {
      resolve = yes
      reject = no
    })
  }
  const outcome = policy.tryExecute(run, options)
  return {
    get ran() {
      return ran
    },
    outcome,
    succeed: (value) => (resolve(value), outcome),
    fail: (error = new Error('down')) => (reject(error), outcome),
  }
}

/** Calls that fail, one after another. */
export async function fail(
  policy: Pick<CircuitBreaker<unknown>, 'tryExecute'>,
  times = 1,
  error: unknown = new Error('down'),
): Promise<void> {
  for (let call = 0; call < times; call++) await policy.tryExecute(() => Promise.reject(error))
}

/** Calls that succeed, one after another. */
export async function succeed(policy: Pick<CircuitBreaker<unknown>, 'tryExecute'>, times = 1): Promise<void> {
  for (let call = 0; call < times; call++) await policy.tryExecute(() => 'done')
}

/** Whether a call is let through; it is taken back at once, and says nothing. */
export function admits(breaker: CircuitBreaker<unknown>): boolean {
  const permit = breaker.tryAcquire()
  if (permit.refused) return false
  permit.ignore()
  return true
}

export function permitOf(breaker: CircuitBreaker<unknown>, options?: CallOptions): Permit {
  const permit = breaker.tryAcquire(options)
  if (permit.refused) throw new Error(`refused: ${permit.code}`)
  return permit
}

/** The events from now on; they arrive in a microtask. */
export function record(source: Observable<CircuitEvent>): CircuitEvent[] {
  const events: CircuitEvent[] = []
  source.on((event) => events.push(event))
  return events
}

export const typesOf = (events: readonly CircuitEvent[]): string[] => events.map(({ type }) => type.replace('circuit.', ''))

export interface Rig {
  readonly clock: FakeClock
  readonly breaker: CircuitBreaker
}

/** A circuit that opens at the first failure, for 10 s, on a clock of its own. */
export function newCircuit(options: CircuitBreakerOptions<never> = {}): Rig {
  const clock = fakeClock()
  return { clock, breaker: circuitBreaker({ failureThreshold: 1, openFor: '10s', clock, ...options }) }
}

/** As {@link newCircuit}; its open time is just over. */
export async function halfOpen(options: CircuitBreakerOptions<never> = {}): Promise<Rig> {
  const { clock, breaker } = newCircuit(options)
  await fail(breaker)
  clock.tick('10s')
  return { clock, breaker }
}
