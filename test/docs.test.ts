import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { formatProblem, loadConfig } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, scratch } from '../tools/workspace.mjs'
import { assembleProgram, findSnippets, type Snippet } from './support/markdown-snippets.ts'
import { readSourceFiles } from './support/source-files.ts'

const run = promisify(execFile)
const timeLimitMs = 60_000
const testTimeMs = timeLimitMs + 10_000

interface PageSnippet extends Snippet {
  readonly page: string
  /** Where a reader finds it, for example `README.md:12`. */
  readonly place: string
}

const snippets = readPages().flatMap(([page, text]) =>
  findSnippets(text).map((snippet) => ({ ...snippet, page, place: `${page}:${snippet.line}` })),
)
const programs = snippets.filter(({ language }) => language === 'ts')
const configurations = snippets.filter(({ language, directives }) => language === 'yaml' && directives.has('config'))
const commands = snippets.filter(({ language, flags }) => language === 'sh' && flags.includes('test'))

let folder: string
beforeAll(() => {
  mkdirSync(scratch, { recursive: true })
  folder = mkdtempSync(join(scratch, 'docs-'))
  for (const snippet of programs) writeProgram(snippet)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('documentation', () => {
  it('writes code as ts, so that it runs here', () => {
    const others = snippets.filter(({ language }) => /^(typescript|tsx|js|jsx|javascript|mjs|mts)$/.test(language))
    expect(others.map(({ place, language }) => `${place} is ${language}`)).toEqual([])
  })

  it(
    'type-checks',
    async () => {
      if (programs.length === 0) return
      const config = {
        extends: '../../tsconfig.check.json',
        include: ['.'],
        compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      expect(await failureOf(process.execPath, [compiler, '-p', folder, '--pretty', 'false'])).toBe('')
    },
    testTimeMs,
  )

  it.each(programs.map((snippet) => [snippet.place, snippet] as const))(
    '%s runs',
    async (_place, snippet) => {
      const loader = ['--conditions=@holdfast/source', '--import', 'tsx']
      expect(await failureOf(process.execPath, [...loader, programPath(snippet)])).toBe('')
    },
    testTimeMs,
  )

  it.each(commands.map(({ place, code }) => [place, code] as const))(
    '%s runs',
    async (_place, code) => {
      expect(await failureOf('bash', ['-euo', 'pipefail', '-c', code])).toBe('')
    },
    testTimeMs,
  )

  it.each(configurations.map((snippet) => [snippet.place, snippet] as const))(
    '%s is a valid configuration',
    (_place, { page, line, code }) => {
      const path = join(folder, `${page}.${line}.yml`)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, '\n'.repeat(line - 1) + code)
      const loaded = loadConfig(path, { env: {}, cwd: folder })
      expect(loaded.ok ? [] : loaded.errors.map(formatProblem)).toEqual([])
    },
  )
})

/** What a program that failed had to say; empty when it ended well. The workspace's own commands are on its PATH. */
async function failureOf(command: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }
  const ending = run(command, args, { cwd: root, env, timeout: timeLimitMs })
  ending.child.stdin?.end()
  return ending.then(
    () => '',
    (error: { message: string; stdout: string }) => `${error.stdout}${error.message}`.replaceAll(`${folder}/`, ''),
  )
}

function readPages(): readonly (readonly [string, string])[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const docs = readSourceFiles(join(root, 'docs'), root, (path) => path.endsWith('.md'))
  return [...top.map((name) => [name, readFileSync(join(root, name), 'utf8')] as const), ...docs]
}

function programPath({ page, line }: PageSnippet): string {
  return join(folder, `${page}.${line}.ts`)
}

function writeProgram(snippet: PageSnippet): void {
  const path = programPath(snippet)
  const ofPage = snippets.filter(({ page }) => page === snippet.page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, assembleProgram(ofPage, snippet, readSetup))
}

function readSetup(name: string): string {
  return readFileSync(join(root, 'test/support/snippets', `${name}.ts`), 'utf8')
}
