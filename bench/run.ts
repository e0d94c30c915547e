import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { cases } from './cases.ts'
import { measure, type Result } from './measure.ts'
import { report } from './report.ts'

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '15' },
    write: { type: 'boolean', default: false },
  },
})

const rounds = Number(values.rounds)
const results: Result[] = []
for (const subject of cases()) {
  if (values.case !== undefined && !values.case.includes(subject.name)) continue
  const result = await measure(subject, { rounds, sliceMs: 40 })
  results.push(result)
  console.log(`\n${subject.title}`)
  for (const { contestant, median, deviation } of result.figures) {
    console.log(`  ${contestant.padEnd(24)} ${String(Math.round(median)).padStart(8)} ns ± ${Math.round(deviation)}`)
  }
}
if (values.write) {
  await writeFile(new URL('../docs/benchmarks.md', import.meta.url), report(results, rounds))
  console.log('\nwritten: docs/benchmarks.md')
}
process.exit(0) // opossum's and mollitia's timers would keep it alive
