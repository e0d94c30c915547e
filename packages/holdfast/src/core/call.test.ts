import { getEventListeners } from 'node:events'
import { bulkhead, circuitBreaker, isHoldfastError, pipeline, rateLimiter, retry, timeout, type Call } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CallState } from './call.ts'
import { plainInvocation } from './executor.ts'

afterEach(() => vi.unstubAllGlobals())

/** Counts the AbortControllers that are made from now on. */
function countControllers(): { made: number } {
  const count = { made: 0 }
  vi.stubGlobal(
    'AbortController',
    class extends AbortController {
      constructor() {
        super()
        count.made++
      }
    },
  )
  return count
}

function newCall(callerSignal?: AbortSignal): CallState {
  return new CallState(() => undefined, { ...plainInvocation(fakeClock()), callerSignal }, undefined, 1, Infinity, false)
}

class Waiter {
  readonly heard: unknown[] = []
  cancel(reason: unknown): void {
    this.heard.push(reason)
  }
}

function allPolicies() {
  const clock = fakeClock()
  return pipeline(
    timeout({ after: '5s', clock }),
    retry({ maxAttempts: 2, initialDelay: 0, clock }),
    circuitBreaker({ clock }),
    rateLimiter({ limit: 100, window: '1s', clock }),
    bulkhead({ maxConcurrent: 1, clock }),
    timeout({ after: '1s', clock }),
  )
}

describe('signal', () => {
  it('costs nothing while nobody reads it: no AbortController is made, under any policy and however the call ends', async () => {
    const caller = new AbortController()
    const count = countControllers()
    const guarded = allPolicies()
    await guarded.execute(() => 'at once')
    await guarded.execute(async () => 'later', { signal: caller.signal, deadline: '3s' })
    await guarded.tryExecute(() => Promise.reject(new Error('failed')))
    const left = guarded.tryExecute(() => new Promise(() => undefined), { signal: caller.signal })
    caller.abort('left')
    expect(await left).toEqual({ ok: false, error: 'left' })
    expect(count.made).toBe(0)
  })

  it('is made once, however often it is read', async () => {
    const count = countControllers()
    await timeout('5s').execute((call) => expect(call.signal).toBe(call.signal))
    expect(count.made).toBe(1)
  })

  it("is the caller's own where no policy can cancel the call", async () => {
    const caller = new AbortController()
    const count = countControllers()
    const guarded = pipeline(retry(), circuitBreaker(), rateLimiter({ limit: 5, window: '1s' }), bulkhead({ maxConcurrent: 1 }))
    await guarded.execute((call) => expect(call.signal).toBe(caller.signal), { signal: caller.signal })
    expect(count.made).toBe(0)
  })

  it('never aborts where there is neither a caller’s signal nor a policy that cancels', async () => {
    await retry().execute(({ signal }) => {
      expect(signal).toBeInstanceOf(AbortSignal)
      expect(signal.aborted).toBe(false)
    })
  })

  it("is another where a policy can cancel, and follows the caller's with the same reason", async () => {
    const caller = new AbortController()
    let seen: AbortSignal | undefined
    const outcome = timeout('5s').tryExecute(
      ({ signal }) => {
        seen = signal
        return new Promise(() => undefined)
      },
      { signal: caller.signal },
    )
    expect(seen).not.toBe(caller.signal)
    const reason = { why: 'left' }
    caller.abort(reason)
    expect(seen?.reason).toBe(reason)
    expect(await outcome).toEqual({ ok: false, error: reason })
  })

  it('is aborted already when it is read after the time is up', async () => {
    const clock = fakeClock()
    let late: Call | undefined
    const outcome = timeout({ after: '1s', clock }).tryExecute((call) => {
      late = call
      return new Promise(() => undefined)
    })
    await clock.advance('1s')
    expect((await outcome).ok).toBe(false)
    expect(late?.signal.aborted).toBe(true)
    expect(isHoldfastError(late?.signal.reason, 'ERR_TIMEOUT')).toBe(true)
  })

  it('does not follow the caller’s any more once the call has been answered', async () => {
    const caller = new AbortController()
    let seen: AbortSignal | undefined
    await timeout('5s').execute(({ signal }) => void (seen = signal), { signal: caller.signal })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    caller.abort('later')
    expect(seen?.aborted).toBe(false)
  })

  it('76: follows it while the body of the answer goes on, and no longer', async () => {
    const caller = new AbortController()
    let end = (): void => undefined
    let seen: AbortSignal | undefined
    const run = (call: Call): string => {
      seen = call.signal
      call.until(
        new Promise<void>((resolve) => {
          end = resolve
        }),
      )
      return 'head'
    }
    expect(await timeout('5s').execute(run, { signal: caller.signal })).toBe('head')
    expect(getEventListeners(caller.signal, 'abort').length).toBe(1)
    end()
    await Promise.resolve()
    await Promise.resolve()
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])

    await timeout('5s').execute(run, { signal: caller.signal })
    caller.abort('left')
    expect(seen?.reason).toBe('left')
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('of a polyfill that gives no reason cancels all the same', async () => {
    const listeners = new Set<() => void>()
    const polyfill = {
      aborted: false,
      addEventListener: (_type: string, listener: () => void) => void listeners.add(listener),
      removeEventListener: (_type: string, listener: () => void) => void listeners.delete(listener),
    }
    const outcome = bulkhead({ maxConcurrent: 1 }).tryExecute(() => new Promise(() => undefined), {
      signal: polyfill as unknown as AbortSignal,
    })
    polyfill.aborted = true
    for (const listener of listeners) listener()
    expect(await outcome).toEqual({ ok: false, error: expect.objectContaining({ name: 'AbortError' }) as unknown })
    expect(listeners.size).toBe(0)
  })
})

