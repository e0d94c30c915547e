import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** Versions of all that takes part. */
export function programVersions(nginx: string | undefined, haproxy: string | undefined): readonly string[] {
  const packages = ['undici', '@fastify/reply-from', 'fastify', 'http-proxy-3'].map((name) => `${name} ${packageVersion(name)}`)
  return [
    `Node ${process.version}`,
    ...packages,
    ...(nginx === undefined ? [] : [`nginx ${said(nginx, '-v')}`]),
    ...(haproxy === undefined ? [] : [`haproxy ${said(haproxy, '-v')}`]),
  ]
}

function packageVersion(name: string): string {
  const folder = require.resolve.paths(name)?.find((path) => exists(join(path, name, 'package.json')))
  const { version } = JSON.parse(readFileSync(join(folder ?? '', name, 'package.json'), 'utf8')) as { readonly version: string }
  return version
}

function exists(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

function said(program: string, option: string): string {
  const { stdout, stderr } = spawnSync(program, [option], { encoding: 'utf8' })
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'of unknown version'
}
