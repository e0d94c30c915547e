import { bulkhead, pipeline, rateLimiter, retry, timeout, wasNeverSent } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'
import { attemptsAt, coded, status, transientError } from './retry.fixture.ts'

describe('64: a body that cannot be sent twice', () => {
  it('is sent once, when the function says that it began to send it', async () => {
    const failure = transientError()
    const body = ['chunk 1', 'chunk 2'][Symbol.iterator]()
    const sent: string[] = []
    const outcome = await retry({ initialDelay: 0, clock: fakeClock() }).tryExecute((call) => {
      call.doNotRetry()
      sent.push(...body)
      throw failure
    })
    expect(outcome).toEqual({ ok: false, error: failure })
    expect(sent).toEqual(['chunk 1', 'chunk 2'])
  })

  it('is tried again while nothing of it was sent', async () => {
    const failure = transientError()
    const run = vi.fn((call: { attempt: number; doNotRetry(): void }) => {
      if (call.attempt === 2) call.doNotRetry()
      throw failure
    })
    expect(await retry({ maxAttempts: 5, initialDelay: 0, clock: fakeClock() }).tryExecute(run)).toEqual({ ok: false, error: failure })
    expect(run).toHaveBeenCalledTimes(2)
  })

  it('is tried again when it is known that it was not sent after all, and not when it was', async () => {
    const clock = fakeClock()
    const guarded = pipeline(retry({ initialDelay: 0, clock }), timeout({ after: '1s', clock }))
    const run = vi.fn(async (call: { attempt: number; doNotRetry(): void; allowRetry(): void }) => {
      call.doNotRetry()
      if (call.attempt === 1) {
        call.allowRetry()
        throw transientError()
      }
      await new Promise(() => undefined)
    })
    const outcome = guarded.tryExecute(run)
    await clock.advance('1m')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(run).toHaveBeenCalledTimes(2)
  })

  it('forbids the attempts of every retry around it, and the repetition of a result', async () => {
    const clock = fakeClock()
    const settings = { maxAttempts: 5, initialDelay: 0, retryOnResult: () => true, clock } as const
    const guarded = pipeline(retry(settings), timeout({ after: '1s', clock }), retry(settings))
    const run = vi.fn((call: { doNotRetry(): void }) => {
      call.doNotRetry()
      return 'unwanted'
    })
    expect(await guarded.execute(run)).toBe('unwanted')
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('can be made anew for each attempt', async () => {
    const received: string[] = []
    const answer = retry({ initialDelay: 0, clock: fakeClock() }).execute(async ({ attempt }) => {
      const body = new Blob(['the whole body']).stream() // inside the function, so each attempt has its own
      received.push(await new Response(body).text())
      if (attempt < 3) throw transientError()
      return 'accepted'
    })
    expect(await answer).toBe('accepted')
    expect(received).toEqual(Array.from({ length: 3 }, () => 'the whole body'))
  })
})

describe('66: an operation that must not be done twice', () => {
  const once = { idempotent: false, retryOn: () => true } as const

  it('is not repeated when it may have been done', async () => {
    const ambiguous = [
      coded('ECONNRESET', { syscall: 'read' }),
      coded('ETIMEDOUT', { syscall: 'read' }),
      coded('EPIPE', { syscall: 'write' }),
      coded('EHOSTUNREACH', { syscall: 'read' }),
      coded('ETIMEDOUT'),
      coded('UND_ERR_HEADERS_TIMEOUT'),
      status(500),
      status(503),
      status(408),
      new Error('unknown'),
      undefined,
      null,
      'text',
    ]
    for (const error of ambiguous) expect(await attemptsAt({ error }, once), String(error)).toBe(1)
  })

  it('is not repeated after a timeout, of ours or of an AbortSignal', async () => {
    const clock = fakeClock()
    const guarded = pipeline(retry({ idempotent: false, clock }), timeout({ after: '1s', clock }))
    const run = vi.fn(() => new Promise(() => undefined))
    const outcome = guarded.tryExecute(run)
    await clock.advance('1m')
    expect(await outcome).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } })
    expect(run).toHaveBeenCalledTimes(1)
    expect(await attemptsAt({ error: new DOMException('late', 'TimeoutError') }, { idempotent: false })).toBe(1)
  })

  it('is repeated when it surely never began', async () => {
    const neverBegan = [
      coded('ECONNREFUSED', { syscall: 'connect' }),
      coded('ETIMEDOUT', { syscall: 'connect' }),
      coded('EHOSTUNREACH', { syscall: 'connect' }),
      coded('ENOTFOUND', { syscall: 'getaddrinfo' }),
      coded('UND_ERR_CONNECT_TIMEOUT'),
      new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }),
      Object.assign(new AggregateError([coded('ETIMEDOUT', { syscall: 'connect' }), coded('ECONNREFUSED')]), { code: 'ETIMEDOUT' }),
      status(429),
      status(425),
    ]
    for (const error of neverBegan) expect(await attemptsAt({ error }, once), String(error)).toBe(3)
  })

  it('is not repeated when only the last of several tries never began', async () => {
    const several = Object.assign(new Error('failed after 2 tries'), {
      errors: [coded('ECONNRESET', { syscall: 'read' }), coded('ECONNREFUSED')],
    })
    expect(await attemptsAt({ error: several }, once)).toBe(1)
    expect(wasNeverSent(several)).toBe(false)
  })

  it('is repeated with a key, under which it is done once however often it is sent', async () => {
    expect(await attemptsAt({ error: coded('ECONNRESET') }, once, 'order-7')).toBe(3)
  })

  it('may be told apart per call', async () => {
    const idempotent = vi.fn(({ context }: { context: unknown }) => context === 'GET')
    const policy = retry({ idempotent, initialDelay: 0, clock: fakeClock() })
    for (const [method, attempts] of [
      ['GET', 3],
      ['POST', 1],
    ] as const) {
      const run = vi.fn(() => Promise.reject(transientError()))
      await policy.tryExecute(run, { context: method })
      expect(run).toHaveBeenCalledTimes(attempts)
    }
  })

  it('is not repeated for its result either, unless that says that it never began', async () => {
    const results = { idempotent: false, retryOnResult: () => true }
    expect(await attemptsAt({ value: new Response(null, { status: 503 }) }, results)).toBe(1)
    expect(await attemptsAt({ value: { ready: false } }, results)).toBe(1)
    expect(await attemptsAt({ value: new Response(null, { status: 429 }) }, results)).toBe(3)
    expect(await attemptsAt({ value: { ready: false } }, { retryOnResult: () => true })).toBe(3)
  })
})

