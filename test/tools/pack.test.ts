import { expect, it } from 'vitest'
import { withoutCondition } from '../../tools/pack.mjs'

it('takes the source condition out at every depth and keeps the rest in its order', () => {
  const exports = {
    '.': { '@holdfast/source': './src/index.ts', types: './a.d.ts', default: { '@holdfast/source': './b.ts', import: './a.js' } },
  }
  expect(JSON.stringify(withoutCondition({ exports, files: ['dist'], sideEffects: false }))).toBe(
    JSON.stringify({ exports: { '.': { types: './a.d.ts', default: { import: './a.js' } } }, files: ['dist'], sideEffects: false }),
  )
})
