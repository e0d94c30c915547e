import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Hono } from 'hono'
import type { ControlEnvironment } from './environment.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files of the page, read once: what is not among them cannot be asked for. */
export async function pageRoutes(directory: string): Promise<Hono<ControlEnvironment>> {
  const app = new Hono<ControlEnvironment>()
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const content = await readFile(join(directory, name), 'utf8')
    const path = name === 'index.html' ? '/' : `/${name}`
    app.get(path, (context) => context.body(content, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
  return app
}
