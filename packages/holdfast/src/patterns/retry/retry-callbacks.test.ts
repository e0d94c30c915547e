import { retry, type RetryEvent, type RetryOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { flaky, transientError } from './retry.fixture.ts'

const wallMs = Date.UTC(2030, 5, 1)

async function eventsOf(run: () => unknown, options: RetryOptions): Promise<{ events: RetryEvent[]; outcome: unknown }> {
  const clock = fakeClock({ wallMs })
  const policy = retry({ name: 'search', maxAttempts: 3, initialDelay: '1s', jitter: 'none', clock, ...options })
  const events: RetryEvent[] = []
  policy.on((event) => events.push(event))
  const outcome = policy.tryExecute(run)
  await clock.advance('1h')
  return { events, outcome: await outcome }
}

describe('onRetry', () => {
  it('is told the next attempt, its delay and what the attempt before failed with', async () => {
    const onRetry = vi.fn()
    const { outcome } = await eventsOf(flaky(2), { onRetry })
    expect(outcome).toEqual({ ok: true, value: 'done' })
    expect(onRetry.mock.calls).toMatchObject([
      [{ attempt: 2, delayMs: 1_000, error: { message: 'failure 1' } }],
      [{ attempt: 3, delayMs: 2_000, error: { message: 'failure 2' } }],
    ])
  })

  it('is told no error when a result was not accepted', async () => {
    const onRetry = vi.fn()
    await eventsOf(() => 'unwanted', { onRetry, maxAttempts: 2, retryOnResult: () => true })
    expect(onRetry.mock.calls).toEqual([[{ attempt: 2, delayMs: 1_000, error: undefined }]])
  })

  it('that throws or rejects changes nothing but the event it causes', async () => {
    const failure = new Error('listener')
    for (const onRetry of [
      () => {
        throw failure
      },
      () => Promise.reject(failure),
    ]) {
      const { events, outcome } = await eventsOf(flaky(1), { onRetry })
      expect(outcome).toEqual({ ok: true, value: 'done' })
      expect(events).toMatchObject([{ type: 'retry.scheduled' }, { type: 'retry.callback-failed', callback: 'onRetry', error: failure }])
    }
  })

  it('may call the same policy again', async () => {
    const clock = fakeClock()
    const inner: Promise<unknown>[] = []
    const policy = retry({ initialDelay: '1s', jitter: 'none', clock, onRetry: () => inner.push(policy.execute(() => 'inner')) })
    const outer = policy.execute(flaky(1))
    await clock.advance('1m')
    expect(await outer).toBe('done')
    expect(await Promise.all(inner)).toEqual(['inner'])
  })
})

describe("a predicate of the user's", () => {
  const broken = new Error('broken predicate')
  const throwing = (): never => {
    throw broken
  }

  it('that throws counts as no, and the call keeps its own error', async () => {
    const failure = transientError()
    for (const [callback, options] of Object.entries({ retryOn: { retryOn: throwing }, idempotent: { idempotent: throwing } })) {
      const { events, outcome } = await eventsOf(() => Promise.reject(failure), options)
      expect(outcome).toEqual({ ok: false, error: failure })
      expect(events).toEqual([{ type: 'retry.callback-failed', policy: 'search', at: wallMs, callback, error: broken }])
    }
    const { events, outcome } = await eventsOf(() => 'result', { retryOnResult: throwing })
    expect(outcome).toEqual({ ok: true, value: 'result' })
    expect(events).toMatchObject([{ type: 'retry.callback-failed', callback: 'retryOnResult', error: broken }])
  })

  it('that answers with a promise counts as no: a promise is always truthy', async () => {
    for (const promise of [() => Promise.resolve(true), () => Promise.reject(broken)]) {
      const failure = transientError()
      const { events, outcome } = await eventsOf(() => Promise.reject(failure), { retryOn: promise as never })
      expect(outcome).toEqual({ ok: false, error: failure })
      expect(events).toMatchObject([
        { callback: 'retryOn', error: { message: 'retryOn must answer with true or false, not with a promise' } },
      ])
    }
  })

  it('is not asked about the success of a call that has no retryOnResult', async () => {
    const retryOn = vi.fn(() => true)
    expect((await eventsOf(() => 'fine', { retryOn })).outcome).toEqual({ ok: true, value: 'fine' })
    expect(retryOn).not.toHaveBeenCalled()
  })
})

it('a back-off function that throws brings the longest delay', async () => {
  const failure = new Error('broken back-off')
  const backoff = (): never => {
    throw failure
  }
  const clock = fakeClock()
  const events: RetryEvent[] = []
  const policy = retry({ backoff, maxDelay: '7s', clock })
  policy.on((event) => events.push(event))
  const answer = policy.execute(flaky(1))
  await clock.advance('7s')
  expect(await answer).toBe('done')
  expect(events).toMatchObject([
    { callback: 'backoff', error: failure },
    { type: 'retry.scheduled', delayMs: 7_000 },
  ])
})

describe('events', () => {
  it('tell each delay, and the end of a call that failed again', async () => {
    const { events } = await eventsOf(flaky(Infinity), {})
    expect(events).toMatchObject([
      { type: 'retry.scheduled', policy: 'search', at: wallMs, attempt: 2, delayMs: 1_000, error: { message: 'failure 1' } },
      { type: 'retry.scheduled', policy: 'search', at: wallMs + 1_000, attempt: 3, delayMs: 2_000, error: { message: 'failure 2' } },
      { type: 'retry.exhausted', policy: 'search', at: wallMs + 3_000, attempts: 3, error: { message: 'failure 3' } },
    ])
    expect(events.length).toBe(3)
  })

  it('tell nothing of a call that succeeds at once, or was never to be repeated', async () => {
    expect((await eventsOf(flaky(0), {})).events).toEqual([])
    expect((await eventsOf(() => Promise.reject(new TypeError('wrong')), {})).events).toEqual([])
    expect((await eventsOf(flaky(1), { maxAttempts: 1 })).events).toEqual([])
  })

  it('tell what the last result was not: an error', async () => {
    const { events, outcome } = await eventsOf(() => 'unwanted', { maxAttempts: 2, retryOnResult: () => true })
    expect(outcome).toEqual({ ok: true, value: 'unwanted' })
    expect(events).toMatchObject([
      { type: 'retry.scheduled', error: undefined },
      { type: 'retry.exhausted', attempts: 2, error: undefined },
    ])
  })
})
