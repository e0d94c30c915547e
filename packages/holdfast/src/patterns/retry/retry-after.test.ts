import { circuitBreaker, HoldfastError, parseRetryAfter, pipeline, retry, serverHint, type RetryOptions } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { describe, expect, it, vi } from 'vitest'

const wallMs = Date.UTC(2030, 0, 1, 12, 0, 0)

/** The delay that an answer brings, or undefined when it ends the retrying. The back-off alone would be 1 s. */
async function delayAfter(answer: { error: unknown } | { value: unknown }, options: RetryOptions = {}): Promise<number | undefined> {
  const clock = fakeClock({ wallMs })
  let delay: number | undefined
  const policy = retry({
    initialDelay: '1s',
    maxDelay: '30s',
    jitter: 'none',
    maxAttempts: 2,
    retryOn: () => true,
    retryOnResult: () => true,
    clock,
    onRetry: ({ delayMs }) => (delay = delayMs),
    ...options,
  })
  const outcome = policy.tryExecute(() => ('error' in answer ? Promise.reject(answer.error as Error) : Promise.resolve(answer.value)))
  await clock.advance('400d')
  await outcome
  return delay
}

const limited = (headers: unknown): { error: unknown } => ({ error: Object.assign(new Error('429'), { status: 429, headers }) })

describe('58: Retry-After', () => {
  it('as seconds: the greater of hint and back-off', async () => {
    expect(await delayAfter(limited({ 'retry-after': '5' }))).toBe(5_000)
    expect(await delayAfter(limited({ 'retry-after': '0.5' }))).toBe(1_000)
    expect(await delayAfter(limited({ 'retry-after': '0' }))).toBe(1_000)
    expect(await delayAfter(limited({ 'retry-after': '1.5' }))).toBe(1_500)
  })

  it('as an HTTP date in each of its three forms', async () => {
    for (const date of ['Tue, 01 Jan 2030 12:00:07 GMT', 'Tuesday, 01-Jan-30 12:00:07 GMT', 'Tue Jan  1 12:00:07 2030']) {
      expect(await delayAfter(limited({ 'retry-after': date })), date).toBe(7_000)
    }
  })

  it('of the past is no reason to wait longer than the back-off', async () => {
    expect(await delayAfter(limited({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }))).toBe(1_000)
  })

  it('is no hint when it is negative or cannot be read', async () => {
    for (const value of ['-5', '', ' ', 'soon', '5,10', 'NaN', '1e3', '5 7', 'Infinity', '12:61:61 GMT', 'retry in 2090', '{}', '0x10']) {
      expect(await delayAfter(limited({ 'retry-after': value })), value).toBe(1_000)
    }
    for (const value of [null, undefined, true, {}, [], [null], () => '5', Number.NaN]) {
      expect(await delayAfter(limited({ 'retry-after': value }))).toBe(1_000)
    }
  })

  it('beyond maxRetryAfter ends the retrying, since an earlier attempt would be refused', async () => {
    expect(await delayAfter(limited({ 'retry-after': '60' }))).toBe(60_000)
    expect(await delayAfter(limited({ 'retry-after': '61' }))).toBeUndefined()
    expect(await delayAfter(limited({ 'retry-after': '5' }), { maxRetryAfter: '4s' })).toBeUndefined()
    for (const absurd of ['99999999999', '9'.repeat(400), 'Tue, 01 Jan 2999 12:00:00 GMT']) {
      expect(await delayAfter(limited({ 'retry-after': absurd })), absurd).toBeUndefined()
    }
  })

  it('that never comes ends the retrying under any maxRetryAfter', async () => {
    expect(await delayAfter(limited({ 'retry-after': '9'.repeat(400) }), { maxRetryAfter: Infinity })).toBeUndefined()
    expect(await delayAfter({ error: { retryAfterMs: Infinity } }, { maxRetryAfter: Infinity })).toBeUndefined()
    expect(await delayAfter(limited({ 'retry-after': '3600' }), { maxRetryAfter: Infinity })).toBe(3_600_000)
  })

  it("may exceed maxDelay, which is the back-off's", async () => {
    expect(await delayAfter(limited({ 'retry-after': '45' }), { maxDelay: '2s' })).toBe(45_000)
  })

  it('beyond the deadline ends the retrying at once', async () => {
    const clock = fakeClock()
    const { error } = limited({ 'retry-after': '5' })
    const run = vi.fn(() => Promise.reject(error as Error))
    expect(await retry({ clock }).tryExecute(run, { deadline: '4s' })).toEqual({ ok: false, error })
    expect(run).toHaveBeenCalledTimes(1)
  })
})

