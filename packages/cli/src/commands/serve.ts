import { startServer, type RunningServer } from '@holdfast/server'
import { readConfiguration } from '../configuration.ts'
import type { Output } from '../output.ts'
import { untilSignal } from '../signals.ts'

/** `holdfast serve [file]`: gateway and control listener until a signal; requests under way finish first. SIGHUP loads the configuration anew. */
export async function serve(path: string, output: Output): Promise<void> {
  const loaded = readConfiguration(path, output)
  const signal = untilSignal()
  let running: RunningServer | undefined
  const reload = (): void => void running?.reload('signal')
  process.on('SIGHUP', reload) // whose default is the end of the process
  const server = await startServer(loaded.config, { origin: { path, env: output.env, loaded } })
  running = server
  output.stderr.write(`${started(server, Object.keys(loaded.config.upstreams))}\n`)
  await signal.first
  output.stderr.write('holdfast is stopping: requests under way finish first; a second signal ends it at once\n')
  await server.close()
  process.off('SIGHUP', reload)
  signal.release()
}

function started({ gatewayUrl, controlUrl }: RunningServer, upstreams: readonly string[]): string {
  const routes = upstreams.map((name) => `  ${gatewayUrl}/${name}/`)
  return [`holdfast is serving`, ...routes, `  ${controlUrl}/  page, /health, /metrics, /api/v1`].join('\n')
}
