/** A demo as a process, for tests that end it from outside: says its service processes' ids, then runs. */
import { startDemo } from './orchestrator.ts'
import { runDemo } from './run-demo.ts'

const [mode, dataDir] = process.argv.slice(2) as [string, string]

async function run(): Promise<void> {
  if (mode === 'bare') {
    const demo = await startDemo({ dataDir, arrivalsPerSecond: 2, loops: true })
    process.stdout.write(`${JSON.stringify(demo.pids)}\n`)
    return
  }
  process.exit(await runDemo({ dataDir, arrivalsPerSecond: 2, loops: true, stdout: process.stdout, env: {}, attach: sayPids }))
}

function sayPids({ pids }: { readonly pids: readonly number[] }): () => void {
  process.stdout.write(`${JSON.stringify(pids)}\n`)
  return () => undefined
}

run().catch((error: Error) => {
  process.stdout.write(`${error.message}\n`)
  process.exit(1)
})
