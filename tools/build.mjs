// Builds the packages with TypeScript's own incremental build, and the page with Vite.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildPage, isPageBuilt } from './build-page.mjs'
import { Failure } from './failure.mjs'
import { say } from './progress.mjs'
import { runCommand } from './run-command.mjs'
import { withSetupLock } from './setup-lock.mjs'
import { publicPackages } from './workspace.mjs'
import { requireWritable } from './writable.mjs'

/**
 * Builds what is out of date; says nothing when nothing is.
 * @param {string} folder
 * @throws {Failure} when the sources do not compile, or the page does not build.
 */
export async function ensureBuilt(folder) {
  if (isPageBuilt(folder) && (await isBuilt(folder))) return
  requireWritable(folder, 'The packages must be built')
  await withSetupLock(folder, async () => {
    if (!(await isBuilt(folder))) await buildPackages(folder)
    if (!isPageBuilt(folder)) await buildPage(folder)
  })
}

/**
 * Builds the page alone when it is out of date, for tests that run the server from its source.
 * @param {string} folder
 * @throws {Failure} when it does not build.
 */
export async function ensurePageBuilt(folder) {
  if (isPageBuilt(folder)) return
  await withSetupLock(folder, async () => {
    if (!isPageBuilt(folder)) await buildPage(folder)
  })
}

/** @param {string} folder */
async function buildPackages(folder) {
  say('building the packages')
  const { code } = await tsc(folder, lacksOutput(folder) ? ['--force'] : [], 'show')
  if (code !== 0) throw new Failure('The packages do not compile; the errors are above.')
  say('packages built')
}

/** @param {string} folder */
async function isBuilt(folder) {
  if (lacksOutput(folder)) return false
  const { code, output } = await tsc(folder, ['--dry'], 'collect')
  return code === 0 && !output.includes('would build')
}

/**
 * The compiler trusts its own record of a build and would not notice that somebody deleted an output folder.
 * @param {string} folder
 */
function lacksOutput(folder) {
  return publicPackages.some((path) => !existsSync(join(folder, path, 'dist')))
}

/**
 * @param {string} folder
 * @param {readonly string[]} options
 * @param {'show' | 'collect'} output
 */
function tsc(folder, options, output) {
  return runCommand(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-b', ...publicPackages, ...options], {
    cwd: folder,
    output,
  })
}
