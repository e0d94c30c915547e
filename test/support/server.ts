import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, loadConfig, startServer, type RunningServer, type StartServerOptions } from '@holdfast/server'

/** Things that a test started, closed in reverse. */
export class Cleanup {
  private readonly ends: (() => unknown)[] = []

  add(end: () => unknown): void {
    this.ends.push(end)
  }

  async run(): Promise<void> {
    for (const end of this.ends.splice(0).toReversed()) await end()
  }
}

/** A server of the test's own on a free port; answers with its URL. */
export async function startHttp(handle: RequestListener, cleanup: Cleanup): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  cleanup.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface TestServer extends RunningServer {
  readonly lines: string[]
  readonly dataDir: string
}

/** Holdfast as `holdfast serve` runs it, on free ports, out of a configuration text. `{{data}}` stands for a folder of its own. */
export async function startHoldfast(yaml: string, cleanup: Cleanup, options: StartServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'reliability.yml')
  const dataDir = join(folder, 'data')
  await writeFile(path, `${yaml.includes('server:') ? '' : serverSection}${yaml}`.replaceAll('{{data}}', dataDir))
  const loaded = loadConfig(path, { env: {} })
  if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
  const lines: string[] = []
  const server = await startServer(loaded.config, { log: { write: (line) => lines.push(line) }, ...options })
  cleanup.add(() => server.close())
  return { ...server, lines, dataDir }
}

const serverSection = `
server:
  dataDir: '{{data}}'
  gateway: { port: 0 }
  control: { port: 0 }
  tokens:
    - { name: operator, role: operate, value: operator-token-0123456789 }
    - { name: reader, role: read, value: reader-token-0123456789 }
`

export const operator: Readonly<Record<string, string>> = {
  authorization: 'Bearer operator-token-0123456789',
  'content-type': 'application/json',
}
export const reader: Readonly<Record<string, string>> = {
  authorization: 'Bearer reader-token-0123456789',
  'content-type': 'application/json',
}
