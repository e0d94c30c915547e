import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { publicPackages, readJson, root } from '../tools/workspace.mjs'
import { findImports } from './support/imports.ts'
import { layerViolations } from './support/layers.ts'
import { borderViolations, type PackageBorder } from './support/package-borders.ts'
import { readSourceFiles } from './support/source-files.ts'

const librarySource = join(root, 'packages/holdfast/src')
const isCode = (path: string): boolean => /\.(ts|mts|mjs|tsx)$/.test(path)
const isShipped = (path: string): boolean => isCode(path) && !/\.(test|fixture)\./.test(path)

describe('layers of the library', () => {
  it('imports go down only, patterns never import one another, and nothing from outside is loaded', () => {
    const files = readSourceFiles(librarySource, librarySource, isShipped)
    expect(files.size).toBeGreaterThan(0)
    expect(layerViolations(files)).toEqual([])
  })

  it.each([
    ['an import of a higher layer', 'core/clock.ts', `import { pipeline } from '../patterns/retry/index.ts'`],
    ['a type import of a higher layer', 'patterns/retry/retry.ts', `import type { System } from '../../system/index.ts'`],
    ['a re-export of a higher layer', 'operations/health.ts', `export * from '../system/index.ts'`],
    ['a lazy import of a higher layer', 'engines/redis.ts', `const load = () => import('../cluster/votes.ts')`],
    ['an import type of a higher layer', 'core/policy.ts', `export type S = import('../system/index.ts').System`],
    ['a pattern that imports another', 'patterns/retry/retry.ts', `import { timeout } from '../timeout/index.ts'`],
    ['a pattern that imports the list of all', 'patterns/retry/retry.ts', `import { timeout } from '../index.ts'`],
    ['a file between the patterns', 'patterns/all.ts', `export * from './retry/index.ts'`],
    ['a root entry that exports more than core and patterns', 'index.ts', `export * from './system/index.ts'`],
    ['a layer that uses the root entry', 'system/index.ts', `import { retry } from '../index.ts'`],
    ['a folder that is no layer', 'system/index.ts', `import { x } from '../misc/x.ts'`],
    ['a layer that uses testing', 'system/index.ts', `import { fakeClock } from '../testing/index.ts'`],
    ['testing that uses patterns', 'testing/index.ts', `import { retry } from '../patterns/retry/index.ts'`],
    ['a source file that uses a test', 'core/clock.ts', `import { rig } from './clock.test.ts'`],
    ['a way out of the library', 'core/clock.ts', `import { x } from '../../../server/src/x.ts'`],
    ['a Node.js module in core', 'core/clock.ts', `import { performance } from 'node:perf_hooks'`],
    ['a Node.js module loaded for its effect', 'patterns/retry/retry.ts', `import 'node:timers'`],
    ['a package loaded at once', 'adapters/hono.ts', `import { Hono } from 'hono'`],
  ])('catches %s', (_what, path, source) => {
    expect(layerViolations(new Map([[path, source]]))).toHaveLength(1)
  })

  it.each([
    ['downwards', 'system/index.ts', `import { retry } from '../patterns/retry/index.ts'`],
    ['within a pattern', 'patterns/retry/retry.ts', `import { backoff } from './backoff.ts'`],
    ['of every pattern by their list', 'patterns/index.ts', `export * from './retry/index.ts'`],
    ['within a layer', 'operations/slo.ts', `import { health } from './health.ts'`],
    ['of core by the root entry', 'index.ts', `export { systemClock } from './core/clock.ts'`],
    ['of a Node.js type', 'core/clock.ts', `import type { Timeout } from 'node:timers'`],
    ['of a neighbour, lazily', 'adapters/hono.ts', `const hono = await import('hono')`],
  ])('lets an import %s pass', (_what, path, source) => {
    expect(layerViolations(new Map([[path, source]]))).toEqual([])
  })
})

describe('borders of the packages', () => {
  const packages = publicPackages.map(readBorder)

  it('packages import one another by public entries only, and the server never imports the command line', () => {
    const files = new Map(publicPackages.flatMap((folder) => [...readSourceFiles(join(root, folder, 'src'), root, isCode)]))
    expect(files.size).toBeGreaterThan(0)
    expect(borderViolations(files, packages)).toEqual([])
  })

  it.each([
    ['a file of another package', 'packages/server/src/a.ts', `import { x } from '../../holdfast/src/core/clock.ts'`],
    ['an entry that is not public', 'packages/cli/src/a.ts', `import { x } from 'holdfast/core/clock'`],
    ['the command line in the server', 'packages/server/src/a.ts', `import '@holdfast/cli/package.json'`],
    ['the server in the library', 'packages/holdfast/src/a.ts', `import { x } from '@holdfast/server'`],
    ['test support in shipped code', 'packages/cli/src/a.ts', `import { x } from '../../../test/support/x.ts'`],
  ])('catches %s', (_what, path, source) => {
    expect(borderViolations(new Map([[path, source]]), packages)).toHaveLength(1)
  })

  it('lets public entries pass, and test support in tests', () => {
    const files = new Map([
      [
        'packages/cli/src/a.ts',
        `import { retry } from 'holdfast'\nimport { serve } from '@holdfast/server'\nimport { readFile } from 'node:fs'`,
      ],
      ['packages/cli/src/a.test.ts', `import { x } from '../../../test/support/x.ts'\nimport { fakeClock } from 'holdfast/testing'`],
    ])
    expect(borderViolations(files, packages)).toEqual([])
  })
})

it('imports are found in every form, and a type is told from a value', () => {
  const source = `
    import type { A } from 'a'
    import { type B } from 'b'
    export type { C } from 'c'
    export { d } from 'd'
    const e = () => import('e')
    type F = import('f').F
    // import 'comment'
    const text = "import 'string'"`
  expect(findImports(source)).toEqual([
    { specifier: 'a', typeOnly: true, lazy: false },
    { specifier: 'b', typeOnly: false, lazy: false },
    { specifier: 'c', typeOnly: true, lazy: false },
    { specifier: 'd', typeOnly: false, lazy: false },
    { specifier: 'e', typeOnly: false, lazy: true },
    { specifier: 'f', typeOnly: true, lazy: false },
  ])
})

function readBorder(folder: string): PackageBorder {
  const manifest = readJson(join(root, folder, 'package.json'))
  return { name: manifest.name, folder, entries: Object.keys(manifest.exports), mayImport: Object.keys(manifest.dependencies ?? {}) }
}
