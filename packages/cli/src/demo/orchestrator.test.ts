import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FaultScript } from './fault-script.ts'
import { startDemo } from './orchestrator.ts'

const execArgv = ['--conditions=@holdfast/source', '--import', 'tsx']
const fixture = fileURLToPath(new URL('./orchestrator.fixture.ts', import.meta.url))

let dataDir: string
let demo: ChildProcess | undefined

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'holdfast-demo-test-'))
})
afterEach(() => {
  demo?.kill('SIGKILL')
  demo = undefined
  rmSync(dataDir, { recursive: true, force: true })
})

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

interface StartedDemo {
  readonly process: ChildProcess
  readonly pids: readonly number[]
  readonly output: readonly string[]
}

async function startProcess(mode: 'bare' | 'terminal'): Promise<StartedDemo> {
  demo = spawn(process.execPath, [...execArgv, fixture, mode, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: string[] = []
  const lines = createInterface({ input: demo.stdout! })
  const first = once(lines, 'line')
  lines.on('line', (line) => output.push(line))
  const pids = JSON.parse(((await first) as [string])[0]) as number[]
  expect(pids.length).toBe(6)
  expect(pids.every(runs)).toBe(true)
  return { process: demo, pids, output }
}

describe.skipIf(!existsSync('/proc/self/status'))('processes', () => {
  it('kill -9 of the demo ends every service within two seconds', async () => {
    const started = await startProcess('bare')
    started.process.kill('SIGKILL')
    await vi.waitFor(() => expect(started.pids.filter(runs)).toEqual([]), { timeout: 2_000, interval: 50 })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends everything, prints the summary and exits with %i', async (signal, code) => {
    const started = await startProcess('terminal')
    const exited = once(started.process, 'exit')
    started.process.kill(signal)
    expect(await exited).toEqual([code, null])
    expect(started.pids.filter(runs)).toEqual([])
    expect(started.output.join('\n')).toContain('finished, by time of arrival')
  })

  it('a service that crashes ends the demo with one clear line', async () => {
    const started = await startProcess('terminal')
    const exited = once(started.process, 'exit')
    process.kill(started.pids[1]!, 'SIGKILL')
    expect(await exited).toEqual([1, null])
    expect(started.pids.filter(runs)).toEqual([])
    expect(started.output.at(-1)).toMatch(
      /^the search service of the bare lane \(pid \d+\) ended unexpectedly \(SIGKILL\); everything else has been stopped$/,
    )
  })
})

describe('a short demo', () => {
  const script: FaultScript = {
    name: 'short',
    phases: [
      { name: 'calm', title: 'calm', durationMs: 2_000, faults: {} },
      { name: 'no-search', title: 'no search', durationMs: 2_000, faults: { search: { kind: 'outage', mode: 'error', share: 1 } } },
    ],
  }

  it('runs its script to the end with the same tasks in both lanes, and leaves nothing behind', async () => {
    const started = await startDemo({ script, dataDir, execArgv, arrivalsPerSecond: 4 })
    const seen: string[] = []
    started.onSecond((snapshot) => seen.push(...snapshot.faults.map(({ service, source }) => `${service} by ${source}`)))
    await started.setFault('llm', { kind: 'slow', factor: 1.1 }, 500)
    expect(await started.ended).toEqual({ reason: 'script over' })
    const snapshot = started.snapshot()
    const [bare, holdfast] = snapshot.lanes
    await started.stop()

    expect(bare?.totals.arrived).toBeGreaterThan(4)
    expect(bare?.totals.arrived).toBe(holdfast?.totals.arrived)
    for (const lane of snapshot.lanes) {
      const { arrived, finished, failed, late, dropped } = lane.totals
      expect(finished + failed + late + dropped).toBe(arrived)
      expect(lane.services.llm?.received).toBeGreaterThanOrEqual(finished * 2)
      expect(lane.phases.map(({ phase }) => phase)).toEqual(['calm', 'no-search'])
    }
    expect(bare?.failures.unavailable).toBeGreaterThan(0)
    expect(holdfast?.totals.failed).toBe(0)
    expect(holdfast?.totals.degraded).toBeGreaterThan(0)
    expect(holdfast?.protection.fallbacks).toBe(holdfast?.totals.degraded)
    expect(seen).toContain('search by script')
    expect(snapshot.faultSegments.map(({ service, source }) => `${service} by ${source}`)).toEqual(['llm by manual', 'search by script'])
    expect(started.pids.filter(runs)).toEqual([])
  })

  it('stopping twice is stopping once', async () => {
    const started = await startDemo({ script, dataDir, execArgv })
    await Promise.all([started.stop(), started.stop()])
    expect(await started.ended).toEqual({ reason: 'stopped' })
  })
})
