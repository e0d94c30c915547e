// npm start [-- options of `holdfast demo`]: sets up, then runs the demonstration in this very process, so that signals,
// the terminal and the exit code are its own.
import './require-node.mjs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { runTool } from './failure.mjs'
import { ensureInstalled } from './install.mjs'
import { root } from './workspace.mjs'

await runTool(async () => {
  await ensureInstalled(root)
  await ensureBuilt(root)
  const command = join(root, 'packages/cli/bin/holdfast.mjs')
  process.argv.splice(1, 1, command, 'demo')
  await import(pathToFileURL(command).href)
})
