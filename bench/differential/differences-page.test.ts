import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../../tools/workspace.mjs'
import { differencesPage } from './differences-page.ts'

it('docs/differences.md says what the comparison accepts, no more and no less', () => {
  expect(readFileSync(join(root, 'docs/differences.md'), 'utf8')).toBe(differencesPage())
})
