import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pageRoutes } from './page-routes.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-page-routes-'))
  await mkdir(join(folder, 'page/assets'), { recursive: true })
  await writeFile(join(folder, 'secret.js'), 'secret')
  await writeFile(join(folder, 'page/index.html'), '<p>page</p>')
  await writeFile(join(folder, 'page/icon.svg'), '<svg/>')
  await writeFile(join(folder, 'page/notes.txt'), 'not a file of the page')
  await writeFile(join(folder, 'page/assets/index-Ab3_d-9x.js'), 'run()')
  await symlink(join(folder, 'secret.js'), join(folder, 'page/link.js'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const app = await pageRoutes(join(folder, 'page'))
  return await app.request(path, { headers })
}

describe('the files of the page', () => {
  it('the index is asked for anew each time, and not sent again when it is the same', async () => {
    const first = await get('/')
    expect([first.status, first.headers.get('content-type'), first.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect(await first.text()).toBe('<p>page</p>')
    const again = await get('/', { 'if-none-match': first.headers.get('etag') ?? '' })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('a file with a digest in its name is kept for good, the icon is not', async () => {
    expect((await get('/assets/index-Ab3_d-9x.js')).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect((await get('/icon.svg')).headers.get('cache-control')).toBe('no-cache')
  })

  it.each([
    ['gzip, br', true],
    ['br', false],
    ['gzip;q=0', false],
    ['', false],
  ])('for a client that takes %j, compressed: %s', async (accepted, isCompressed) => {
    const response = await get('/assets/index-Ab3_d-9x.js', accepted === '' ? {} : { 'accept-encoding': accepted })
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-encoding')).toBe(isCompressed ? 'gzip' : null)
    expect(response.headers.get('vary')).toBe('accept-encoding')
    expect(String(isCompressed ? gunzipSync(bytes) : bytes)).toBe('run()')
  })

  it.each([
    '/index.html',
    '/link.js',
    '/notes.txt',
    '/assets',
    '/assets/',
    '/assets/..%2f..%2fsecret.js',
    '/..%2fsecret.js',
    '/%2e%2e/secret.js',
    '/icon.svg%00',
    '/icon.svg%00.js',
    '//icon.svg',
  ])('S14: nothing else can be reached: %s', async (path) => {
    expect((await get(path)).status).toBe(404)
  })

  it('when the page was not built, its place says how to build it', async () => {
    await rm(join(folder, 'page'), { recursive: true })
    const response = await get('/')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('<code>npm run build</code>')
  })
})
