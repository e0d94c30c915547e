import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Hono, type Context } from 'hono'
import type { ControlEnvironment } from './environment.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface PageFile {
  readonly type: string
  readonly content: Buffer
  readonly compressed: Buffer
  readonly etag: string
  readonly cacheControl: string
}

const compress = promisify(gzip)

/**
 * The files of the page, read once: what is not among them cannot be asked for, however it is written. Files whose names carry a
 * digest of their content are kept by browsers; the others are asked for anew each time.
 */
export async function pageRoutes(directory: string): Promise<Hono<ControlEnvironment>> {
  const app = new Hono<ControlEnvironment>()
  const paths = await filesBelow(directory)
  if (!paths.includes('index.html')) return app.get('/', (context) => context.html(notBuilt, 503, { 'cache-control': 'no-store' }))
  for (const path of paths) {
    const file = await readPageFile(directory, path)
    if (file !== undefined) app.get(path === 'index.html' ? '/' : `/${path}`, (context) => answer(context, file))
  }
  return app
}

function answer(context: Context<ControlEnvironment>, { type, content, compressed, etag, cacheControl }: PageFile): Response {
  context.header('cache-control', cacheControl)
  context.header('etag', etag)
  context.header('vary', 'accept-encoding')
  if (context.req.header('if-none-match') === etag) return context.body(null, 304)
  context.header('content-type', type)
  if (!/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(context.req.header('accept-encoding') ?? ''))
    return context.body(new Uint8Array(content))
  context.header('content-encoding', 'gzip')
  return context.body(new Uint8Array(compressed))
}

/** Paths of regular files, with slashes. A link is none: what it points to was not meant to be shown. */
async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

async function readPageFile(directory: string, path: string): Promise<PageFile | undefined> {
  const type = types[extname(path)]
  if (type === undefined) return undefined
  const content = await readFile(join(directory, path))
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
  const isHashed = /^assets\/.+-[\w-]{8}\.\w+$/.test(path)
  const cacheControl = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'
  return { type, content, compressed: await compress(content, { level: 9 }), etag, cacheControl }
}

const notBuilt = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>Holdfast: the page is not built</title>
  </head>
  <body>
    <h1>The page is not built</h1>
    <p>Holdfast is running; only its page is missing. In a copy of the repository, <code>npm run build</code> builds it; then restart Holdfast.</p>
    <p>Meanwhile: <a href="/health">health</a>, <a href="/metrics">metrics</a>, <a href="/api/v1/dependencies">dependencies as JSON</a>.</p>
  </body>
</html>
`
