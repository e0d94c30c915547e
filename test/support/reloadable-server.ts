import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { formatProblem, loadConfig, startServer, type RunningServer } from '@holdfast/server'
import type { Cleanup } from './server.ts'

export interface ReloadableServer extends RunningServer {
  readonly folder: string
  readonly lines: string[]
  /** Replaces the configuration; the server section and the upstreams are given apart. */
  write(yaml: string): Promise<void>
}

export interface ReloadableOptions {
  /** Whether the files are watched. @defaultValue false */
  readonly watch?: boolean
  /** Further lines of the server section. */
  readonly server?: string
}

/** Holdfast out of a file that a test may change. */
export async function startReloadable(
  yaml: string,
  cleanup: Cleanup,
  { watch = false, server = '' }: ReloadableOptions = {},
): Promise<ReloadableServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-reload-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'config', 'reliability.yml')
  await mkdir(dirname(path), { recursive: true })
  const write = (text: string): Promise<void> =>
    writeFile(path, text.includes('server:') ? text.replaceAll('{{data}}', join(folder, 'data')) : serverSection() + text)
  await write(yaml)
  const loaded = loadConfig(path, { env: {} })
  if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
  const lines: string[] = []
  const running = await startServer(loaded.config, { log: { write: (line) => lines.push(line) }, origin: { path, env: {}, loaded } })
  cleanup.add(() => running.close())
  return { ...running, folder, lines, write }

  function serverSection(): string {
    return `server:
  dataDir: '${join(folder, 'data')}'
  gateway: { port: 0 }
  control: { port: 0 }
  reload: { watch: ${String(watch)}, debounce: 30ms }
  tokens:
    - { name: operator, role: operate, value: operator-token-0123456789 }
    - { name: reader, role: read, value: reader-token-0123456789 }
${server}`
  }
}
