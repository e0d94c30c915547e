import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { lineIndex } from './line-index.ts'

it('agrees with counting from the start', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r') }), fc.nat({ max: 12 }), (text, offset) => {
      const before = text.slice(0, offset).split('\n')
      const column = offset - (before.slice(0, -1).join('\n').length + (before.length > 1 ? 1 : 0)) + 1
      expect(lineIndex(text)(offset)).toEqual({ line: before.length, column })
    }),
    { seed: 71, numRuns: 300 },
  )
})
