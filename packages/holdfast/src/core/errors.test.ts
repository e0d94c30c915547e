import { errorCodes, HoldfastError, isHoldfastError, setStackTraces } from 'holdfast'
import { Script, createContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { errorWithoutStack } from './errors.ts'

afterEach(() => setStackTraces(false))

describe('HoldfastError', () => {
  it('is an Error that says code, policy, and when to come again', () => {
    const error = new HoldfastError({ code: 'ERR_RATE_LIMITED', policy: 'search', retryAfterMs: 250 })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'ERR_RATE_LIMITED', policy: 'search', retryAfterMs: 250 })
    expect(error.message).toBe('search: the rate limit is used up')
    expect(String(error)).toBe('HoldfastError: search: the rate limit is used up')
  })

  it('leaves out what is not known', () => {
    const error = new HoldfastError({ code: 'ERR_DISPOSED' })
    expect(error.policy).toBe('')
    expect(error.message).toBe(errorCodes.ERR_DISPOSED)
    expect('retryAfterMs' in error).toBe(false)
    expect('cause' in error).toBe(false)
  })

  it('keeps message and cause', () => {
    const cause = new Error('inner')
    expect(new HoldfastError({ code: 'ERR_TIMEOUT', message: 'too slow', cause })).toMatchObject({ message: 'too slow', cause })
  })

  it('has a stack', () => {
    expect(new HoldfastError({ code: 'ERR_DISPOSED' }).stack).toContain('errors.test')
  })
})

describe('isHoldfastError', () => {
  it('asks for the code when one is given', () => {
    const error = new HoldfastError({ code: 'ERR_TIMEOUT' })
    expect(isHoldfastError(error)).toBe(true)
    expect(isHoldfastError(error, 'ERR_TIMEOUT')).toBe(true)
    expect(isHoldfastError(error, 'ERR_DISPOSED')).toBe(false)
  })

  it('knows the errors of another copy of the package', async () => {
    vi.resetModules()
    const copy = await import('./errors.ts')
    const error = new copy.HoldfastError({ code: 'ERR_TIMEOUT' })
    expect(error).not.toBeInstanceOf(HoldfastError)
    expect(isHoldfastError(error, 'ERR_TIMEOUT')).toBe(true)
    expect(copy.isHoldfastError(new HoldfastError({ code: 'ERR_TIMEOUT' }))).toBe(true)
  })

  it('knows the errors of another realm', () => {
    const foreign: unknown = new Script(
      `class E extends Error { code = 'ERR_TIMEOUT' }; E.prototype[Symbol.for('holdfast.error')] = true; new E()`,
    ).runInContext(createContext())
    expect(foreign).not.toBeInstanceOf(Error)
    expect(isHoldfastError(foreign, 'ERR_TIMEOUT')).toBe(true)
  })

  it('takes no look-alike for one', () => {
    for (const value of [undefined, null, 'ERR_TIMEOUT', new Error('x'), { code: 'ERR_TIMEOUT', policy: 'x', name: 'HoldfastError' }]) {
      expect(isHoldfastError(value)).toBe(false)
    }
  })
})

describe('errorWithoutStack', () => {
  it('makes an error of one line, and leaves stack traces of others as they are', () => {
    const limit = Error.stackTraceLimit
    const error = errorWithoutStack({ code: 'ERR_TIMEOUT', policy: 'slow' })
    expect(error.stack).toBe(String(error))
    expect(Error.stackTraceLimit).toBe(limit)
  })

  it('makes one with a stack when setStackTraces asks for it', () => {
    setStackTraces(true)
    expect(errorWithoutStack({ code: 'ERR_TIMEOUT' }).stack).toContain('errors.test')
    setStackTraces(false)
    expect(errorWithoutStack({ code: 'ERR_TIMEOUT' }).stack).not.toContain('errors.test')
  })

  it('gives the limit back when making the error fails', () => {
    const limit = Error.stackTraceLimit
    const init = {
      code: 'ERR_TIMEOUT' as const,
      get message(): string {
        throw new RangeError('stack overflow')
      },
    }
    expect(() => errorWithoutStack(init)).toThrow(RangeError)
    expect(Error.stackTraceLimit).toBe(limit)
  })

  it('works where Error is frozen, with a stack then', () => {
    const limit = Error.stackTraceLimit
    Object.defineProperty(Error, 'stackTraceLimit', { value: limit, writable: false })
    try {
      const error = errorWithoutStack({ code: 'ERR_TIMEOUT' })
      expect(isHoldfastError(error, 'ERR_TIMEOUT')).toBe(true)
      expect(error.stack).toContain('errors.test')
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', { value: limit, writable: true })
    }
  })
})
