// Makes node_modules fit the lock file, and says why and how far it is.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'
import { currentRuntime, fitsManifests, holdsLocked, installState, staleReason } from './install-state.mjs'
import { npmInstall } from './npm-install.mjs'
import { say } from './progress.mjs'
import { withSetupLock } from './setup-lock.mjs'
import { manifestFolders, readJson } from './workspace.mjs'
import { requireWritable } from './writable.mjs'

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
    await install(folder, isLockInStep(folder))
    writeState(folder, currentState(folder))
    say('dependencies installed')
  })
}

/**
 * Installs exactly what the lock file says and leaves the lock file alone. `npm ci` would do that too, but refuses a lock file
 * made by an npm that left out the optional packages of other platforms.
 * @param {string} folder
 * @param {boolean} lockInStep
 */
async function install(folder, lockInStep) {
  if (!lockInStep && process.env.CI) {
    throw new Failure('package-lock.json does not fit the package.json files. Run `npm install` and commit package-lock.json.')
  }
  if (!canBuildOn(folder)) rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
  writeState(folder, 'unfinished')
  if (!lockInStep) say('package-lock.json does not fit the package.json files: npm brings it up to date')
  await npmInstall(folder, lockInStep ? ['--no-save'] : [])
}

/**
 * Why npm has to run, or undefined when what is installed fits.
 * @param {string} folder
 */
function reasonToInstall(folder) {
  const reason = staleReason(recordedState(folder), currentState(folder))
  if (reason === undefined || !canBuildOn(folder)) return reason
  const installedByHand = isLockInStep(folder) && holdsLocked(readLock(folder), readNpmRecord(folder))
  return installedByHand ? undefined : reason
}

/**
 * Whether what is in node_modules is whole and made for this Node.js, even if it is not what the lock file says now.
 * @param {string} folder
 */
function canBuildOn(folder) {
  const recorded = recordedState(folder)
  if (recorded === undefined) return readNpmRecord(folder) !== undefined
  return recorded !== 'unfinished' && recorded.runtime === currentRuntime
}

/** @param {string} folder */
function isLockInStep(folder) {
  return fitsManifests(readLock(folder), manifestsOf(folder))
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
 * @returns {import('./install-state.mjs').InstallState | 'unfinished' | undefined}
 */
function recordedState(folder) {
  return readOptional(statePath(folder))
}

/** @param {string} folder */
function readLock(folder) {
  return readOptional(join(folder, 'package-lock.json'))
}

/**
 * What npm notes down when it has finished.
 * @param {string} folder
 */
function readNpmRecord(folder) {
  return readOptional(join(folder, 'node_modules', '.package-lock.json'))
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
