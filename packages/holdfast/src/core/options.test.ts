import { describe, expect, it } from 'vitest'
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  functionOption,
  integerOption,
  invalidOption,
  nameOption,
  numberOption,
  ratioOption,
  show,
} from './options.ts'
import { suggest } from './suggest.ts'

describe('suggest', () => {
  const names = ['maxAttempts', 'initialDelay', 'maxDelay', 'backoff', 'name']

  it.each([
    ['maxAttempt', 'maxAttempts'],
    ['maxattempts', 'maxAttempts'],
    ['max_attempts', 'maxAttempts'],
    ['intialDelay', 'initialDelay'],
    ['maxDealy', 'maxDelay'],
    ['nmae', 'name'],
    ['backof', 'backoff'],
  ])('takes %s for %s', (word, meant) => {
    expect(suggest(word, names)).toBe(meant)
  })

  it.each(['', 'x', 'verbose', 'timeoutMillis'])('takes %j for nothing', (word) => {
    expect(suggest(word, names)).toBeUndefined()
  })

  it('stays cheap for a word of a million letters', () => {
    expect(suggest('a'.repeat(1_000_000), names)).toBeUndefined()
  })
})

describe('the message for a bad option', () => {
  it('names the owner, the option, what is allowed and the value', () => {
    const error = invalidOption('search', 'maxAttempts', -1, 'a whole number from 1 up')
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', policy: 'search' })
    expect(error.message).toBe("search: option 'maxAttempts' must be a whole number from 1 up, got -1")
  })

  it.each([
    ['text', '"text"'],
    ['two\nlines', '"two\\nlines"'],
    ['x'.repeat(100), `"${'x'.repeat(57)}..."`],
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'NaN'],
    [7n, '7n'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [[1, 2], 'an array of 2'],
    [{ secret: 1 }, 'an object'],
    [Object.create(null), 'an object'],
  ])('shows the value on one short line (%#)', (value, text) => {
    expect(show(value)).toBe(text)
  })
})

describe('checkOptionNames', () => {
  it('refuses what is no object of options', () => {
    for (const options of [null, undefined, 5, 'name', ['name']]) {
      expect(() => checkOptionNames('retry', options, ['name'])).toThrow(/^retry: options must be an object, got /)
    }
  })

  it('refuses a name that is no option, and suggests the nearest one that is', () => {
    expect(() => checkOptionNames('retry', { maxAtempts: 3 }, ['maxAttempts', 'name'])).toThrow(
      "retry: there is no option 'maxAtempts' (did you mean 'maxAttempts'?); allowed: maxAttempts, name",
    )
    expect(() => checkOptionNames('retry', { colour: 3 }, ['maxAttempts'])).toThrow(
      "retry: there is no option 'colour'; allowed: maxAttempts",
    )
  })

  it('lets options pass that are there but undefined', () => {
    expect(() => checkOptionNames('retry', { name: undefined }, ['name'])).not.toThrow()
  })
})

describe('single options', () => {
  it('integerOption takes whole numbers within the range, and Infinity where it is allowed', () => {
    expect(integerOption('x', 'n', 0)).toBe(0)
    expect(integerOption('x', 'n', 3, { min: 3, max: 3 })).toBe(3)
    expect(integerOption('x', 'n', Infinity, { allowInfinity: true })).toBe(Infinity)
    for (const value of [-1, 1.5, Number.NaN, Infinity, '3', null, 2 ** 53])
      expect(() => integerOption('x', 'n', value)).toThrow(/a whole number from 0 up, got /)
    expect(() => integerOption('x', 'n', 9, { min: 1, max: 8 })).toThrow(/a whole number from 1 to 8, got 9$/)
    expect(() => integerOption('x', 'n', 0, { min: 1, allowInfinity: true })).toThrow(/a whole number from 1 up, or Infinity, got 0$/)
  })

  it('numberOption takes finite numbers within the range', () => {
    expect(numberOption('x', 'n', 0.5)).toBe(0.5)
    for (const value of [-0.1, Number.NaN, Infinity, '1']) expect(() => numberOption('x', 'n', value)).toThrow(/a number from 0 up, got /)
    expect(() => numberOption('x', 'n', 3, { min: 1, max: 2 })).toThrow(/a number from 1 to 2, got 3$/)
  })

  it('ratioOption takes shares from 0 to 1, and says what 50 % is to somebody who writes 50', () => {
    expect(ratioOption('x', 'r', 0)).toBe(0)
    expect(ratioOption('x', 'r', 1)).toBe(1)
    expect(() => ratioOption('x', 'r', 50)).toThrow(/a share from 0 to 1 \(0\.5 is 50 %\), got 50$/)
    expect(() => ratioOption('x', 'r', 0, true)).toThrow(/a share above 0, at most 1/)
    expect(() => ratioOption('x', 'r', Number.NaN)).toThrow(/got NaN$/)
  })

  it('choiceOption takes one of the words, and suggests the nearest', () => {
    expect(choiceOption('x', 'jitter', 'full', ['full', 'none'])).toBe('full')
    expect(() => choiceOption('x', 'jitter', 'ful', ['full', 'none'])).toThrow(
      /one of 'full', 'none' \(did you mean 'full'\?\), got "ful"$/,
    )
    expect(() => choiceOption('x', 'jitter', 1, ['full', 'none'])).toThrow(/one of 'full', 'none', got 1$/)
  })

  it('functionOption takes a function or nothing; booleanOption takes only true and false', () => {
    expect(functionOption('x', 'f', undefined)).toBeUndefined()
    expect(functionOption('x', 'f', Math.max)).toBe(Math.max)
    expect(() => functionOption('x', 'f', 'max' as never)).toThrow(/must be a function, got "max"$/)
    expect(booleanOption('x', 'b', false)).toBe(false)
    for (const value of [0, 'true', undefined]) expect(() => booleanOption('x', 'b', value)).toThrow(/must be true or false, got /)
  })

  it('nameOption falls back to the kind, and takes texts of 1 to 200 characters', () => {
    expect(nameOption('retry', undefined)).toBe('retry')
    expect(nameOption('retry', 'x'.repeat(200))).toHaveLength(200)
    for (const value of ['', 'x'.repeat(201), 5, null])
      expect(() => nameOption('retry', value)).toThrow(/^retry: option 'name' must be a text of 1 to 200 characters, got /)
  })
})
