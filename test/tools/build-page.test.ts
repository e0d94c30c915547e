import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ensurePageBuilt } from '../../tools/build.mjs'
import { buildPage, isPageBuilt } from '../../tools/build-page.mjs'
import { root } from '../../tools/workspace.mjs'

const output = 'packages/server/assets/dashboard'

let folder: string
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  folder = mkdtempSync(join(tmpdir(), 'holdfast-page-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  write('packages/server/src/wire.ts', 'export const greeting = "hello"')
  write('packages/dashboard/index.html', '<!doctype html><script type="module" src="/src/main.ts"></script>')
  write('packages/dashboard/src/main.ts', 'document.title = "first"')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

describe('the page', () => {
  it('is not built in a fresh clone, and is when it has been built', async () => {
    expect(isPageBuilt(folder)).toBe(false)
    await buildPage(folder)
    expect(isPageBuilt(folder)).toBe(true)
    expect(script()).toContain('first')
  })

  it('is not built again because of a file that was only touched, or of a test', async () => {
    await buildPage(folder)
    write('packages/dashboard/src/main.ts', 'document.title = "first"')
    write('packages/dashboard/src/main.test.ts', 'throw new Error()')
    expect(isPageBuilt(folder)).toBe(true)
  })

  it.each(['packages/dashboard/src/main.ts', 'packages/dashboard/src/new.css', 'packages/server/src/wire.ts', 'package-lock.json'])(
    'is out of date when %s changes',
    async (path) => {
      await buildPage(folder)
      write(path, 'document.title = "second"')
      expect(isPageBuilt(folder)).toBe(false)
    },
  )

  it('is out of date when a part of it was deleted or changed by hand', async () => {
    await buildPage(folder)
    const [asset] = readdirSync(join(folder, output, 'assets'))
    rmSync(join(folder, output, 'assets', asset!))
    expect(isPageBuilt(folder)).toBe(false)
    await buildPage(folder)
    write(join(output, 'index.html'), '<p>by hand</p>')
    expect(isPageBuilt(folder)).toBe(false)
  })

  it('is replaced as a whole: nothing of the earlier one stays', async () => {
    await buildPage(folder)
    const before = statSync(join(folder, output)).ino
    write('packages/dashboard/src/main.ts', 'document.title = "second"')
    await buildPage(folder)
    expect(readdirSync(join(folder, output, 'assets'))).toHaveLength(1)
    expect(script()).toContain('second')
    expect(statSync(join(folder, output)).ino).not.toBe(before)
    expect(readdirSync(join(folder, '.holdfast'))).toEqual(['page-build.json'])
  })

  it('is built once when two want it at the same time', async () => {
    await Promise.all([ensurePageBuilt(folder), ensurePageBuilt(folder)])
    const said = vi.mocked(console.log).mock.calls.map(([line]) => String(line))
    expect(said.filter((line) => line.includes('page built'))).toHaveLength(1)
    expect(isPageBuilt(folder)).toBe(true)
  })

  it('stays as it was when the new one does not build, and the message says where', async () => {
    await buildPage(folder)
    write('packages/dashboard/src/main.ts', 'import "./gone.ts"')
    await expect(buildPage(folder)).rejects.toThrow(/The page does not build:[^]*gone\.ts/)
    expect(script()).toContain('first')
    expect(isPageBuilt(folder)).toBe(false)
  })
})

function script(): string {
  const assets = join(folder, output, 'assets')
  const [name] = existsSync(assets) ? readdirSync(assets).filter((file) => file.endsWith('.js')) : []
  return readFileSync(join(assets, name!), 'utf8')
}

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}
