import { fileURLToPath } from 'node:url'
import type { Children } from '../processes/children.ts'

/** What came of one slice of load. */
export interface LoadResult {
  readonly requests: number
  /** Answers other than 200, and requests without an answer. */
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface LoadGenerator {
  readonly name: string
  run(url: string, connections: number, seconds: number): Promise<LoadResult>
}

const generator = fileURLToPath(new URL('./load-generator.mjs', import.meta.url))

/** wrk where it is installed, else a small generator of our own. */
export function loadGenerator(wrk: string | undefined, children: Children, core: number | undefined): LoadGenerator {
  if (wrk === undefined) {
    return {
      name: 'a generator on undici (wrk is not installed)',
      run: async (url, connections, seconds) => {
        const child = children.start(process.execPath, [generator, url, String(connections), String(seconds * 1_000)], { core })
        const [line] = await child.says(/^\{.*\}$/m)
        return JSON.parse(line) as LoadResult
      },
    }
  }
  return {
    name: 'wrk',
    run: async (url, connections, seconds) => {
      const child = children.start(wrk, ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '--latency', url], { core })
      const [report] = await child.says(/^[^]*Requests\/sec:[^]*$/)
      return readWrk(report)
    },
  }
}

/** Reads what wrk prints. */
export function readWrk(report: string): LoadResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report)?.slice(1) ?? []
  return {
    requests: number(/(\d+) requests in/),
    failed: number(/Non-2xx or 3xx responses: (\d+)/) + socketErrors.reduce((sum, count) => sum + Number(count), 0),
    p50Ms: latency(report, '50%'),
    p99Ms: latency(report, '99%'),
  }
}

const msPerUnit: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }

function latency(report: string, share: string): number {
  const [, value = 'NaN', unit = 'ms'] = new RegExp(`^\\s+${share}\\s+([\\d.]+)(us|ms|s|m)`, 'm').exec(report) ?? []
  return Number(value) * (msPerUnit[unit] ?? Number.NaN)
}
