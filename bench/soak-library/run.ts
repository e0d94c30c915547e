// npm run soak:library [-- --calls 1000000] [--write]: ten million calls of every fate, and what is left of them.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { seededRandom, systemClock } from 'holdfast'
import { memoryTrend } from './memory-trend.ts'
import { page } from './report.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '10000000' }, write: { type: 'boolean', default: false } },
})
const calls = Number(values.calls)
if (!Number.isInteger(calls) || calls < 10_000) throw new Error(`--calls must be a whole number from 10,000, got ${values.calls}`)
if (globalThis.gc === undefined) throw new Error('run me with --expose-gc, as npm run soak:library does')

const heapBytes: number[] = []
const resourcesBefore = activeResources()
const begunAt = performance.now()
const result = await soak({
  calls,
  clock: systemClock,
  random: seededRandom(10),
  breathe: () => new Promise(setImmediate),
  checkpoints: 20,
  onCheckpoint: (done) => {
    globalThis.gc?.()
    globalThis.gc?.()
    heapBytes.push(process.memoryUsage().heapUsed)
    console.log(`${done.toLocaleString('en-US')} calls, heap ${((heapBytes.at(-1) ?? 0) / 2 ** 20).toFixed(1)} MiB`)
  },
})
await new Promise((resolve) => setTimeout(resolve, 100)) // a timer of ours that still has to find that nobody waits does so
const resources = surplus(activeResources(), resourcesBefore)
const trend = memoryTrend(heapBytes)
const passed = trend.flat && Object.keys(result.leftOver).length === 0 && Object.keys(resources).length === 0
const report = { ...result, calls, seconds: (performance.now() - begunAt) / 1_000, heapBytes, trend, resources, passed }

console.log(`\n${page(report)}`)
if (values.write) {
  await writeFile(new URL('../../docs/soak-library.md', import.meta.url), page(report))
  console.log('written: docs/soak-library.md')
}
process.exitCode = passed ? 0 : 1

function activeResources(): Readonly<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const type of process.getActiveResourcesInfo()) found[type] = (found[type] ?? 0) + 1
  return found
}

/** The terminal was there before. */
function surplus(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const more = Object.entries(after).map(([type, many]) => [type, many - (before[type] ?? 0)] as const)
  return Object.fromEntries(more.filter(([, many]) => many > 0))
}
