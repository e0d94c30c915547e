import { circuitBreaker, HoldfastError, pipeline, timeout, type CircuitBreakerOptions, type ErrorMatch } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it } from 'vitest'
import { begin, fail, record } from './circuit-breaker.fixture.ts'

const make = (options: CircuitBreakerOptions<never>): ReturnType<typeof circuitBreaker> =>
  circuitBreaker({ failureThreshold: 1, clock: fakeClock(), ...options })

class NotFound extends Error {}
class Timeout extends Error {}
const withStatus = (status: number): Error => Object.assign(new Error(`status ${status}`), { status })

/** How a breaker sees an error. */
async function verdictOn(error: unknown, options: { readonly isFailure?: ErrorMatch; readonly ignore?: ErrorMatch }): Promise<string> {
  const breaker = make(options)
  await fail(breaker, 1, error)
  const { failureTotal, successTotal, ignoredTotal } = breaker.status()
  expect(failureTotal + successTotal + ignoredTotal).toBe(1)
  return failureTotal === 1 ? 'failure' : ignoredTotal === 1 ? 'ignored' : 'success'
}

describe('lists of errors', () => {
  it.each<[string, unknown, string]>([
    ['a class', new Timeout(), 'failure'],
    ['a class by inheritance', new (class extends Timeout {})(), 'failure'],
    ['a code', Object.assign(new Error(), { code: 'ECONNRESET' }), 'failure'],
    ['a name', Object.assign(new Error(), { name: 'ThrottlingException' }), 'failure'],
    ['a status', withStatus(503), 'failure'],
    ['a statusCode', { statusCode: 503 }, 'failure'],
    ['the status of a response', { response: { status: 503 } }, 'failure'],
    ['something else', withStatus(400), 'success'],
    ['an ignored one', new NotFound(), 'ignored'],
    ['an ignored one that is a failure as well', Object.assign(new NotFound(), { status: 503 }), 'ignored'],
    ['a text', 'ECONNRESET', 'success'],
    ['nothing', undefined, 'success'],
  ])('know %s', async (_what, error, verdict) => {
    expect(await verdictOn(error, { isFailure: [Timeout, 'ECONNRESET', 'ThrottlingException', 503], ignore: [NotFound] })).toBe(verdict)
  })
})

describe('16: what lies behind a wrapper', () => {
  const wrappers: Record<string, (inner: Error) => unknown> = {
    'a cause': (inner) => new Error('request failed', { cause: inner }),
    'a cause of a cause': (inner) => new Error('outer', { cause: new Error('middle', { cause: inner }) }),
    'the TypeError of fetch': (inner) => new TypeError('fetch failed', { cause: inner }),
    'an AggregateError': (inner) => new AggregateError([new Error('other'), inner]),
    'the retry error of an SDK': (inner) =>
      Object.assign(new Error('Failed after 3 attempts'), { name: 'AI_RetryError', errors: [inner, inner], lastError: inner }),
    'the last error alone': (inner) => Object.assign(new (class RetryError extends Error {})(), { lastError: inner }),
  }
  for (const [name, wrap] of Object.entries(wrappers)) {
    it(`${name} is seen by lists and by functions`, async () => {
      const error = wrap(withStatus(503))
      expect(await verdictOn(error, { isFailure: [503] })).toBe('failure')
      expect(await verdictOn(error, { ignore: [503] })).toBe('ignored')
      expect(await verdictOn(error, { isFailure: [504] })).toBe('success')
      const is503: ErrorMatch = (each) => (each as { status?: number }).status === 503
      expect(await verdictOn(error, { isFailure: is503 })).toBe('failure')
      expect(await verdictOn(error, { ignore: is503 })).toBe('ignored')
    })
  }

  it('an error that says itself what it is does not become a failure by its cause', async () => {
    const isFailure: ErrorMatch = (error) => !(error instanceof NotFound) && (error as { status?: number }).status !== 404
    const cause = new Error('no row')
    expect(await verdictOn(Object.assign(new NotFound('user 7', { cause })), { isFailure })).toBe('success')
    expect(await verdictOn(Object.assign(new Error('not found', { cause }), { status: 404 }), { isFailure })).toBe('success')
    expect(await verdictOn(Object.assign(new Error('x', { cause }), { code: 'ENOTFOUND', status: 404 }), { isFailure })).toBe('success')
    expect(
      await verdictOn(Object.assign(new Error('x', { cause }), { name: 'NotFound' }), {
        isFailure: (error) => (error as Error).name !== 'NotFound',
      }),
    ).toBe('success')
    class NoRow extends Error {
      override readonly name = 'NoRow'
    }
    expect(await verdictOn(new NoRow('user 7', { cause }), { isFailure: (each) => !(each instanceof NoRow) })).toBe('success')
    const problems = Object.assign(new NotFound('invalid'), { errors: [{ path: 'name', message: 'is missing' }] })
    expect(await verdictOn(problems, { isFailure })).toBe('success')
  })

  it('a function is asked about each error once, the nearest first', async () => {
    const inner = withStatus(503)
    const asked: unknown[] = []
    const error = Object.assign(new Error('Failed after 2 attempts', { cause: inner }), { errors: [inner, inner], lastError: inner })
    await verdictOn(error, { isFailure: (each) => (asked.push(each), false) })
    expect(asked).toEqual([error, inner])
  })

  it('cycles and getters that throw are survived', async () => {
    const cycle = new Error('cycle')
    cycle.cause = new Error('back', { cause: cycle })
    const hostile = Object.defineProperty(new Error('hostile'), 'cause', {
      get: () => {
        throw new Error('no')
      },
    })
    for (const error of [cycle, hostile]) {
      expect(await verdictOn(error, { isFailure: () => false })).toBe('success')
      expect(await verdictOn(error, { isFailure: [503] })).toBe('success')
    }
  })
})

