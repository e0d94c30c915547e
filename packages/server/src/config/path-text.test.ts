import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parsePath, pathText, quoted, shownText } from './path-text.ts'

it('writes paths as people do', () => {
  expect(pathText(['upstreams', 'llm', 'headers', 'x api', 0])).toBe('upstreams.llm.headers["x api"][0]')
  expect(pathText(['server', 'tokens', 1, 'name'])).toBe('server.tokens[1].name')
  expect(pathText([])).toBe('')
})

it('reads back every path it writes', () => {
  const segment = fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat())
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 6 }), (path) => {
      expect(parsePath(pathText(path))).toEqual(path)
    }),
    { seed: 71, numRuns: 300 },
  )
})

it('answers undefined for what is no path', () => {
  for (const text of ['a..b', 'a[', '[x]', 'a b', '.']) expect(parsePath(text)).toBeUndefined()
})

it('shows invisible and direction-changing characters instead of obeying them', () => {
  expect(quoted('a\u202eb\u0000c\nd\u200b')).toBe('"a\\u202eb\\u0000c\\nd\\u200b"')
})

it('puts a text in quotes where it could mislead', () => {
  expect(shownText('/run/secrets/key')).toBe('/run/secrets/key')
  expect(shownText('a\nb')).toBe('"a\\nb"')
})
