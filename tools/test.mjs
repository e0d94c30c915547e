// npm test [-- options of vitest run]: sets up, looks for the real neighbours, runs every test and counts at the end.
import './require-node.mjs'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from './build.mjs'
import { Failure, runTool } from './failure.mjs'
import { installNeighbours } from './install-neighbours.mjs'
import { ensureInstalled } from './install.mjs'
import { findNeighbour, testNeighbours } from './neighbours.mjs'
import { say } from './progress.mjs'
import { runCommand } from './run-command.mjs'
import { absenceLines, closingLine } from './test-summary.mjs'
import { readJson, root } from './workspace.mjs'

const reportPath = join(tmpdir(), `holdfast-test-report-${process.pid}.json`)

await runTool(async () => {
  await ensureInstalled(root)
  await ensureBuilt(root)
  await installNeighbours()
  const absent = absentNeighbours()
  const code = await runTests(process.argv.slice(2))
  for (const line of absenceLines(absent)) console.log(line)
  console.log(closingLine(readReport()))
  return code !== 0 || (process.env.CI && absent.length > 0) ? 1 : 0
})

/** @param {readonly string[]} options */
async function runTests(options) {
  say('running the tests')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const { code } = await runCommand(process.execPath, [vitest, 'run', ...reporters, ...options], { cwd: root })
  return code
}

function absentNeighbours() {
  return testNeighbours().flatMap((neighbour) => {
    const found = findNeighbour(neighbour)
    return 'missing' in found ? [{ usedFor: neighbour.usedFor, missing: found.missing }] : []
  })
}

/** @returns {import('./test-summary.mjs').TestReport} */
function readReport() {
  try {
    return readJson(reportPath)
  } catch {
    throw new Failure('vitest ended without a report; its messages are above.')
  } finally {
    rmSync(reportPath, { force: true })
  }
}
