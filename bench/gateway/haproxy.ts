import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, untilOpen, type Children } from '../processes/children.ts'
import type { Listening } from './nginx.ts'

/** HAProxy with one thread, forwarding to the upstream. */
export async function startHaproxy(
  program: string,
  folder: string,
  children: Children,
  core: number | undefined,
  upstream: string,
): Promise<Listening> {
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'haproxy.cfg')
  const lines = [
    'global',
    '  nbthread 1',
    '  maxconn 4096',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 600s',
    '  timeout server 600s',
    '  http-reuse always',
    'frontend front',
    `  bind 127.0.0.1:${port}`,
    '  default_backend plain',
    'backend plain',
    `  server one ${new URL(upstream).host}`,
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  const child = children.start(program, ['-f', path, '-db'], { core })
  await untilOpen(port, child)
  return { child, url: `http://127.0.0.1:${port}` }
}
