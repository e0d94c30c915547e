import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startProxyProgram } from '../gateway/contestants.ts'
import { holdfastProgram } from '../gateway/holdfast.ts'
import { Children } from '../processes/children.ts'
import { findOrSay } from '../gateway/ground.ts'
import { soakLine, soakPage } from './report.ts'
import { soak } from './soak.ts'
import { startSoakServer } from './server.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: '.holdfast/soak.json' },
    program: { type: 'string' },
    source: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

if (process.platform !== 'linux') {
  console.error('The soak reads memory and descriptors from /proc: it runs on Linux.')
  process.exit(1)
}
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 24 * 60)) {
  console.error(`--minutes must be a number above 0 and up to 1440, got '${values.minutes}'`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const children = new Children(findOrSay('taskset', 'util-linux', 'pinning processes to processors'))
let passed = false
try {
  const upstream = await startProxyProgram('../../soak/faulty-upstream.mjs', [], children, undefined)
  const server = await startSoakServer(holdfastProgram(values), folder, children, upstream.url)
  const result = await soak(server, {
    minutes,
    rate: values.rate === undefined ? undefined : Number(values.rate),
    seed: Number(values.seed),
    log: (line) => console.error(line),
  })
  await mkdir(dirname(values.out), { recursive: true })
  await writeFile(values.out, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`${soakLine(result)}\nwritten: ${values.out}`)
  for (const reason of result.verdict.reasons) console.log(`  ${reason}`)
  if (values.write) {
    await writeFile(new URL('../../docs/soak.md', import.meta.url), soakPage(result))
    console.log('written: docs/soak.md')
  }
  passed = result.verdict.passed
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await children.stopAll()
}
process.exit(passed ? 0 : 1)
