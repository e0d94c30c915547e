// Imported first by every tool: on a Node.js that is too old it says so in one line and ends, before anything else can fail obscurely.
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const required = engines.node.replace('>=', '')

if (isOlder(process.versions.node, required)) {
  console.error(`Holdfast needs Node.js ${required} or newer; this is ${process.version}.`)
  process.exit(1)
}

/**
 * Whether `version` comes before `minimum`, both as dotted numbers; missing parts count as 0.
 * @param {string} version
 * @param {string} minimum
 */
export function isOlder(version, minimum) {
  const parts = version.split('.').map(Number)
  const needed = minimum.split('.').map(Number)
  for (let index = 0; index < needed.length; index += 1) {
    const difference = (parts[index] || 0) - (needed[index] || 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
