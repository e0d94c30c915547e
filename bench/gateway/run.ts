import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { neighbours } from '../../tools/neighbours.mjs'
import { Children } from '../processes/children.ts'
import { contestants } from './contestants.ts'
import { holdfastProgram } from './holdfast.ts'
import { measureIdle } from './idle.ts'
import { loadGenerator } from './load.ts'
import { measure } from './measure.ts'
import { findOrSay, startUpstream } from './ground.ts'
import { report, summary } from './report.ts'
import { programVersions } from './versions.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    against: { type: 'string', multiple: true, default: [] },
    program: { type: 'string' },
    source: { type: 'boolean', default: false },
    idle: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
})

if (process.platform !== 'linux') {
  console.error('The gateway benchmark reads CPU time from /proc: it runs on Linux.')
  process.exit(1)
}

const taskset = cpus().length > 1 ? findOrSay('taskset', 'util-linux', 'pinning processes to processors') : undefined
const nginx = findOrSay(neighbours.nginx)
const haproxy = findOrSay(neighbours.haproxy)
const wrk = findOrSay('wrk', 'wrk', 'making load at little cost')
const [proxyCore, loadCore] = taskset === undefined ? [undefined, undefined] : [0, 1]
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
const children = new Children(taskset)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

try {
  const upstream = await startUpstream(nginx, folder, children, loadCore)
  const load = loadGenerator(wrk, children, loadCore)
  const subjects = contestants({
    upstream: upstream.url,
    folder,
    children,
    core: proxyCore,
    holdfast: holdfastProgram(values),
    others: new Map(values.against.map((program) => [program, [program]])),
    nginx,
    haproxy,
  }).filter(({ name }) => values.only === undefined || values.only.some((part) => name.includes(part)))
  const options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    seed: Number(values.seed),
  }
  const measured = await measure(subjects, load, {
    ...options,
    onRound: (round) => console.error(`round ${round + 1} of ${options.rounds}`),
  })
  const idle = []
  for (const contestant of subjects.filter(({ role }) => role !== 'none')) {
    if (Number(values.idle) > 0) idle.push(await measureIdle(contestant, { connections: 1_000, seconds: Number(values.idle) }))
  }
  console.log(summary(measured, idle))
  if (values.write) {
    const facts = {
      ...options,
      load: load.name,
      upstream: upstream.name,
      pinned: taskset !== undefined,
      versions: programVersions(nginx, haproxy),
    }
    await writeFile(new URL('../../docs/benchmarks-gateway.md', import.meta.url), report(measured, idle, facts))
    console.log('written: docs/benchmarks-gateway.md')
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await children.stopAll()
}
process.exit()