describe('58: where the hint is found', () => {
  it('in Headers, a Map, and plain objects of any case, with texts, numbers and lists', async () => {
    const sources = [
      new Headers({ 'Retry-After': '5' }),
      new Map([['retry-after', '5']]),
      { 'Retry-After': '5' },
      { 'RETRY-AFTER': 5 },
      { 'retry-after': ['5', '9'] },
      { get: (name: string) => (name === 'retry-after' ? 5 : null) },
      Object.assign(Object.create(null), { 'retry-after': '5' }),
    ]
    for (const headers of sources) expect(await delayAfter(limited(headers))).toBe(5_000)
  })

  it("in an error of the OpenAI and Anthropic clients' shape, also when it is the cause or the last of several", async () => {
    const { error } = limited(new Headers({ 'retry-after': '5' }))
    expect(await delayAfter({ error })).toBe(5_000)
    expect(await delayAfter({ error: new Error('agent failed', { cause: error }) })).toBe(5_000)
    expect(
      await delayAfter({ error: Object.assign(new Error('failed 3 times'), { errors: [new Error('other'), error], lastError: error }) }),
    ).toBe(5_000)
    expect(await delayAfter({ error: new AggregateError([new Error('other'), error]) })).toBe(5_000)
  })

  it('in the response that an error carries, and in a response that is the result', async () => {
    const headers = { 'retry-after': '5' }
    expect(await delayAfter({ error: Object.assign(new Error('503'), { response: { status: 503, headers } }) })).toBe(5_000)
    expect(await delayAfter({ value: new Response(null, { status: 503, headers }) })).toBe(5_000)
  })

  it('in milliseconds, which are more exact than the seconds beside them', async () => {
    expect(await delayAfter(limited({ 'retry-after-ms': '1234', 'retry-after': '2' }))).toBe(1_234)
    expect(await delayAfter(limited({ 'x-ms-retry-after-ms': '1234' }))).toBe(1_234)
    expect(await delayAfter(limited({ 'retry-after-ms': '-3', 'retry-after': '2' }))).toBe(2_000)
    expect(await delayAfter(limited({ 'retry-after-ms': 'x', 'retry-after': '2' }))).toBe(2_000)
  })

  it('in the refusal of a policy inside, when refusals are repeated', async () => {
    const clock = fakeClock()
    const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: '7s', successThreshold: 1, clock })
    const delays: number[] = []
    const guarded = pipeline(retry({ retryRefusals: true, jitter: 'none', clock, onRetry: ({ delayMs }) => delays.push(delayMs) }), breaker)
    let calls = 0
    const answer = guarded.execute(() => {
      calls++
      if (calls === 1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      return 'done'
    })
    await clock.advance('1m')
    expect(await answer).toBe('done')
    expect(delays).toEqual([1_000, 6_000])
    expect(await delayAfter({ error: new HoldfastError({ code: 'ERR_RATE_LIMITED', retryAfterMs: 2_500 }) })).toBe(2_500)
  })

  it('nowhere, when reading it throws', async () => {
    const hostile = [
      Object.defineProperty(new Error('a'), 'headers', {
        get: () => {
          throw new Error('no headers')
        },
      }),
      Object.assign(new Error('b'), {
        headers: {
          get: () => {
            throw new Error('no value')
          },
        },
      }),
      Object.assign(new Error('c'), {
        headers: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no keys')
            },
          },
        ),
      }),
    ]
    for (const error of hostile) expect(await delayAfter({ error })).toBe(1_000)
  })
})

describe("59: the server's wish not to be tried again ends the retrying", () => {
  it("as gRPC's pushback: negative or unreadable is no, otherwise it is the delay", async () => {
    const pushback = (value: string): { error: unknown } => limited({ 'grpc-retry-pushback-ms': value })
    for (const value of ['-1', 'never', '']) expect(await delayAfter(pushback(value)), value).toBeUndefined()
    expect(await delayAfter(pushback('0'))).toBe(1_000)
    expect(await delayAfter(pushback('2500'))).toBe(2_500)
  })

  it('in the metadata of a gRPC error', async () => {
    const metadata = { get: (name: string) => (name === 'grpc-retry-pushback-ms' ? ['-1'] : []) }
    expect(await delayAfter({ error: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, metadata }) })).toBeUndefined()
  })

  it('as x-should-retry: false', async () => {
    expect(await delayAfter(limited({ 'x-should-retry': 'false', 'retry-after': '5' }))).toBeUndefined()
    expect(await delayAfter(limited({ 'x-should-retry': 'true' }))).toBe(1_000)
  })
})

it('the readers are functions of their own', () => {
  expect(parseRetryAfter('120', wallMs)).toBe(120_000)
  expect(parseRetryAfter(' 120 ', wallMs)).toBe(120_000)
  expect(parseRetryAfter('2s', wallMs)).toBe(2_000)
  expect(parseRetryAfter(undefined, wallMs)).toBeUndefined()
  expect(serverHint(new Error('none'), wallMs)).toBeUndefined()
  for (const nothing of [undefined, null, 5, 'text']) expect(serverHint(nothing, wallMs)).toBeUndefined()
})
