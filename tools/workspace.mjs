// Where things are in this repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** The packages that are published, in the order they depend on one another. */
export const publicPackages = ['packages/holdfast', 'packages/server', 'packages/cli']

/** Scratch space for tools and tests; never committed. */
export const scratch = join(root, '.holdfast')

/** @param {string} path */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/**
 * The folders of every package.json npm installs for, relative to `folder`, the root itself being `''`.
 * @param {string} folder
 * @returns {string[]}
 */
export function manifestFolders(folder) {
  /** @type {string[]} */
  const patterns = readJson(join(folder, 'package.json')).workspaces ?? []
  const workspaces = patterns.flatMap((pattern) => (pattern.endsWith('/*') ? subfolders(folder, pattern.slice(0, -2)) : [pattern]))
  return ['', ...workspaces.filter((workspace) => existsSync(join(folder, workspace, 'package.json')))]
}

/**
 * @param {string} folder
 * @param {string} parent
 */
function subfolders(folder, parent) {
  if (!existsSync(join(folder, parent))) return []
  const entries = readdirSync(join(folder, parent), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${parent}/${entry.name}`)
}
