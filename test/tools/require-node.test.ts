import { expect, it } from 'vitest'
import { isOlder } from '../../tools/require-node.mjs'

it.each([
  ['18.20.8', '20.19', true],
  ['20.18.3', '20.19', true],
  ['20.9.0', '20.19', true],
  ['20.19.0', '20.19', false],
  ['22.0.0', '20.19', false],
  ['20.19.0', '20.19.1', true],
])('Node.js %s against a minimum of %s: older is %s', (version, minimum, older) => {
  expect(isOlder(version, minimum)).toBe(older)
})
