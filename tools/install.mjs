// Makes node_modules fit the lock file, and says why and how far it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'
import { currentRuntime, installState, isInstalled, staleReason } from './install-state.mjs'
import { runNpm } from './npm.mjs'
import { say, startHeartbeat } from './progress.mjs'
import { withSetupLock } from './setup-lock.mjs'
import { manifestFolders, readJson } from './workspace.mjs'
import { requireWritable } from './writable.mjs'

/** Everything a build and the tests need, whatever NODE_ENV or the user's npm settings leave out. */
const npmFlags = ['--include=dev', '--include=optional', '--prefer-offline', '--no-audit', '--no-fund', '--no-progress']
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/
const lockOutOfStep = /npm ci.*can only install|are in sync/

/**
 * Installs the dependencies of the project in `folder` unless they are there already.
 * @param {string} folder
 * @throws {Failure} saying what to do, when npm cannot reach its registry, may not write, or fails otherwise.
 */
export async function ensureInstalled(folder) {
  if (reasonToInstall(folder) === undefined) return
  requireWritable(folder, 'Dependencies must be installed')
  await withSetupLock(folder, async () => {
    const reason = reasonToInstall(folder)
    if (reason === undefined) return
    say(`installing dependencies: ${reason}`)
    writeState(folder, 'unfinished')
    await install(folder)
    writeState(folder, currentState(folder))
    say('dependencies installed')
  })
}

/** @param {string} folder */
async function install(folder) {
  const locked = existsSync(join(folder, 'package-lock.json'))
  let result = await npm(folder, locked ? 'ci' : 'install')
  if (result.code !== 0 && locked && lockOutOfStep.test(result.output) && !process.env.CI) {
    say('package-lock.json does not fit the package.json files; npm install brings it up to date')
    result = await npm(folder, 'install')
  }
  if (result.code === 0) return
  if (unreachable.test(result.output)) {
    throw new Failure('Dependencies are missing and the npm registry cannot be reached. Check the network (and `npm config get registry`), then try again.')
  }
  throw new Failure(`npm ended with code ${result.code}; its messages are above. Nothing else was done.`)
}

/**
 * @param {string} folder
 * @param {'ci' | 'install'} verb
 */
async function npm(folder, verb) {
  say(`npm ${verb}`)
  const stop = startHeartbeat('installing')
  try {
    return await runNpm([verb, ...npmFlags], { cwd: folder, onLine: (line) => line.trim() && say(`  ${line}`) })
  } finally {
    stop()
  }
}

/**
 * Why npm has to run, or undefined when what is installed fits.
 * @param {string} folder
 */
function reasonToInstall(folder) {
  const modules = join(folder, 'node_modules')
  const recorded = existsSync(modules) ? readOptional(statePath(folder)) : undefined
  const reason = staleReason(recorded, currentState(folder))
  const otherRuntime = recorded !== undefined && recorded.runtime !== currentRuntime
  if (reason === undefined || otherRuntime) return reason
  const installedByHand = isInstalled(readOptional(join(folder, 'package-lock.json')), readOptional(join(modules, '.package-lock.json')), manifestsOf(folder))
  return installedByHand ? undefined : reason
}

/** @param {string} folder */
function currentState(folder) {
  const lockPath = join(folder, 'package-lock.json')
  const manifests = Object.entries(manifestsOf(folder)).map(([path, manifest]) => [join(path, 'package.json'), manifest])
  return installState(currentRuntime, existsSync(lockPath) ? readFileSync(lockPath, 'utf8') : '', Object.fromEntries(manifests))
}

/**
 * Every package.json, by its folder.
 * @param {string} folder
 * @returns {Record<string, Record<string, unknown>>}
 */
function manifestsOf(folder) {
  return Object.fromEntries(manifestFolders(folder).map((path) => [path, readJson(join(folder, path, 'package.json'))]))
}

/** @param {string} folder */
function statePath(folder) {
  return join(folder, 'node_modules', '.holdfast-setup')
}

/**
 * @param {string} folder
 * @param {import('./install-state.mjs').InstallState | 'unfinished'} state
 */
function writeState(folder, state) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  writeFileSync(statePath(folder), `${JSON.stringify(state, null, 2)}\n`)
}

/** @param {string} path */
function readOptional(path) {
  try {
    return readJson(path)
  } catch {
    return undefined
  }
}
