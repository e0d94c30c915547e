import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { workspace } from './config.fixture.ts'
import { expandGlob, nameMatcher } from './glob.ts'

describe('nameMatcher', () => {
  it.each([
    ['*.yml', 'a.yml', true],
    ['*.yml', '.hidden.yml', false],
    ['.*.yml', '.hidden.yml', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a*b', 'xaxbxb', true],
    ['*', '', true],
    ['a.b', 'axb', false],
  ])('%s on %s: %s', (pattern, name, matches) => expect(nameMatcher(pattern)(name)).toBe(matches))

  it('agrees with the regular expression it stands for', () => {
    const unit = fc.constantFrom('a', 'b', '*', '?')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, name) => {
        const reference = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
        expect(nameMatcher(pattern)(name)).toBe(reference.test(name))
      }),
      { seed: 71, numRuns: 300 },
    )
  })

  it('stays linear where a backtracking matcher would not end', () => {
    expect(nameMatcher(`${'*a'.repeat(50)}b`)('a'.repeat(5_000))).toBe(false)
  })
})

it('finds files below a directory, sorted, and no directories', () => {
  const space = workspace({ 'c/b.yml': '', 'c/a.yml': '', 'c/x.txt': '', 'c/sub/z.yml': '', 'c/dir.yml/y': '' })
  try {
    const names = (pattern: string): string[] =>
      expandGlob(`${space.directory}/c`, pattern).map((path) => path.slice(space.directory.length + 3))
    expect(names('*.yml')).toEqual(['a.yml', 'b.yml'])
    expect(names('s*/*.yml')).toEqual(['sub/z.yml'])
    expect(names('none*/x')).toEqual([])
  } finally {
    space.remove()
  }
})
