import { inspect } from 'node:util'
import { isTransient } from 'holdfast'
import { describe, expect, it } from 'vitest'
import { attemptsAt, coded, status } from './retry.fixture.ts'

describe('what is transient', () => {
  it('network failures, timeouts and 408, 425, 429, 5xx, wherever in the error they are', async () => {
    const transient = [
      ...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'UND_ERR_SOCKET'].map((code) => coded(code)),
      ...[408, 425, 429, 500, 502, 503, 504, 529].map(status),
      Object.assign(new Error('axios'), { response: { status: 503 } }),
      Object.assign(new Error('got'), { statusCode: 503 }),
      new DOMException('late', 'TimeoutError'),
      Object.assign(new Error('Connection error.'), { name: 'APIConnectionError' }),
      new (class APIConnectionTimeoutError extends Error {})('Request timed out.'), // the name stays 'Error'
      new TypeError('fetch failed', { cause: coded('ECONNRESET') }),
      new AggregateError([new Error('other'), coded('ECONNRESET')]),
      Object.assign(new Error('Failed after 3 attempts'), { name: 'AI_RetryError', errors: [status(503)], lastError: status(503) }),
      Object.assign(new Error('14 UNAVAILABLE'), { code: 14, metadata: {} }),
    ]
    for (const error of transient) {
      expect(isTransient(error), String(error)).toBe(true)
      expect(await attemptsAt({ error }, {}), String(error)).toBe(3)
    }
  })

  it('nothing else: bugs, bad requests and cancellations fail again just the same', async () => {
    const lasting = [
      new TypeError('x is not a function'),
      new SyntaxError('bad JSON'),
      ...[400, 401, 403, 404, 409, 422, 501].map(status),
      new DOMException('aborted', 'AbortError'),
      coded('ERR_INVALID_URL'),
      Object.assign(status(400), { cause: coded('ECONNRESET') }), // the server has answered
      { code: 14 },
      undefined,
      null,
      'ECONNRESET',
      () => 1,
    ]
    for (const error of lasting) {
      expect(isTransient(error), inspect(error)).toBe(false)
      expect(await attemptsAt({ error }, {}), inspect(error)).toBe(1)
    }
  })

  it('may be replaced by a list of classes, codes, names and statuses, or by a function', async () => {
    class PaymentError extends Error {}
    const retryOn = [PaymentError, 'E_BUSY', 'QuotaError', 418]
    const listed = [new PaymentError('a'), coded('E_BUSY'), Object.assign(new Error('b'), { name: 'QuotaError' }), status(418)]
    for (const error of listed) {
      expect(await attemptsAt({ error }, { retryOn })).toBe(3)
      expect(await attemptsAt({ error: new Error('outer', { cause: error }) }, { retryOn })).toBe(3)
      expect(await attemptsAt({ error }, {})).toBe(1)
    }
    expect(await attemptsAt({ error: coded('ECONNRESET') }, { retryOn })).toBe(1)
    expect(await attemptsAt({ error: coded('ECONNRESET') }, { retryOn: [] })).toBe(1)
    expect(await attemptsAt({ error: coded('E_MINE') }, { retryOn: (error) => (error as { code?: string }).code === 'E_MINE' })).toBe(3)
  })
})
