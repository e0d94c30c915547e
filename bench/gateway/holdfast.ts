import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Children } from '../processes/children.ts'
import type { Listening } from './nginx.ts'

/** How `holdfast serve` is started: arguments of node that come before `serve`. */
export type HoldfastProgram = readonly string[]

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The packages as they are published; `npm run build` makes them. */
const builtHoldfast: HoldfastProgram = [join(root, 'packages/cli/bin/holdfast.mjs')]

/** The sources as they are: for tests, which must not run on a stale build. */
export const holdfastFromSource: HoldfastProgram = [
  '--conditions=@holdfast/source',
  '--import',
  'tsx',
  join(root, 'test/support/cli-entry.ts'),
]

/** The program that options choose: a file, the sources, or the build. */
export function holdfastProgram({ program, source }: { readonly program?: string | undefined; readonly source: boolean }): HoldfastProgram {
  if (program !== undefined) return [program]
  return source ? holdfastFromSource : builtHoldfast
}

export interface RunningHoldfast extends Listening {
  readonly controlUrl: string
}

/** Everything the gateway can do for a request: limits that are counted but never reached. */
export const everyPolicy = `
      totalTimeout: 30s
      retry: { maxAttempts: 3, budget: { ratio: 0.2 } }
      circuitBreaker: { failureRatio: 50%, minimumCalls: 20, failureWindow: 30s, openFor: 15s }
      rateLimiter: { limit: 10000000, window: 1s, algorithm: gcra }
      bulkhead: { maxConcurrent: 64, maxQueued: 512 }
      attemptTimeout: 10s`

/** `holdfast serve` with one upstream, `api`. */
export async function startHoldfast(
  program: HoldfastProgram,
  folder: string,
  children: Children,
  core: number | undefined,
  upstream: string,
  pipeline: string,
): Promise<RunningHoldfast> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'reliability.yml')
  const dataDir = join(folder, 'data')
  writeFileSync(
    path,
    `server:
  dataDir: '${dataDir}'
  gateway: { port: 0, maxConnectionsPerAddress: 4096 }
  control: { port: 0 }
  log: { level: error }
upstreams:
  api:
    url: ${upstream}
    quota: { scope: ${pipeline === '' ? 'none' : 'upstream'} }
    pipeline: ${pipeline === '' ? '{}' : pipeline}
`,
  )
  const child = children.start(process.execPath, [...program, 'serve', path], { core })
  await child.says(/is serving/)
  const run = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as {
    readonly gatewayUrl: string
    readonly controlUrl: string
  }
  return { child, url: `${run.gatewayUrl}/api`, controlUrl: run.controlUrl }
}
