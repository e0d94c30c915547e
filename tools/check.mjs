// npm run check: types, lint, format, unused code and the packed packages; every step runs, the first failure does not hide the next.
import './require-node.mjs'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, runTool } from './failure.mjs'
import { ensureInstalled } from './install.mjs'
import { packPackages } from './pack.mjs'
import { elapsed } from './progress.mjs'
import { runCommand } from './run-command.mjs'
import { publicPackages, readJson, root, scratch } from './workspace.mjs'

const tarballs = join(scratch, 'check')

/** @type {readonly { name: string, run: () => Promise<void> }[]} */
const steps = [
  { name: 'packages build (tsc -b)', run: () => tool('typescript', 'tsc', '-b', ...publicPackages) },
  { name: 'everything type-checks (tsc)', run: () => tool('typescript', 'tsc', '-p', 'tsconfig.check.json') },
  { name: 'page type-checks (tsc -p packages/dashboard)', run: checkPage },
  { name: 'lint (oxlint)', run: () => tool('oxlint', 'oxlint', '--type-aware', '--deny-warnings') },
  { name: 'format (oxfmt)', run: () => tool('oxfmt', 'oxfmt', '--check', '.') },
  { name: 'nothing unused (knip)', run: () => tool('knip', 'knip', '--no-progress') },
  { name: 'packed packages (publint, attw)', run: checkPackages },
]

await runTool(async () => {
  await ensureInstalled(root)
  const failed = []
  for (const { name, run } of steps) {
    const startedAt = performance.now()
    const problem = await run().then(() => undefined, explain)
    console.log(
      `${problem === undefined ? 'ok    ' : 'FAILED'} ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${name}`,
    )
    if (problem === undefined) continue
    console.log(problem)
    failed.push(name)
  }
  console.log(failed.length === 0 ? `All checks passed in ${elapsed()}.` : `Failed: ${failed.join('; ')}.`)
  return failed.length === 0 ? 0 : 1
})

/** The page knows a browser, its tests know Node.js: neither may lean on what only the other has. */
async function checkPage() {
  await tool('typescript', 'tsc', '-p', 'packages/dashboard')
  await tool('typescript', 'tsc', '-p', 'packages/dashboard/tsconfig.test.json')
}

async function checkPackages() {
  rmSync(tarballs, { recursive: true, force: true })
  const problems = []
  for (const { name, tarball } of await packPackages(tarballs)) {
    const verdicts = [
      tool('publint', 'publint', 'run', tarball, '--strict'),
      tool('@arethetypeswrong/cli', 'attw', tarball, '--profile', 'esm-only', '--no-emoji', '--no-color', '--no-definitely-typed'),
    ]
    for (const verdict of await Promise.allSettled(verdicts)) {
      if (verdict.status === 'rejected') problems.push(`${name}:\n${explain(verdict.reason)}`)
    }
  }
  if (problems.length > 0) throw new Failure(problems.join('\n'))
}

/**
 * Runs the program a development dependency brings.
 * @param {string} dependency
 * @param {string} program
 * @param {readonly string[]} args
 * @throws {Failure} with what it printed.
 */
async function tool(dependency, program, ...args) {
  const folder = join(root, 'node_modules', dependency)
  const { bin } = readJson(join(folder, 'package.json'))
  const script = join(folder, typeof bin === 'string' ? bin : bin[program])
  const { code, output } = await runCommand(process.execPath, [script, ...args], { cwd: root, output: 'collect' })
  if (code !== 0) throw new Failure(output)
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof Failure) return error.message
  throw error
}
