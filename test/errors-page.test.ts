import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes } from 'holdfast'
import { expect, it } from 'vitest'
import { root } from '../tools/workspace.mjs'

it('docs/errors.md has a row for each error code, in the same order and with the same meaning, and no other', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(ERR_\w+)` +\| ([^|]+) \|/gm)].map(([, code, meaning]) => [code, meaning?.trim()])
  expect(rows).toEqual(Object.entries(errorCodes))
})
