// node tools/setup.mjs [--no-build]: installs and builds what is missing or stale, and nothing else.
import './require-node.mjs'
import { ensureBuilt } from './build.mjs'
import { runTool } from './failure.mjs'
import { ensureInstalled } from './install.mjs'
import { root } from './workspace.mjs'

await runTool(async () => {
  await ensureInstalled(root)
  if (!process.argv.includes('--no-build')) await ensureBuilt(root)
})
