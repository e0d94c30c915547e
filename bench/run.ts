import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type { Case, Figure, FreshCase, Result } from './case.ts'
import { cases } from './cases/index.ts'
import { withCosts } from './cost-section.ts'
import { judge } from './gates.ts'
import { report } from './report.ts'
import { figureOf } from './statistics.ts'
import { amount, ratio } from './text.ts'

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '15' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const run = promisify(execFile)

/** Memory hardly differs from process to process, time does. */
const freshRounds = { ns: 3, bytes: 1, '%': 1 } as const

for (const name of values.case ?? []) {
  if (!cases.some((subject) => subject.name === name)) {
    console.error(`there is no case '${name}'; there are: ${cases.map((subject) => subject.name).join(', ')}`)
    process.exit(2)
  }
}

const results: Result[] = []
const failed: string[] = []
for (const subject of cases) {
  if (values.case !== undefined && !values.case.includes(subject.name)) continue
  const figures = await figuresOf(subject).catch((error: Error) => {
    console.error(`\n${subject.name} could not be measured: ${error.message}`)
    return undefined
  })
  if (figures === undefined) {
    failed.push(subject.name)
    continue
  }
  results.push({ case: subject, figures })
  console.log(`\n${subject.title}`)
  for (const { contestant, median, deviation } of figures) {
    console.log(`  ${contestant.padEnd(36)} ${amount(median, subject.unit).padStart(12)} ± ${amount(deviation, subject.unit)}`)
  }
}
for (const { held, gate, case: subject, ours, versus, measured } of judge(results)) {
  if (!held)
    console.log(
      `${gate.kind === 'must' ? 'MISSED' : 'missed aim'} ${subject.name}: ${ours} ${ratio(measured)} × ${versus}, at most ${gate.atMost}`,
    )
}
if (failed.length > 0) console.error(`\nnot measured, and nothing written: ${failed.join(', ')}`)
else if (values.write) await writePages()
process.exit(failed.length > 0 ? 1 : 0) // the timers of some peers would keep it alive

/** Each row has a process of its own: what another did to the compiler and the heap does not matter. */
async function figuresOf(subject: Case): Promise<readonly Figure[]> {
  if (subject.kind === 'fresh') return freshFigures(subject)
  return JSON.parse(await child([], ['--case', subject.name, '--rounds', String(rounds)])) as Figure[]
}

async function freshFigures(subject: FreshCase): Promise<readonly Figure[]> {
  const contestants = await subject.contestants()
  const samples: number[][] = contestants.map(() => [])
  for (let round = 0; round < Math.min(freshRounds[subject.unit], rounds); round++) {
    for (const [index, found] of samples.entries()) {
      found.push(Number(await child(subject.nodeOptions ?? [], ['--case', subject.name, '--contestant', String(index)])))
    }
  }
  return contestants.map(({ name, role }, index) => figureOf(name, role, samples[index] ?? []))
}

async function child(nodeOptions: readonly string[], options: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL('run-case.ts', import.meta.url))
  const loader = ['--conditions=@holdfast/source', '--import', 'tsx']
  const { stdout } = await run(process.execPath, [...nodeOptions, ...loader, script, ...options], { maxBuffer: 1e8 })
  return stdout
}

async function writePages(): Promise<void> {
  await writeFile(new URL('../docs/benchmarks.md', import.meta.url), report(results, rounds))
  console.log('\nwritten: docs/benchmarks.md')
  for (const page of new Set(results.flatMap((result) => result.case.page ?? []))) {
    const file = new URL(`../docs/patterns/${page}.md`, import.meta.url)
    const before = await readFile(file, 'utf8').catch(() => undefined)
    if (before === undefined) continue
    const rows = results.filter((result) => result.case.page === page)
    await writeFile(file, withCosts(before, rows))
    console.log(`written: docs/patterns/${page}.md`)
  }
}
