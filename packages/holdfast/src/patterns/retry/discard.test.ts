import { retry } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { transientError } from './retry.fixture.ts'

describe('65: a result that is discarded', () => {
  const poll = (results: readonly unknown[]): Promise<unknown> =>
    retry({ maxAttempts: results.length, initialDelay: 0, retryOnResult: () => true, clock: fakeClock() }).execute(
      ({ attempt }) => results[attempt - 1],
    )

  it('has its body cancelled; the last one, which the caller gets, has not', async () => {
    const bodies = [1, 2, 3].map(() => ({ locked: false, cancel: vi.fn(() => Promise.resolve()) }))
    const results = bodies.map((body) => ({ status: 503, body }))
    expect(await poll(results)).toBe(results[2])
    expect(bodies.map(({ cancel }) => cancel.mock.calls.length)).toEqual([1, 1, 0])
  })

  it('is a real Response: its stream is cancelled', async () => {
    const cancelled = vi.fn()
    const response = new Response(new ReadableStream({ cancel: cancelled }), { status: 503 })
    const last = new Response('fine')
    expect(await poll([response, last])).toBe(last)
    expect(cancelled).toHaveBeenCalledTimes(1)
  })

  it('is left alone while somebody reads its body', async () => {
    const response = new Response('text', { status: 503 })
    const reader = response.body?.getReader()
    await poll([response, new Response('fine')])
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('text')
  })

  it('is disposed of when it is disposable', async () => {
    const disposed: string[] = []
    const sync = { [Symbol.dispose]: () => disposed.push('sync') }
    const both = { [Symbol.dispose]: () => disposed.push('wrong'), [Symbol.asyncDispose]: async () => disposed.push('async') }
    await poll([sync, both, { [Symbol.dispose]: () => disposed.push('last') }])
    expect(disposed).toEqual(['sync', 'async'])
  })

  it('is what a failed attempt carried: freed when the next attempt begins or nobody waits for it, and left to the caller at the end', async () => {
    const clock = fakeClock()
    const freed: number[] = []
    const failures = [1, 2, 3].map((number) => Object.assign(transientError(), { [Symbol.dispose]: () => freed.push(number) }))
    const policy = retry({ maxAttempts: 3, initialDelay: '1s', jitter: 'none', backoff: 'constant', clock })
    const outcome = policy.tryExecute(({ attempt }) => Promise.reject(failures[attempt - 1] as Error))
    await clock.advance(999)
    expect(freed).toEqual([])
    await clock.advance(1)
    expect(freed).toEqual([1])
    await clock.advance('1s')
    expect(await outcome).toEqual({ ok: false, error: failures[2] })
    expect(freed).toEqual([1, 2])
    const caller = new AbortController()
    const left = policy.tryExecute(() => Promise.reject(failures[2] as Error), { signal: caller.signal })
    await clock.advance(1)
    caller.abort('left')
    expect(await left).toEqual({ ok: false, error: 'left' })
    expect(freed).toEqual([1, 2, 3])
  })

  it('harms nobody when freeing it fails', async () => {
    const hostile = [
      { body: { cancel: () => Promise.reject(new Error('no')) } },
      {
        body: {
          cancel: () => {
            throw new Error('no')
          },
        },
      },
      {
        get body() {
          throw new Error('no')
        },
      },
      {
        [Symbol.dispose]: () => {
          throw new Error('no')
        },
      },
      { [Symbol.asyncDispose]: () => Promise.reject(new Error('no')) },
      { body: null },
      null,
      'text',
    ]
    expect(await poll([...hostile, 'last'])).toBe('last')
  })
})
