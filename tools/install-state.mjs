// Decides whether node_modules still fits: from what the last set-up recorded, and from what npm itself recorded.
import { createHash } from 'node:crypto'

/** The parts of a package.json that change what npm installs. */
const installFields = [
  'name',
  'version',
  'workspaces',
  'bin',
  'os',
  'cpu',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'overrides',
]
const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

/**
 * @typedef {object} InstallState What an installation was made for.
 * @property {string} runtime Node.js release line, platform and processor; native addons depend on all three.
 * @property {Record<string, string>} files A digest for each file that decides what is installed.
 */

/** The runtime part of the state, for the Node.js that runs now. */
export const currentRuntime = `Node.js ${process.versions.node.split('.')[0]} on ${process.platform}-${process.arch}`

/**
 * @param {string} runtime
 * @param {string} lockText Text of package-lock.json, empty when there is none.
 * @param {Readonly<Record<string, Record<string, unknown>>>} manifests Every package.json, by the path messages call it.
 * @returns {InstallState}
 */
export function installState(runtime, lockText, manifests) {
  const files = { 'package-lock.json': digest(lockText) }
  for (const [path, manifest] of Object.entries(manifests)) {
    Object.assign(files, { [path]: digest(JSON.stringify(installFields.map((field) => manifest[field] ?? null))) })
  }
  return { runtime, files }
}

/**
 * Why the recorded installation does not fit, or undefined when it does.
 * @param {InstallState | 'unfinished' | undefined} recorded
 * @param {InstallState} current
 * @returns {string | undefined}
 */
export function staleReason(recorded, current) {
  if (recorded === undefined) return 'nothing was installed here yet'
  if (recorded === 'unfinished') return 'the last installation did not finish'
  if (recorded.runtime !== current.runtime) return `it was made for ${recorded.runtime}`
  const paths = new Set([...Object.keys(current.files), ...Object.keys(recorded.files)])
  const changed = [...paths].filter((path) => recorded.files[path] !== current.files[path])
  return changed.length > 0 ? `changed: ${changed.join(', ')}` : undefined
}

/**
 * @typedef {{ packages?: Record<string, Record<string, unknown>> }} Lock
 */

/**
 * Whether the lock file was made for these package.json files.
 * @param {Lock | undefined} lock package-lock.json
 * @param {Readonly<Record<string, Record<string, unknown>>>} manifests Every package.json, by its folder, the root being `''`.
 */
export function fitsManifests(lock, manifests) {
  return Object.entries(manifests).every(([folder, manifest]) => {
    const locked = lock?.packages?.[folder]
    return locked !== undefined && dependencyFields.every((field) => sameEntries(locked[field], manifest[field]))
  })
}

/**
 * Whether npm's own record of node_modules holds what the lock file asks for, as after a plain `npm install`. Optional packages may lack.
 * @param {Lock | undefined} lock package-lock.json
 * @param {Lock | undefined} installed node_modules/.package-lock.json
 */
export function holdsLocked(lock, installed) {
  if (!lock?.packages || !installed?.packages) return false
  return Object.entries(lock.packages).every(([path, wanted]) => {
    const found = installed.packages?.[path]
    if (path === '' || (!found && (wanted.optional || wanted.devOptional))) return true
    return found !== undefined && found.version === wanted.version && found.integrity === wanted.integrity && found.link === wanted.link
  })
}

/**
 * @param {unknown} left
 * @param {unknown} right
 */
function sameEntries(left, right) {
  const sorted = [left, right].map((value) => JSON.stringify(Object.entries(value ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))))
  return sorted[0] === sorted[1]
}

/** @param {string} text */
function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
