import { isHoldfastError, isRefusal, refusal } from 'holdfast'
import { describe, expect, it, vi } from 'vitest'
import { refusalError, toError } from './refusal.ts'

describe('a refusal', () => {
  it('is plain data, without what is not known', () => {
    expect({ ...refusal('ERR_BULKHEAD_FULL', 'search') }).toEqual({ refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'search' })
    expect('retryAfterMs' in refusal('ERR_BULKHEAD_FULL', 'search')).toBe(false)
    expect(JSON.parse(JSON.stringify(refusal('ERR_RATE_LIMITED', 'search', 5)))).toEqual({
      refused: true,
      code: 'ERR_RATE_LIMITED',
      policy: 'search',
      retryAfterMs: 5,
    })
    expect(refusal('ERR_BULKHEAD_FULL', 'search')).not.toBeInstanceOf(Error)
  })

  it('never asks to come again in the past', () => {
    expect(refusal('ERR_RATE_LIMITED', 'search', -3).retryAfterMs).toBe(0)
    expect(refusal('ERR_RATE_LIMITED', 'search', Number.NaN).retryAfterMs).toBe(0)
  })

  it('is told from look-alikes, which functions may throw', () => {
    expect(isRefusal(refusal('ERR_BULKHEAD_FULL', 'search'))).toBe(true)
    for (const value of [
      undefined,
      null,
      true,
      'refused',
      { refused: true, code: 'ERR_BULKHEAD_FULL', policy: 'search' },
      { refused: false },
    ]) {
      expect(isRefusal(value)).toBe(false)
    }
  })

  it('of another copy of the package is one too', async () => {
    vi.resetModules()
    const copy = await import('./refusal.ts')
    expect(isRefusal(copy.refusal('ERR_BULKHEAD_FULL', 'search'))).toBe(true)
  })
})

it('45: every refusal becomes an error of its own, which neither grows nor carries a stack', () => {
  const refused = refusal('ERR_CIRCUIT_OPEN', 'payments', 100)
  const [first, second] = [refusalError(refused), refusalError(refused)]
  expect(first).not.toBe(second)
  expect(first).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', policy: 'payments', retryAfterMs: 100 })
  expect(second.message).toBe(first.message)
  expect(second.stack).toBe(first.stack)
  expect(second.cause).toBeUndefined()
})

it('toError leaves everything but refusals as it is', () => {
  const error = new TypeError('x')
  expect(toError(error)).toBe(error)
  expect(toError(undefined)).toBeUndefined()
  expect(isHoldfastError(toError(refusal('ERR_WOULD_WAIT', 'x')), 'ERR_WOULD_WAIT')).toBe(true)
})
