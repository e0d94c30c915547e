import { join } from 'node:path'
import { findNeighbour, type Neighbour } from '../../tools/neighbours.mjs'
import type { Children } from '../processes/children.ts'
import { startProxyProgram } from './contestants.ts'
import { startNginxUpstream } from './nginx.ts'
import { payload } from './payload.ts'

export interface Upstream {
  readonly name: string
  readonly url: string
}

/** What all contestants forward to: nginx with a fixed answer, or a Node program where nginx is missing. */
export async function startUpstream(
  nginx: string | undefined,
  folder: string,
  children: Children,
  core: number | undefined,
): Promise<Upstream> {
  const node = await startProxyProgram('upstream.mjs', [payload], children, core)
  if (nginx === undefined) return { name: 'a node:http server (nginx is not installed)', url: node.url }
  const { url } = await startNginxUpstream(nginx, join(folder, 'upstream'), children, core, node.url)
  return { name: 'nginx', url }
}

/** The path of a program, or undefined after a line that says what is left out and how to get it. */
export function findOrSay(program: Neighbour | string, debianPackage = '', usedFor = ''): string | undefined {
  const neighbour: Neighbour =
    typeof program === 'string'
      ? {
          name: program,
          variable: `HOLDFAST_${program.toUpperCase()}`,
          commands: [program],
          debianPackage,
          usedFor,
          neededBy: 'benchmark',
        }
      : program
  const found = findNeighbour(neighbour)
  if ('path' in found) return found.path
  console.error(`left out: ${neighbour.usedFor}: ${found.missing}`)
  return undefined
}
