import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child, Children } from '../processes/children.ts'
import type { HoldfastProgram } from '../gateway/holdfast.ts'

export interface SoakServer {
  readonly child: Child
  readonly gatewayUrl: string
  readonly controlUrl: string
  /** Changes the configuration file and asks the server to take it. Answers with the status of that request. */
  reload(): Promise<number>
}

const token = 'soak-token-0123456789abcdef'

/** `holdfast serve` as people set it up, in front of an upstream that fails in every way. */
export async function startSoakServer(program: HoldfastProgram, folder: string, children: Children, upstream: string): Promise<SoakServer> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'reliability.yml')
  const dataDir = join(folder, 'data')
  let places = 300
  const write = (): void => writeFileSync(path, configuration(dataDir, upstream, places))
  write()
  const child = children.start(process.execPath, [...program, 'serve', path])
  await child.says(/is serving/)
  const run = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8')) as { readonly gatewayUrl: string; readonly controlUrl: string }
  return {
    child,
    gatewayUrl: run.gatewayUrl,
    controlUrl: run.controlUrl,
    reload: async () => {
      places = places === 300 ? 320 : 300
      write()
      const answer = await fetch(`${run.controlUrl}/api/v1/config/reload`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'soak' }),
        signal: AbortSignal.timeout(10_000),
      })
      await answer.arrayBuffer()
      return answer.status
    },
  }
}

function configuration(dataDir: string, upstream: string, places: number): string {
  return `server:
  dataDir: '${dataDir}'
  gateway: { port: 0, maxConnectionsPerAddress: 4096 }
  control: { port: 0 }
  tokens:
    - { name: soak, role: operate, value: '${token}' }
  log: { level: error }
upstreams:
  api:
    url: ${upstream}
    connections: 512
    pipeline:
      totalTimeout: 4s
      retry: { maxAttempts: 3, initialDelay: 50ms, maxDelay: 500ms, budget: { ratio: 0.2 } }
      circuitBreaker: { failureRatio: 50%, minimumCalls: 50, failureWindow: 10s, openFor: 2s }
      rateLimiter: { limit: 1000000, window: 1s, algorithm: gcra }
      bulkhead: { maxConcurrent: ${places}, maxQueued: 200, maxWait: 1s }
      attemptTimeout: 1s
`
}
