import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readString, writeString } from './structured-field.ts'

it('reads what it wrote, for all printable texts', () => {
  const printable = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
  fc.assert(
    fc.property(printable, (text) => {
      expect(readString(writeString(text))).toBe(text)
    }),
  )
})

it.each([
  ['"a"', 'a'],
  ['  "a b"  ', 'a b'],
  ['"a";v=1', 'a'],
  ['"\\"q\\" \\\\"', '"q" \\'],
  ['""', ''],
  ['a', undefined],
  ['"a', undefined],
  ['"a"b', undefined],
  ['"a\\b"', undefined],
  ['"ä"', undefined],
])('the field %s holds %j', (field, text) => {
  expect(readString(field)).toBe(text)
})

it('writes nothing that a string cannot have', () => {
  expect(() => writeString('täglich')).toThrow(/ASCII/)
})
