import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Child, Children } from '../processes/children.ts'
import { startHaproxy } from './haproxy.ts'
import { everyPolicy, startHoldfast, type HoldfastProgram } from './holdfast.ts'
import { startNginxProxy, type Listening } from './nginx.ts'

/** One way of standing between a client and an upstream. */
export interface Contestant {
  readonly name: string
  /** `bare`: no protection, hand-written. `none`: no proxy at all. */
  readonly role: 'ours' | 'bare' | 'peer' | 'none'
  start(): Promise<Listening | { readonly child: undefined; readonly url: string }>
}

export interface Ground {
  readonly upstream: string
  readonly folder: string
  readonly children: Children
  /** Where the proxy runs. */
  readonly core: number | undefined
  readonly holdfast: HoldfastProgram
  /** Further builds of Holdfast, by name: one against the other in the same run. */
  readonly others: ReadonlyMap<string, HoldfastProgram>
  readonly nginx: string | undefined
  readonly haproxy: string | undefined
}

export const names = {
  direct: 'no proxy',
  everything: 'holdfast, every policy',
  nothing: 'holdfast, no policy',
  bare: 'node:http + undici dispatch, hand-written',
  nginx: 'nginx',
} as const

export function contestants(ground: Ground): readonly Contestant[] {
  const { upstream, folder, children, core, nginx, haproxy } = ground
  const ours = (name: string, program: HoldfastProgram, pipeline: string): Contestant => ({
    name,
    role: 'ours',
    start: () => startHoldfast(program, join(folder, name.replaceAll(/\W+/g, '-')), children, core, upstream, pipeline),
  })
  const node = (name: string, role: Contestant['role'], program: string): Contestant => ({
    name,
    role,
    start: () => startProxyProgram(program, [upstream], children, core),
  })
  return [
    { name: names.direct, role: 'none', start: () => Promise.resolve({ child: undefined, url: upstream }) },
    ours(names.everything, ground.holdfast, everyPolicy),
    ours(names.nothing, ground.holdfast, ''),
    ...[...ground.others].map(([name, program]) => ours(`holdfast, every policy (${name})`, program, everyPolicy)),
    node(names.bare, 'bare', 'undici-dispatch.mjs'),
    node('node:http + http.Agent, hand-written', 'bare', 'node-http.mjs'),
    node('@fastify/reply-from', 'peer', 'reply-from.mjs'),
    node('http-proxy-3', 'peer', 'http-proxy-3.mjs'),
    ...(nginx === undefined
      ? []
      : [
          {
            name: names.nginx,
            role: 'peer' as const,
            start: () => startNginxProxy(nginx, join(folder, 'nginx'), children, core, upstream),
          },
        ]),
    ...(haproxy === undefined
      ? []
      : [
          { name: 'haproxy', role: 'peer' as const, start: () => startHaproxy(haproxy, join(folder, 'haproxy'), children, core, upstream) },
        ]),
  ]
}

/** Starts a program of `proxies/`, which says where it listens. */
export async function startProxyProgram(
  program: string,
  args: readonly string[],
  children: Children,
  core: number | undefined,
): Promise<{ readonly child: Child; readonly url: string }> {
  const path = fileURLToPath(new URL(`./proxies/${program}`, import.meta.url))
  const child = children.start(process.execPath, [path, ...args], { core })
  const [, port = ''] = await child.says(/listening (\d+)/)
  return { child, url: `http://127.0.0.1:${port}` }
}
