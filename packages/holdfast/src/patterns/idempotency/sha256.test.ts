import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256 } from './sha256.ts'

const known = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

it('is the SHA-256 that OpenSSL computes, for every length around the blocks', () => {
  for (let length = 0; length <= 260; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) % 256)
    expect(sha256(bytes)).toBe(known(bytes))
  }
})

it('is the same for any bytes, and for many', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000, size: 'max' }), (bytes) => {
      expect(sha256(bytes)).toBe(known(bytes))
    }),
  )
  const many = new Uint8Array(1_000_003).fill(97)
  expect(sha256(many)).toBe(known(many))
})
