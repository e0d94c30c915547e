// Measures one row, or one contestant of a row, in this process, and writes the figures to standard output as JSON.
import { parseArgs } from 'node:util'
import type { Case } from './case.ts'
import { cases } from './cases/index.ts'
import { measure } from './measure.ts'

const { values } = parseArgs({
  options: { case: { type: 'string' }, contestant: { type: 'string' }, rounds: { type: 'string', default: '15' } },
})
const subject = cases.find(({ name }) => name === values.case)
if (subject === undefined) throw new Error(`there is no case '${values.case}'`)

process.stdout.write(JSON.stringify(await answer(subject)), () => process.exit(0)) // the timers of some peers would keep it alive

async function answer(row: Case): Promise<unknown> {
  if (row.kind === 'fresh') return (await row.contestants())[Number(values.contestant)]?.measure()
  const rounds = Math.min(Number(values.rounds), row.maxRounds ?? Infinity)
  return measure(await row.contestants(), { rounds, sliceMs: 40 })
}
