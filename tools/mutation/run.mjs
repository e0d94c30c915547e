// npm run mutation -- <folder or file> …: mutates what lies there, runs its tests against each mutant, and says which nobody noticed.
import '../require-node.mjs'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Failure, runTool } from '../failure.mjs'
import { npmInstall } from '../npm-install.mjs'
import { runCommand } from '../run-command.mjs'
import { readJson, root, scratch } from '../workspace.mjs'
import { figuresOf, survivorLines, withFigures } from './summary.mjs'

const here = join(root, 'tools/mutation')
const sources = 'packages/holdfast/src'

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tests: { type: 'string', multiple: true, default: [] },
      write: { type: 'boolean', default: false },
    },
  })
  if (positionals.length === 0)
    throw new Failure('Say what to mutate, relative to packages/holdfast/src: npm run mutation -- patterns/timeout')
  if (!existsSync(join(here, 'node_modules/@stryker-mutator/core'))) await npmInstall(here, [])
  for (const subject of positionals) await mutate(subject, values.tests, values.write)
})

/**
 * @param {string} subject
 * @param {readonly string[]} tests
 * @param {boolean} write
 */
async function mutate(subject, tests, write) {
  const path = join(sources, subject)
  if (!existsSync(join(root, path))) throw new Failure(`There is no ${path}.`)
  const isFile = subject.endsWith('.ts')
  const folders = [isFile ? subject.split('/').slice(0, -1).join('/') : subject, ...tests]
  const work = join(scratch, 'mutation')
  mkdirSync(work, { recursive: true })
  const reportFile = join(work, `${subject.replaceAll('/', '-')}.json`)
  const configFile = join(work, `${subject.replaceAll('/', '-')}.config.json`)
  const config = {
    testRunner: 'vitest',
    plugins: [join(here, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
    vitest: { configFile: 'tools/mutation/vitest.config.mjs', related: false },
    mutate: isFile ? [path] : [`${path}/**/*.ts`, `!${path}/**/*.test.ts`, `!${path}/**/*.fixture.ts`, `!${path}/index.ts`],
    // the classic compiler interface that Stryker would read a tsconfig with is gone from TypeScript 7: a name that is not there
    tsconfigFile: 'tsconfig.none.json',
    ignorePatterns: ['**', '!package.json', '!tsconfig.base.json', '!packages/holdfast/**', '!tools/mutation/vitest.config.mjs'],
    disableTypeChecks: false,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: reportFile },
    tempDirName: join('.holdfast', 'mutation', 'sandbox'),
    coverageAnalysis: 'perTest',
    concurrency: 1,
    timeoutMS: 10_000,
    allowConsoleColors: false,
  }
  writeFileSync(configFile, JSON.stringify(config, null, 2))
  const stryker = join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const env = { ...process.env, MUTATION_TESTS: folders.map((folder) => join(sources, folder, '**/*.test.ts')).join(',') }
  const { code, output } = await runCommand(process.execPath, [stryker, 'run', configFile], { cwd: root, env, output: 'collect' })
  if (code !== 0 || !existsSync(reportFile)) throw new Failure(`Stryker ended with code ${code}:\n${output}`)
  const report = readJson(reportFile)
  rmSync(reportFile)
  const figures = figuresOf(subject, report)
  for (const line of survivorLines(report)) console.log(line)
  console.log(`\n${subject}: ${figures.score} % of ${figures.mutants} mutants were noticed`)
  if (write) writePage(figures)
}

/** @param {import('./summary.mjs').Figures} figures */
function writePage(figures) {
  const page = join(root, 'docs/mutation.md')
  writeFileSync(page, withFigures(existsSync(page) ? readFileSync(page, 'utf8') : '', figures))
  console.log('written: docs/mutation.md')
}
