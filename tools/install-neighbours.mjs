// On Debian, as root, installs the real programs that tests run beside Holdfast. Elsewhere it changes nothing.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { findNeighbour, findOnPath, testNeighbours } from './neighbours.mjs'
import { say, startHeartbeat } from './progress.mjs'
import { runCommand } from './run-command.mjs'

/** Debian asks this program before it starts a service; 101 means no. */
const servicePolicy = '/usr/sbin/policy-rc.d'

/** Installs what is missing, and leaves it to the tests' own look-up to notice what could not be installed. */
export async function installNeighbours() {
  const packages = missingPackages()
  if (packages.length === 0 || !canInstall()) return
  say(`installing Debian packages for the tests: ${packages.join(' ')}`)
  const remove = forbidServices()
  try {
    if ((await apt('update')) !== 0) say('apt-get update failed; trying with the package lists that are here')
    const installed = (await apt('install', '-y', '--no-install-recommends', ...packages)) === 0
    say(installed ? 'Debian packages installed' : 'apt-get install failed; its messages are above')
    if (installed) await disableServices(packages)
  } finally {
    remove()
  }
}

function missingPackages() {
  const missing = testNeighbours().filter((neighbour) => !process.env[neighbour.variable] && 'missing' in findNeighbour(neighbour))
  return [...new Set(missing.map((neighbour) => neighbour.debianPackage))]
}

function canInstall() {
  return process.getuid?.() === 0 && isDebian() && findOnPath('apt-get') !== undefined
}

function isDebian() {
  return existsSync('/etc/os-release') && /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/** A server package would start its service; the tests start their own. A policy that is there already is the owner's to keep. */
function forbidServices() {
  if (existsSync(servicePolicy)) return () => {}
  writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(servicePolicy, { force: true })
}

/**
 * Takes the packages' services out of the next boot and stops any that a permissive policy let start.
 * @param {readonly string[]} packages
 */
async function disableServices(packages) {
  if (findOnPath('systemctl') === undefined || !existsSync('/run/systemd/system')) return
  const { output } = await runCommand('dpkg', ['-L', ...packages], { output: 'collect' })
  const units = output.split('\n').flatMap((path) => /\/systemd\/system\/([^/@]+\.service)$/.exec(path)?.[1] ?? [])
  if (units.length > 0) await runCommand('systemctl', ['disable', '--now', ...new Set(units)], { output: 'collect' })
}

/** @param {readonly string[]} args */
async function apt(...args) {
  const stop = startHeartbeat(() => `in apt-get ${args[0]}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    const { code, output } = await runCommand('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, output: 'collect' })
    if (code !== 0) for (const line of output.split('\n').slice(-8)) say(`  ${line}`)
    return code
  } finally {
    stop()
  }
}
