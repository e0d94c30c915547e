import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, untilOpen, type Child, type Children } from '../processes/children.ts'
import { payload } from './payload.ts'

/** A running program and where it listens. */
export interface Listening {
  readonly child: Child
  readonly url: string
}

/** nginx, one worker, answering everything with the payload; `/sse` comes from another server. */
export function startNginxUpstream(
  program: string,
  folder: string,
  children: Children,
  core: number | undefined,
  sse: string,
): Promise<Listening> {
  const answering = ['location / {', 'default_type application/json;', `return 200 '${payload}';`, '}']
  return startNginx(program, folder, children, core, [...answering, ...forwardTo('~ /sse$', new URL(sse).host)], [])
}

/** nginx, one worker, forwarding to the upstream. */
export function startNginxProxy(
  program: string,
  folder: string,
  children: Children,
  core: number | undefined,
  upstream: string,
): Promise<Listening> {
  const group = `upstream plain { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 1000000000; }`
  return startNginx(program, folder, children, core, forwardTo('/', 'plain'), [group])
}

function forwardTo(path: string, server: string): string[] {
  return [
    `location ${path} {`,
    `proxy_pass http://${server};`,
    'proxy_http_version 1.1;',
    "proxy_set_header Connection '';",
    'proxy_buffering off;',
    '}',
  ]
}

async function startNginx(
  program: string,
  folder: string,
  children: Children,
  core: number | undefined,
  locations: readonly string[],
  outside: readonly string[],
): Promise<Listening> {
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'nginx.conf')
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`)
  const lines = [
    'daemon off; master_process off; worker_processes 1;',
    `pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')};`,
    'events { worker_connections 4096; }',
    'http {',
    'access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600s;',
    ...scratch,
    ...outside,
    `server { listen 127.0.0.1:${port};`,
    ...locations,
    '} }',
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  const child = children.start(program, ['-c', path, '-e', join(folder, 'error.log')], { core })
  await untilOpen(port, child)
  return { child, url: `http://127.0.0.1:${port}` }
}
