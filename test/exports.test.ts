import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicPackages, readJson, root } from '../tools/workspace.mjs'
import { createPackedProject, type PackedProject } from './support/packed-project.ts'

const entries = publicPackages.flatMap((folder) => {
  const { name, exports } = readJson(join(root, folder, 'package.json'))
  return Object.keys(exports).map((key) => name + key.slice(1))
})
const dataEntries = entries.filter((entry) => entry.endsWith('.json'))
const typeEntries = ['@holdfast/server/wire']
const codeEntries = entries.filter((entry) => !entry.endsWith('.json') && !typeEntries.includes(entry))

let project: PackedProject
beforeAll(async () => {
  project = await createPackedProject()
}, 180_000)
afterAll(() => project?.dispose())

describe('the packed packages', () => {
  it.each(codeEntries)('%s gives the same names to import and to require, and keeps no program alive', async (entry) => {
    const imported = await project.node(
      '--input-type=module',
      '-e',
      `console.log(JSON.stringify(Object.keys(await import('${entry}')).sort()))`,
    )
    const required = await project.node('-e', `console.log(JSON.stringify(Object.keys(require('${entry}')).sort()))`)
    expect(JSON.parse(imported)).not.toEqual([])
    expect(JSON.parse(required)).toEqual(JSON.parse(imported))
  })

  it.each(typeEntries)('%s brings types alone', async (entry) => {
    const names = await project.node('--input-type=module', '-e', `console.log(Object.keys(await import('${entry}')).length)`)
    expect(names.trim()).toBe('0')
  })

  it.each(dataEntries)('%s is there', async (entry) => {
    const text = await project.node('-e', `console.log(typeof require('${entry}'))`)
    expect(text.trim()).toBe('object')
  })

  it('lead nobody to source files that are not in them', async () => {
    for (const folder of publicPackages) {
      const { name } = readJson(join(root, folder, 'package.json'))
      const packed = readJson(join(project.folder, 'node_modules', name, 'package.json'))
      expect(JSON.stringify(packed)).not.toContain('@holdfast/source')
      expect(JSON.stringify(packed)).not.toContain('src/')
    }
  })

  it.each(['README.md', 'LICENSE'])('each carry a %s', (text) => {
    for (const folder of publicPackages) {
      const { name } = readJson(join(root, folder, 'package.json'))
      expect(join(project.folder, 'node_modules', name, text)).toSatisfy(existsSync)
    }
  })

  it('bring a command that says its version', async () => {
    const { version, bin } = readJson(join(project.folder, 'node_modules/@holdfast/cli/package.json'))
    const text = await project.node(join('node_modules/@holdfast/cli', bin.holdfast), '--version')
    expect(text.trim()).toBe(version)
  })
})

describe('a strict user of the packed packages', () => {
  beforeAll(() => {
    const modules = [...codeEntries, ...typeEntries]
    const lines = modules.map((entry, index) => `import * as entry${index} from '${entry}'`)
    writeFileSync(
      join(project.folder, 'entries.ts'),
      `${lines.join('\n')}\nexport const entries = [${modules.map((_, index) => `entry${index}`).join(', ')}]\n`,
    )
    writeFileSync(
      join(project.folder, 'common.cts'),
      `import holdfast = require('holdfast')\nexport const policy = holdfast.timeout('2s')\n`,
    )
    copyFileSync(join(root, 'test/fixtures/consumer.ts'), join(project.folder, 'consumer.ts'))
    writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify(userConfig))
  })

  it.each([
    ['5.9', 'typescript-5/bin/tsc'],
    ['7', 'typescript/bin/tsc'],
  ])(
    'compiles with TypeScript %s, checking the declarations too',
    async (version, compiler) => {
      const path = join(root, 'node_modules', compiler)
      expect(await project.node(path, '--version')).toMatch(new RegExp(`^Version ${version}\\.`))
      const errors = await project.node(path, '-p', '.').then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      )
      expect(errors).toBe('')
    },
    180_000,
  )
})

const userConfig = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    declaration: true,
    noEmit: true,
  },
}