describe('refusals of the policies inside', () => {
  it('are not repeated, so a retry adds no load to what is overloaded', async () => {
    const clock = fakeClock()
    const limiter = rateLimiter({ limit: 1, window: '1h', clock })
    const full = bulkhead({ maxConcurrent: 1, clock })
    void full.tryExecute(() => new Promise(() => undefined))
    await limiter.tryExecute(() => 1)
    for (const [gate, code] of [
      [limiter, 'ERR_RATE_LIMITED'],
      [full, 'ERR_BULKHEAD_FULL'],
    ] as const) {
      const policy = retry({ clock, retryOn: () => true })
      expect(await pipeline(policy, gate).tryExecute(() => 1)).toMatchObject({ ok: false, refusal: { code } })
      expect(policy.status().totalRetries).toBe(0)
    }
  })

  it('are repeated on request, also where the work itself may be done only once', async () => {
    const clock = fakeClock()
    const gate = bulkhead({ maxConcurrent: 1, clock })
    let leave: (value: unknown) => void = () => undefined
    void gate.tryExecute(() => new Promise((resolve) => (leave = resolve)))
    const policy = retry({ retryRefusals: true, idempotent: false, initialDelay: '1s', jitter: 'none', clock })
    const answer = pipeline(policy, gate).execute(() => 'in')
    await clock.advance('500ms')
    leave(undefined)
    await clock.advance('500ms')
    expect(await answer).toBe('in')
    expect(policy.status().totalRetries).toBe(1)
  })
})

it('66: a key that only says whose call it is makes nothing repeatable', async () => {
  const run = vi.fn(() => Promise.reject(coded('ECONNRESET')))
  await retry({ idempotent: false, initialDelay: 0, clock: fakeClock() }).tryExecute(run, { key: 'tenant-7' })
  expect(run).toHaveBeenCalledTimes(1)
})
