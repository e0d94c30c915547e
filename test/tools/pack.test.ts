import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packPackages, withoutCondition } from '../../tools/pack.mjs'

const run = promisify(execFile)

it('takes the source condition out at every depth and keeps the rest in its order', () => {
  const exports = {
    '.': { '@holdfast/source': './src/index.ts', types: './a.d.ts', default: { '@holdfast/source': './b.ts', import: './a.js' } },
  }
  expect(JSON.stringify(withoutCondition({ exports, files: ['dist'], sideEffects: false }))).toBe(
    JSON.stringify({ exports: { '.': { types: './a.d.ts', default: { import: './a.js' } } }, files: ['dist'], sideEffects: false }),
  )
})

describe('the packed server', () => {
  const page = 'package/assets/dashboard/'
  let folder: string
  let tarball: string
  let files: readonly string[]
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-tarballs-'))
    const packed = await packPackages(folder)
    tarball = packed.find(({ name }) => name === '@holdfast/server')!.tarball
    files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n')
  }, 180_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('holds the built page: its document, and every file the document names', async () => {
    expect(files).toContain(`${page}index.html`)
    const html = await content(`${page}index.html`)
    const named = [...html.matchAll(/(?:src|href)="\.?\/?([^"]+)"/g)].map(([, path]) => `${page}${path}`)
    expect(named.filter((path) => path.endsWith('.js'))).not.toEqual([])
    expect(files).toEqual(expect.arrayContaining(named))
  })

  it('holds no source map of the page, and no test or fixture at all', () => {
    expect(files.filter((path) => path.startsWith(page) && path.endsWith('.map'))).toEqual([])
    expect(files.filter((path) => /\.(test|fixture)\./.test(path))).toEqual([])
  })

  it('leads nobody to source files', async () => {
    expect(await content('package/package.json')).not.toContain('@holdfast/source')
  })

  async function content(path: string): Promise<string> {
    return (await run('tar', ['-xzOf', tarball, path])).stdout
  }
})