describe('17: a function of the user that throws', () => {
  const broken = (): never => {
    throw new Error('broken predicate')
  }
  const rejecting = (): never => Promise.reject(new Error('asynchronous predicate')) as never

  it.each<[string, CircuitBreakerOptions<never>, boolean, object]>([
    ['isFailure', { isFailure: broken }, false, { failureTotal: 1 }],
    ['ignore', { ignore: broken }, false, { failureTotal: 1 }],
    ['isFailureResult', { isFailureResult: broken }, true, { successTotal: 1 }],
    ['openOn', { openOn: broken }, true, { successTotal: 1 }],
    ['isFailure', { isFailure: rejecting }, false, { failureTotal: 1 }],
    ['ignore', { ignore: rejecting }, false, { failureTotal: 1 }],
    ['isFailureResult', { isFailureResult: rejecting }, true, { successTotal: 1 }],
    ['openOn', { openOn: rejecting }, true, { successTotal: 1 }],
    ['openOn', { openOn: () => 'tomorrow' as never }, true, { successTotal: 1 }],
    ['openOn', { openOn: () => -1 }, true, { successTotal: 1 }],
    ['openOn', { openOn: () => Number.NaN }, true, { successTotal: 1 }],
  ])('leaves the answer as it is, gives the permit back and is told as an event: %s', async (callback, options, ok, totals) => {
    const clock = fakeClock()
    const breaker = make({ failureThreshold: 5, clock, ...options })
    const events = record(breaker)
    const error = new Error('down')
    const outcome = await breaker.tryExecute(() => (ok ? Promise.resolve('done') : Promise.reject(error)))
    expect(outcome).toEqual(ok ? { ok: true, value: 'done' } : { ok: false, error })
    expect(events).toMatchObject([{ type: 'circuit.callback-failed', policy: 'circuit-breaker', callback, error: expect.any(Error) }])
    expect(breaker.status()).toMatchObject({ state: 'closed', successTotal: 0, failureTotal: 0, ignoredTotal: 0, ...totals })
    await clock.settle() // nothing may be left unhandled
  })

  it('does not keep the place of a probe', async () => {
    const clock = fakeClock()
    const breaker = make({ openFor: '1s', halfOpenProbes: 1, successThreshold: 1, isFailureResult: broken, openOn: broken, clock })
    await fail(breaker)
    clock.tick('1s')
    await breaker.execute(() => 'done')
    expect(breaker.state).toBe('closed')
  })

  it('that changes the circuit while it is asked has the last word', async () => {
    const breaker: ReturnType<typeof circuitBreaker> = make({
      openOn: () => (breaker.isolate(), '10s'),
      isFailure: () => (breaker.isolate(), true),
    })
    await fail(breaker)
    expect(breaker.state).toBe('isolated')
  })
})

describe('time that is up', () => {
  it('is a failure whether the timeout stands inside or outside, even where isFailure knows statuses only', async () => {
    for (const isFailure of [undefined, [503], () => false] as const) {
      for (const inside of [true, false]) {
        const clock = fakeClock()
        const breaker = make({ clock, ...(isFailure === undefined ? {} : { isFailure }) })
        const limit = timeout({ after: '2s', clock })
        const call = begin(inside ? pipeline(breaker, limit) : pipeline(limit, breaker))
        await clock.advance('2s')
        expect(await call.outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
        expect(breaker.state).toBe('open')
      }
    }
  })

  it("is a failure when it was the caller's deadline, or an AbortSignal that is a timeout", async () => {
    const clock = fakeClock()
    const breaker = make({ failureThreshold: 2, clock, isFailure: [503] })
    const call = begin(breaker, { deadline: '2s' })
    await clock.advance('2s')
    await call.outcome
    const caller = new AbortController()
    const other = begin(breaker, { signal: caller.signal })
    caller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    await other.outcome
    expect(breaker.status()).toMatchObject({ state: 'open', failureTotal: 2 })
  })

  it('can be ignored by name', async () => {
    expect(await verdictOn(new HoldfastError({ code: 'ERR_TIMEOUT' }), { ignore: ['ERR_TIMEOUT'] })).toBe('ignored')
  })

  it("is not what the caller's own abort means", async () => {
    const breaker = make({})
    const caller = new AbortController()
    const call = begin(breaker, { signal: caller.signal })
    caller.abort(new Error('user left'))
    expect(await call.outcome).toMatchObject({ ok: false, error: { message: 'user left' } })
    expect(breaker.status()).toMatchObject({ state: 'closed', ignoredTotal: 1, failureTotal: 0 })
  })
})
