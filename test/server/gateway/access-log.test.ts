import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { sendBytes, startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('the access log of a server', () => {
  it('has a line for every request, refused ones too, and no header, body, query or secret', async () => {
    const canary = await startCanary(cleanup, (_request, response) => void response.end('body-secret'))
    const path = join(await folder(), 'access.log')
    const server = await startGateway(cleanup, canary.url, {
      more: `  accessLog: { path: '${path}' }`,
      upstream: "    headers: { authorization: 'Bearer configured-secret' }",
    })
    await fetch(`${server.gatewayUrl}/up/x?q=query-secret`, {
      method: 'POST',
      body: 'request-secret',
      headers: { 'x-request-id': 'r-1', cookie: 'cookie-secret', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    }).then((response) => response.text())
    await fetch(`${server.gatewayUrl}/nobody/x`)
    await sendBytes(server.gatewayUrl, 'GET /up/../"x HTTP/1.1\r\nHost: a\r\n\r\n')
    await server.close()
    const text = await readFile(path, 'utf8')
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatchObject({
      requestId: 'r-1',
      client: '127.0.0.1',
      method: 'POST',
      path: '/up/x',
      upstream: 'up',
      status: 200,
      attempts: 1,
      bytes: 11,
      receivedBytes: 14,
      traceId: '0af7651916cd43dd8448eb211c80319c',
    })
    expect(Object.keys(lines[0] ?? {})).toEqual(expect.arrayContaining(['time', 'durationMs', 'headMs']))
    expect(lines[1]).toMatchObject({ path: '/nobody/x', status: 404, cause: 'unknown-upstream', attempts: 0 })
    expect(lines[2]).toMatchObject({ path: '/up/../"x', status: 400, cause: 'bad-request' })
    expect(text).not.toContain('secret')
  })

  it('that cannot be written hurts no request, is told in the log, and is counted', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, { more: "  accessLog: { path: '/dev/full', format: common }" })
    for (let index = 0; index < 10; index++) expect((await fetch(`${server.gatewayUrl}/up/x`)).status).toBe(200)
    await server.close()
    expect(server.lines.join('')).toContain('the access log cannot be written')
  })
})

async function folder(): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const path = await mkdtemp('/tmp/holdfast-access-')
  cleanup.add(() => rm(path, { recursive: true, force: true }))
  return path
}
