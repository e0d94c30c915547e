import { bulkhead, circuitBreaker, fallback, hedge, pipeline, policy, retry, timeout, type Call, type PolicyLike } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'

/** A real answer whose stream tells that it was cancelled. */
function answer(status = 200): { readonly response: Response; readonly cancelled: () => boolean } {
  const cancel = vi.fn()
  return { response: new Response(new ReadableStream({ cancel }), { status }), cancelled: () => cancel.mock.calls.length > 0 }
}

/** A promise, and what settles it. */
function deferred(): { readonly promise: Promise<unknown>; resolve: (value: unknown) => void; reject: (error: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

describe('65: an answer that comes when nobody waits any more has its body cancelled', () => {
  it.each<[string, (clock: ReturnType<typeof fakeClock>) => readonly PolicyLike[]]>([
    ['of an attempt that timed out, before the next one', (clock) => [retry({ initialDelay: '1s', clock }), timeout({ after: 10, clock })]],
    ['of a call that timed out around a retry', (clock) => [timeout({ after: 10, clock }), retry({ clock })]],
    ['behind gates', (clock) => [timeout({ after: 10, clock }), bulkhead({ maxConcurrent: 5, clock }), circuitBreaker({ clock })]],
  ])('%s', async (_what, layers) => {
    const clock = fakeClock()
    const works = [deferred(), deferred(), deferred()]
    const outcome = pipeline({ clock }, ...layers(clock)).tryExecute(({ attempt }) => works[attempt - 1]?.promise)
    await clock.advance(10)
    const late = answer()
    works[0]?.resolve(late.response)
    await clock.advance(0)
    expect(late.cancelled()).toBe(true)
    await clock.advance('1m')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
  })

  it('of a call whose caller has left, or whose deadline has passed; also one that a failure carries', async () => {
    const clock = fakeClock()
    for (const leave of ['signal', 'deadline'] as const) {
      const caller = new AbortController()
      const work = deferred()
      const options = leave === 'signal' ? { signal: caller.signal } : { deadline: 10 }
      const outcome = retry({ clock }).tryExecute(() => work.promise, options)
      if (leave === 'signal') caller.abort('left')
      await clock.advance(10)
      expect(await outcome).toMatchObject({ ok: false })
      const late = answer(503)
      if (leave === 'signal') work.resolve(late.response)
      else work.reject(Object.assign(new Error('failed'), { body: late.response.body }))
      await clock.advance(0)
      expect([leave, late.cancelled()]).toEqual([leave, true])
    }
  })

  it('of a fallback that was still being made, and of a flow of the user’s', async () => {
    const clock = fakeClock()
    const made = deferred()
    const own = deferred()
    const slow = policy({
      name: 'own',
      parts: { kind: 'flow', start: (_next, _call: Call, out) => void own.promise.then((value) => out.settle(true, value)) },
    })
    const outcomes = [
      pipeline({ clock }, timeout({ after: 10, clock }), fallback({ handler: () => made.promise })).tryExecute(() =>
        Promise.reject(new Error('no')),
      ),
      pipeline({ clock }, timeout({ after: 10, clock }), slow).tryExecute(() => 1),
    ]
    await clock.advance(10)
    expect(await Promise.all(outcomes)).toMatchObject([{ error: { code: 'ERR_TIMEOUT' } }, { error: { code: 'ERR_TIMEOUT' } }])
    const late = [answer(), answer()]
    made.resolve(late[0]?.response)
    own.resolve(late[1]?.response)
    await clock.advance(0)
    expect(late.map(({ cancelled }) => cancelled())).toEqual([true, true])
  })

  it('and the reason of a caller who has left is left alone, whatever it is', async () => {
    const clock = fakeClock()
    const dispose = vi.fn()
    const reason = { [Symbol.dispose]: dispose }
    const hanging = ({ signal }: Call): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const own = policy({
      name: 'own',
      parts: { kind: 'flow', start: (_next, call, out) => call.onCancel({ cancel: (why) => out.settle(false, why) }) },
    })
    const guarded: [PolicyLike[], (call: Call) => unknown][] = [
      [[retry({ clock })], hanging],
      [[timeout({ after: '1m', clock }), hedge({ delay: 0, maxHedges: 2, clock })], hanging],
      [[own], hanging],
      [[fallback({ handler: (_error, call) => hanging(call) })], () => Promise.reject(new Error('no'))],
    ]
    for (const [layers, run] of guarded) {
      const caller = new AbortController()
      const outcome = pipeline({ clock }, ...layers).tryExecute(run, { signal: caller.signal })
      await clock.advance(1)
      caller.abort(reason)
      expect(await outcome).toEqual({ ok: false, error: reason })
      await clock.advance('2m')
    }
    expect(dispose).not.toHaveBeenCalled()
  })

  it('and one that comes in time has not', async () => {
    const clock = fakeClock()
    const { response, cancelled } = answer()
    const caller = new AbortController()
    const guarded = pipeline({ clock }, timeout({ after: 10, clock }), retry({ clock }), timeout({ after: 5, clock }))
    expect(await guarded.execute(async () => response, { signal: caller.signal })).toBe(response)
    await clock.advance('1h')
    caller.abort()
    expect(cancelled()).toBe(false)
  })
})
