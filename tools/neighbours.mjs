// The real programs that tests and the benchmark run beside Holdfast: one list for `npm test`, which installs and reports what tests need,
// and for those who run them.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {object} Neighbour
 * @property {string} name What messages call it.
 * @property {string} variable Environment variable that may hold the path of its executable; it wins over the PATH.
 * @property {readonly string[]} commands Names it goes by on the PATH, the preferred one first.
 * @property {string} debianPackage The Debian package that brings it.
 * @property {string} usedFor What does not get done without it.
 * @property {'tests' | 'benchmark'} neededBy `npm test` installs and reports what tests need, and never asks for the others.
 */

/** @satisfies {Readonly<Record<string, Neighbour>>} */
export const neighbours = {
  promtool: {
    name: 'promtool',
    variable: 'HOLDFAST_PROMTOOL',
    commands: ['promtool'],
    debianPackage: 'prometheus',
    usedFor: 'checking the metrics page and the alert rules with promtool',
    neededBy: 'tests',
  },
  prometheus: {
    name: 'Prometheus',
    variable: 'HOLDFAST_PROMETHEUS',
    commands: ['prometheus'],
    debianPackage: 'prometheus',
    usedFor: 'scraping the metrics page with a real Prometheus server',
    neededBy: 'tests',
  },
  chromium: {
    name: 'Chromium',
    variable: 'HOLDFAST_CHROMIUM',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
    usedFor: 'using the page in a real browser',
    neededBy: 'tests',
  },
  nginx: {
    name: 'nginx',
    variable: 'HOLDFAST_NGINX',
    commands: ['nginx'],
    debianPackage: 'nginx-light',
    usedFor: 'comparing the gateway with nginx',
    neededBy: 'benchmark',
  },
  haproxy: {
    name: 'HAProxy',
    variable: 'HOLDFAST_HAPROXY',
    commands: ['haproxy'],
    debianPackage: 'haproxy',
    usedFor: 'comparing the gateway with HAProxy',
    neededBy: 'benchmark',
  },
}

/**
 * What `npm test` installs, and reports when it is missing.
 * @returns {readonly Neighbour[]}
 */
export function testNeighbours() {
  return Object.values(neighbours).filter(({ neededBy }) => neededBy === 'tests')
}

/**
 * Looks a program up: the path in its environment variable, else the first match on the PATH.
 * @param {Neighbour} neighbour
 * @param {Readonly<Record<string, string | undefined>>} [environment]
 * @returns {{ path: string } | { missing: string }} `missing` says why there is none and what would provide it.
 */
export function findNeighbour(neighbour, environment = process.env) {
  const { name, variable, debianPackage } = neighbour
  const given = environment[variable]
  if (given) return isExecutable(given) ? { path: given } : { missing: `${variable} names ${given}, which is not an executable file` }
  const path = neighbour.commands.map((command) => findOnPath(command, environment)).find((found) => found !== undefined)
  if (path !== undefined) return { path }
  return { missing: `${name} is not on the PATH; set ${variable} to its executable, or install it (Debian package: ${debianPackage})` }
}

/**
 * @param {string} command
 * @param {Readonly<Record<string, string | undefined>>} environment
 */
export function findOnPath(command, environment = process.env) {
  const folders = (environment.PATH ?? environment.Path ?? '').split(delimiter).filter(Boolean)
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  return folders.flatMap((folder) => endings.map((ending) => join(folder, command + ending))).find(isExecutable)
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
