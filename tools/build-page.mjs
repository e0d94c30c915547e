// Builds the page (packages/dashboard) into the server's package with Vite, and knows when that is needed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { Failure } from './failure.mjs'
import { say } from './progress.mjs'
import { runCommand } from './run-command.mjs'
import { readJson } from './workspace.mjs'

const sources = 'packages/dashboard'
/** What the page takes from elsewhere: the server's types and words, and the versions of its libraries. */
const foreignSources = ['packages/server/src/wire.ts', 'package-lock.json']
const output = 'packages/server/assets/dashboard'
const scratch = '.holdfast'
const stamp = `${scratch}/page-build.json`
const notBuilt = /(^|\/)(node_modules|dist)(\/|$)|\.(test|fixture)\.tsx?$/

/**
 * Whether the page that lies in the server's package was built from the sources as they are now, and is whole.
 * @param {string} folder
 */
export function isPageBuilt(folder) {
  if (!existsSync(join(folder, output, 'index.html'))) return false
  try {
    const built = readJson(join(folder, stamp))
    return built.sources === sourceDigest(folder) && built.output === outputDigest(folder)
  } catch {
    return false
  }
}

/**
 * Builds the page aside and puts it in place when it is whole: a build that fails, or that is cut off, leaves the old page.
 * @param {string} folder
 * @throws {Failure} when Vite does not succeed.
 */
export async function buildPage(folder) {
  const builtFrom = sourceDigest(folder)
  mkdirSync(join(folder, scratch), { recursive: true })
  const aside = mkdtempSync(join(folder, scratch, 'page-'))
  try {
    say('building the page')
    const vite = join(folder, 'node_modules/vite/bin/vite.js')
    const options = ['build', '--outDir', join(aside, 'new'), '--emptyOutDir', '--logLevel', 'warn']
    const { code, output: said } = await runCommand(process.execPath, [vite, ...options], { cwd: join(folder, sources), output: 'collect' })
    if (code !== 0) throw new Failure(`The page does not build:\n${said}`)
    rmSync(join(folder, stamp), { force: true })
    replace(join(folder, output), join(aside, 'new'), join(aside, 'old'))
    writeFileSync(join(folder, stamp), `${JSON.stringify({ sources: builtFrom, output: outputDigest(folder) })}\n`)
    say('page built')
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/**
 * @param {string} place
 * @param {string} successor
 * @param {string} leaving
 */
function replace(place, successor, leaving) {
  mkdirSync(dirname(place), { recursive: true })
  if (existsSync(place)) renameSync(place, leaving)
  renameSync(successor, place)
}

/** @param {string} folder */
function sourceDigest(folder) {
  const own = filesBelow(join(folder, sources)).filter((path) => !notBuilt.test(relative(join(folder, sources), path).split(sep).join('/')))
  const foreign = foreignSources.map((path) => join(folder, path)).filter((path) => existsSync(path))
  return digest(folder, [...own, ...foreign])
}

/** @param {string} folder */
function outputDigest(folder) {
  return digest(folder, filesBelow(join(folder, output)))
}

/**
 * @param {string} folder
 * @returns {string[]} Absolute paths, sorted.
 */
function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

/**
 * @param {string} folder
 * @param {readonly string[]} paths
 */
function digest(folder, paths) {
  const hash = createHash('sha256')
  for (const path of paths) {
    const content = readFileSync(path)
    hash.update(`${relative(folder, path)}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}
