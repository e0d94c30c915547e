import { getEventListeners } from 'node:events'
import { bulkhead, fallback, pipeline, timeout, type Call } from 'holdfast'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { countListeners } from '../../core/listener-count.fixture.ts'

const failing = (): Promise<never> => Promise.reject(new Error('down'))
const after = (clock: FakeClock, delayMs: number, value: unknown): Promise<unknown> =>
  new Promise((resolve) => clock.setTimer(() => resolve(value), delayMs))

describe('a caller who leaves', () => {
  it('during the call gets the reason, and no substitute is made', async () => {
    const caller = new AbortController()
    const handler = vi.fn(() => 'substitute')
    const outcome = fallback(handler).tryExecute(() => new Promise(() => undefined), { signal: caller.signal })
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    expect(handler).not.toHaveBeenCalled()
  })

  it('during the call gets the reason also when the function fails because of it', async () => {
    const caller = new AbortController()
    const handler = vi.fn(() => 'substitute')
    const outcome = fallback(handler).tryExecute(
      ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      { signal: caller.signal },
    )
    caller.abort('left')
    expect(await outcome).toEqual({ ok: false, error: 'left' })
    expect(handler).not.toHaveBeenCalled()
  })

  it('while the handler runs gets the reason at once; what the handler brings reaches nobody', async () => {
    const clock = fakeClock()
    for (const bring of [() => after(clock, 5_000, 'late'), () => after(clock, 5_000, 0).then(() => Promise.reject(new Error('late')))]) {
      const caller = new AbortController()
      const count = countListeners(caller.signal)
      const policy = fallback({ handler: bring, clock })
      const outcome = policy.tryExecute(failing, { signal: caller.signal })
      await clock.advance('1s')
      caller.abort('left')
      expect(await outcome).toEqual({ ok: false, error: 'left' })
      await clock.advance('10s')
      expect(policy.status()).toMatchObject({ used: 0, failed: 0 })
      expect(count.removed).toBe(count.added)
    }
  })

  it('because of the handler itself gets the reason, from a handler that answers now or later', async () => {
    for (const answer of ['now', new Promise(() => undefined), Promise.reject(new Error('late'))]) {
      const caller = new AbortController()
      const handler = (): unknown => {
        caller.abort('from the handler')
        return answer
      }
      expect(await fallback(handler).tryExecute(failing, { signal: caller.signal })).toEqual({ ok: false, error: 'from the handler' })
      expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    }
  })

  it('is heard by the handler through the signal of its call', async () => {
    const caller = new AbortController()
    let seen: AbortSignal | undefined
    const handler = (_error: unknown, call: Call): Promise<never> => {
      seen = call.signal
      return new Promise(() => undefined)
    }
    const outcome = fallback(handler).tryExecute(failing, { signal: caller.signal })
    await fakeClock().settle()
    expect(seen?.aborted).toBe(false)
    caller.abort('left')
    await outcome
    expect(seen?.reason).toBe('left')
  })
})

describe('time limits', () => {
  it("the caller's deadline is answered with its own error, not with a substitute", async () => {
    const clock = fakeClock()
    const handler = vi.fn(() => 'substitute')
    const outcome = fallback({ handler, clock }).tryExecute(() => new Promise(() => undefined), { deadline: '1s' })
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_DEADLINE_EXCEEDED' } })
    expect(handler).not.toHaveBeenCalled()
  })

  it('a timeout inside is a failure like any other; its abandoned work disturbs nobody', async () => {
    const clock = fakeClock()
    const answer = pipeline(fallback('substitute'), timeout({ after: '1s', clock })).execute(() => after(clock, 5_000, 'late'))
    await clock.advance('1s')
    expect(await answer).toBe('substitute')
    await clock.advance('10s')
  })

  it('a handler that nobody waits for any more keeps its place until it ends', async () => {
    const clock = fakeClock()
    const places = bulkhead({ maxConcurrent: 1, clock })
    const handler = (): Promise<unknown> => after(clock, 5_000, 'late')
    const outcome = pipeline(timeout({ after: '1s', clock }), places, fallback(handler)).tryExecute(failing)
    await clock.advance('1s')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(places.status().running).toBe(1) // it still works
    await clock.advance('4s')
    expect(places.status().running).toBe(0)
  })
})

it('100 calls on one signal leave no listener, whichever way they end', async () => {
  const clock = fakeClock()
  const { signal } = new AbortController()
  const count = countListeners(signal)
  const handlers = [() => 'now', () => Promise.resolve('soon'), () => Promise.reject(new Error('failed')), () => after(clock, 10, 'later')]
  const outcomes = Array.from({ length: 100 }, (_, call) => fallback(handlers[call % 4] as () => unknown).tryExecute(failing, { signal }))
  await clock.advance('1s')
  await Promise.all(outcomes)
  expect(count.added).toBeGreaterThan(0)
  expect(count.removed).toBe(count.added)
})
