// npm run clients [-- --write]: shows what each client sees of each fault through the gateway, or writes it into docs/clients.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../tools/workspace.mjs'
import { describeCell, runMatrix } from './matrix.ts'
import { withTables } from './page.ts'

const path = join(root, 'docs/clients.md')
const cells = await runMatrix()
if (process.argv.includes('--write')) {
  writeFileSync(path, withTables(readFileSync(path, 'utf8'), cells))
  console.log(`wrote docs/clients.md from ${cells.length} cells`)
} else {
  for (const cell of cells) {
    const { scenario, client, mode, maxRetries, asked } = cell
    console.log([scenario.title, mode, client.name, `own retries ${maxRetries}`, `${asked} requests`, describeCell(cell)].join(' | '))
  }
}
