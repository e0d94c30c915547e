import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprintOf } from './fingerprint.ts'
import { readPlain, writeCanonical, writePlain } from './plain-value.ts'

const values = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: false,
  withSparseArray: false,
})

describe('plain data', () => {
  it('reads what it wrote, whatever it was', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(readPlain(writePlain(value))).toStrictEqual(structuredClone(value))
      }),
    )
  })

  it.each([
    [{ $date: 'no mark' }],
    [{ $$: { $number: 1 } }],
    [{ ['__proto__']: { polluted: true } }],
    [[-0, NaN, Infinity, -Infinity, undefined, null, 10n ** 30n]],
    [new Map<unknown, unknown>([[{ a: 1 }, new Date(0)]])],
    [new Uint8Array(20_000).fill(200)],
    [new Float32Array([1.5, -2]).buffer],
    [new Date(NaN)],
  ])('special value %# comes back as it was', (value: unknown) => {
    expect(readPlain(writePlain(value))).toStrictEqual(value)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it.each([
    [() => 1],
    [Symbol('s')],
    [new URL('http://localhost')],
    [new WeakMap()],
    [Promise.resolve()],
    [/x/],
    [new DataView(new ArrayBuffer(1))],
  ])('refuses thing %# rather than change it', (value) => {
    expect(() => writePlain({ value })).toThrow(/no plain data/)
  })

  it('refuses what is inside itself', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(() => writePlain(loop)).toThrow(/inside itself/)
    expect(() => writeCanonical(loop)).toThrow(/inside itself/)
  })
})

describe('fingerprints', () => {
  it('101: equal requests have the same one in whatever order their properties are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 }), (request) => {
        const reversed = Object.fromEntries(Object.entries(request).toReversed())
        expect(fingerprintOf(reversed)).toBe(fingerprintOf(request))
      }),
    )
  })

  it('101: different requests have different ones', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        fc.pre(JSON.stringify(sorted(one)) !== JSON.stringify(sorted(other)))
        expect(fingerprintOf(one)).not.toBe(fingerprintOf(other))
      }),
    )
  })

  it('is a SHA-256, and takes what says how it is written in JSON', () => {
    expect(fingerprintOf('abc')).toBe('6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25')
    expect(writeCanonical({ at: new URL('http://localhost/') })).toBe('{"at":"http://localhost/"}')
  })
})

function sorted(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, property]) => [`$${name}`, sorted(property)]),
  )
}
