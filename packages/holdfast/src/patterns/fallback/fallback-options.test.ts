import { fallback, isHoldfastError, pipeline, retry, timeout, type AlternativeOf, type Fallback } from 'holdfast'
import { describe, expect, expectTypeOf, it } from 'vitest'

const failing = (): Promise<never> => Promise.reject(new Error('down'))

function messageOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (isHoldfastError(error, 'ERR_INVALID_OPTION')) return error.message
    throw error
  }
  throw new Error('the options were accepted')
}

describe('options', () => {
  it('bad ones are refused with their name, their value and what is allowed', () => {
    expect(messageOf(() => fallback({ handler: 'cached' } as never))).toBe(
      "fallback: option 'handler' must be a function, or 'value' must be given, got \"cached\"",
    )
    expect(messageOf(() => fallback({ handler: undefined } as never))).toBe(
      "fallback: option 'handler' must be a function, or 'value' must be given, got undefined",
    )
    expect(messageOf(() => fallback({ value: 1, handler: () => 2 }))).toBe(
      "fallback: option 'handler' must be absent when 'value' is given, got a function",
    )
    expect(messageOf(() => fallback({ value: 1, when: true } as never))).toBe("fallback: option 'when' must be a function, got true")
    expect(messageOf(() => fallback({ value: 1, name: '' }))).toBe(
      'fallback: option \'name\' must be a text of 1 to 200 characters, got ""',
    )
  })

  it('a misspelt name is refused, not taken for part of the answer', () => {
    expect(messageOf(() => fallback({ handler: () => 1, wen: () => true } as never))).toBe(
      "fallback: there is no option 'wen' (did you mean 'when'?); allowed: value, handler, when, name, clock",
    )
    expect(messageOf(() => fallback({ value: 5, unit: 'ms' }))).toMatch(/^fallback: there is no option 'unit'; allowed: value, /)
  })

  it('an answer that has `value` itself is written as the value, or is an object of a class', async () => {
    expect(await fallback({ value: { value: 5, unit: 'ms' } }).execute(failing)).toEqual({ value: 5, unit: 'ms' })
    class Reading {
      readonly value = 5
      readonly unit = 'ms'
    }
    const reading = new Reading()
    expect(await fallback(reading).execute(failing)).toBe(reading)
    const inherited: object = Object.create({ value: 5 })
    expect(await fallback(inherited).execute(failing)).toBe(inherited)
  })
})

describe('types', () => {
  const number = (): Promise<number> => Promise.resolve(1)

  it('an answer is of the type of the function or of the fallback', () => {
    expectTypeOf(fallback('none').execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback(null).execute(number)).toEqualTypeOf<Promise<number | null>>()
    expectTypeOf(fallback({ value: 'none' }).execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback(() => 'none').execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback(async () => 'none').execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback({ handler: async () => 'none' }).execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback<number[]>([]).execute(async () => [1])).toEqualTypeOf<Promise<number[]>>()
    expectTypeOf(fallback(0)).toEqualTypeOf<Fallback<number>>()
  })

  it('tryExecute and wrap say so as well', () => {
    const safe = fallback('none').wrap((id: bigint) => Promise.resolve(id))
    expectTypeOf(safe).parameters.toEqualTypeOf<[bigint]>()
    expectTypeOf(safe).returns.toEqualTypeOf<Promise<bigint | string>>()
    expectTypeOf(fallback('none').tryExecute(number)).resolves.toHaveProperty('ok')
  })

  it('a pipeline adds the answers of all its fallbacks, and other policies add none', () => {
    const guarded = pipeline(fallback('outer'), retry(), fallback(false), timeout('1s'))
    expectTypeOf(guarded.execute(number)).toEqualTypeOf<Promise<number | string | boolean>>()
    expectTypeOf(pipeline(retry(), timeout('1s')).execute(number)).toEqualTypeOf<Promise<number>>()
    expectTypeOf<AlternativeOf<Fallback<string>>>().toEqualTypeOf<string>()
  })

  it('the handler is given the error as unknown, and its call', () => {
    fallback((error, call) => {
      expectTypeOf(error).toEqualTypeOf<unknown>()
      expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>()
      return 1
    })
  })
})
