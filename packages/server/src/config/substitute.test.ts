import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retyped, substitute } from './substitute.ts'

const sources = {
  env: { PORT: '8080', EMPTY: '', NESTED: '${PORT}' },
  readSecret: (path: string) => (path === '/run/secrets/key' ? { text: 's3cret' } : { fault: 'cannot be read: no such file' }),
}

const text = (written: string): string | undefined => substitute(written, sources)?.result.text
const faults = (written: string): readonly string[] => substitute(written, sources)?.faults ?? []

describe('substitute', () => {
  it('leaves a text without ${ alone', () => expect(substitute('price: 5$ {x}', sources)).toBeUndefined())

  it.each([
    ['${PORT}', '8080'],
    ['a-${PORT}-${PORT}-b', 'a-8080-8080-b'],
    ['${MISSING:-90}', '90'],
    ['${EMPTY:-90}', '90'],
    ['${MISSING:-}', ''],
    ['${MISSING:-${PORT}}', '8080'],
    ['${MISSING:-a:-b}', 'a:-b'],
    ['Bearer ${file:/run/secrets/key}', 'Bearer s3cret'],
    ['$${PORT}', '${PORT}'],
    ['$${A} ${PORT}', '${A} 8080'],
    ['${PORT} $5', '8080 $5'],
  ])('%s becomes %s', (written, result) => {
    expect(faults(written)).toEqual([])
    expect(text(written)).toBe(result)
  })

  it('takes values as they are: they are not expanded again', () => expect(text('${NESTED}')).toBe('${PORT}'))

  it('says which variables and files went into the text, and only those', () => {
    expect(substitute('${PORT} ${MISSING:-x} ${file:/run/secrets/key}', sources)?.result).toMatchObject({
      variables: ['PORT'],
      secretFiles: ['/run/secrets/key'],
    })
  })

  it('names every variable that is missing or empty', () => {
    expect(faults('${A} ${EMPTY}')).toEqual([
      'environment variable A is not set: set it, or give a default with ${A:-…}',
      'environment variable EMPTY is empty: set it, or give a default with ${EMPTY:-…}',
    ])
  })

  it('does not take what every object inherits for a variable', () => {
    expect(faults('${constructor}${toString}')).toHaveLength(2)
    expect(text('${__proto__:-none}')).toBe('none')
  })

  it.each(['${}', '${A B}', '${A-b}', '${A:?no}', '${1A}', '${', '${PORT', '${file:}', '${file:/nope}'])('refuses %s', (written) => {
    expect(faults(written)).toHaveLength(1)
  })

  it('refuses endless nesting', () => {
    expect(faults(`${'${A:-'.repeat(20)}x${'}'.repeat(20)}`)[0]).toContain('nested')
  })

  it('never throws, and never lets a ${ stand without a fault', () => {
    const piece = fc.constantFrom('${', '}', '$', '{', 'PORT', ':-', 'A', 'file:', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const written = pieces.join('')
        const substitution = substitute(written, { ...sources, env: { PORT: '1' } })
        if (substitution === undefined || substitution.faults.length > 0 || written.includes('$${')) return
        expect(substitution.result.text).not.toContain('${')
      }),
      { seed: 71, numRuns: 300 },
    )
  })
})

describe('retyped', () => {
  it.each([
    ['8080', 8080],
    ['0.5', 0.5],
    ['-1', -1],
    ['1e3', 1000],
    ['true', true],
    ['', null],
    ['yes', 'yes'],
    ['1.2.3', '1.2.3'],
    ['0x10', '0x10'],
    ['NaN', 'NaN'],
  ])('%j is %j', (written, value) => expect(retyped(written)).toBe(value))
})