describe('what a call says', () => {
  it('is what its caller said of it', async () => {
    const context = { user: 7 }
    await pipeline(retry(), timeout('5s')).execute(
      (call) => {
        expect(call).toMatchObject({ attempt: 1, key: 'tenant', priority: 'high', cost: { tokens: 5 } })
        expect(call.context).toBe(context)
        expect(call.idempotencyKey).toBe('order-7')
        expect(call.labels).toEqual({ model: 'large' })
        expect(call.cancelled).toBeUndefined()
      },
      { key: 'tenant', idempotencyKey: 'order-7', priority: 'high', cost: { tokens: 5 }, labels: { model: 'large' }, context },
    )
  })

  it('of its deadline is the nearest of all around it', async () => {
    const clock = fakeClock({ startMs: 1_000 })
    const bounded = pipeline(timeout({ after: '5s', clock }), timeout({ after: '2s', clock }), timeout({ after: '3s', clock }))
    await bounded.execute((call) => {
      expect(call.deadlineAt).toBe(3_000)
      expect(call.remainingMs()).toBe(2_000)
      clock.step(5_000)
      expect(call.remainingMs()).toBe(0)
    })
    await bounded.execute(({ deadlineAt }) => expect(deadlineAt).toBe(clock.now() + 500), { deadline: 500 })
    await retry({ clock }).execute((call) => expect([call.deadlineAt, call.remainingMs()]).toEqual([Infinity, Infinity]))
  })
})

describe('onCancel', () => {
  it('tells everybody once, whoever cancels first and however often', () => {
    const call = newCall().child(1, Infinity, true)
    const waiters = [new Waiter(), new Waiter(), new Waiter()]
    for (const waiter of waiters) call.onCancel(waiter)
    call.cancel('first')
    call.cancel('second')
    expect(waiters.map(({ heard }) => heard)).toEqual([['first'], ['first'], ['first']])
    expect(call.cancelled).toBe('first')
  })

  it('tells at once who comes too late, also when only the caller’s signal was aborted', () => {
    const late = new Waiter()
    newCall(AbortSignal.abort('left')).child(1, Infinity, true).onCancel(late)
    expect(late.heard).toEqual(['left'])
  })

  it('does not tell who has gone, also while others are told', () => {
    const call = newCall().child(1, Infinity, true)
    const [gone, leaving] = [new Waiter(), new Waiter()]
    call.onCancel(gone)
    call.onCancel({ cancel: () => call.offCancel(leaving) })
    call.onCancel(leaving)
    call.offCancel(gone)
    call.offCancel(gone)
    call.cancel('left')
    expect([gone.heard, leaving.heard]).toEqual([[], []])
  })

  it('runs down all calls inside, before the listeners of the signal hear of it', () => {
    const caller = new AbortController()
    const outer = newCall(caller.signal).child(1, Infinity, true)
    const [left, right] = [outer.child(1, Infinity, true), outer.child(2, Infinity, false)]
    const log: unknown[] = []
    left.signal.addEventListener('abort', () => log.push('signal'))
    left.onCancel({ cancel: (reason) => log.push(['left', reason]) })
    right.onCancel({ cancel: (reason) => log.push(['right', reason]) })
    caller.abort('gone')
    expect(log).toEqual([['left', 'gone'], 'signal', ['right', 'gone']])
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('links a call to the one outside only while somebody waits', () => {
    const caller = new AbortController()
    const call = newCall(caller.signal).child(1, Infinity, true).child(1, Infinity, false).child(1, Infinity, true)
    const waiters = [new Waiter(), new Waiter()] as const
    const listeners = (): number => getEventListeners(caller.signal, 'abort').length
    expect(listeners()).toBe(0)
    for (const waiter of waiters) call.onCancel(waiter)
    expect(listeners()).toBe(1)
    call.offCancel(waiters[0])
    expect(listeners()).toBe(1)
    call.offCancel(waiters[1])
    expect(listeners()).toBe(0)
  })

  it('cancelling a call leaves those beside and outside it alone, and takes it off the list of the one outside', () => {
    const caller = new AbortController()
    const outer = newCall(caller.signal)
    const [one, other] = [outer.child(1, Infinity, true), outer.child(2, Infinity, true)]
    const [ofOne, ofOther] = [new Waiter(), new Waiter()]
    one.onCancel(ofOne)
    other.onCancel(ofOther)
    one.cancel('lost')
    expect([ofOne.heard, ofOther.heard, outer.cancelled, other.cancelled]).toEqual([['lost'], [], undefined, undefined])
    other.offCancel(ofOther)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })
})
