// node tools/write-config-schema.mjs: writes the JSON Schema of the configuration, for editors, out of the schema in the source.
import './require-node.mjs'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, runTool } from './failure.mjs'
import { runCommand } from './run-command.mjs'
import { root } from './workspace.mjs'

const target = 'packages/server/assets/reliability.schema.json'
const program = `
  const { configJsonSchema } = await import('./packages/server/src/config/json-schema.ts')
  console.log(JSON.stringify(configJsonSchema(), null, 2))
`

await runTool(async () => {
  const args = ['--conditions=@holdfast/source', '--import', 'tsx', '--input-type=module', '--eval', program]
  const { code, output } = await runCommand(process.execPath, args, { cwd: root, output: 'collect' })
  if (code !== 0) throw new Failure(`the schema could not be made:\n${output}`)
  writeFileSync(join(root, target), `${output.trim()}\n`)
  await runCommand(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), target], { cwd: root, output: 'collect' })
  console.log(`wrote ${target}`)
})
