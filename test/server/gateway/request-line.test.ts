import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { portOf, sendBytes, startCanary, startGateway, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const close = 'Host: a\r\nConnection: close\r\n\r\n'

describe('odd request targets', () => {
  const refused: readonly [target: string, status: number][] = [
    ['//{{evil}}/x', 400],
    ['///{{evil}}/x', 400],
    ['//{{evil}}/up/x', 400],
    ['http://{{evil}}/x', 400],
    ['http://{{evil}}/up/x', 400],
    ['HTTPS://{{evil}}/up/x', 400],
    ['ftp://{{evil}}/up/x', 400],
    ['/\\{{evil}}/x', 400],
    ['\\\\{{evil}}\\x', 400],
    ['/up\\..\\x', 400],
    ['@{{evil}}/x', 400],
    ['/@{{evil}}/x', 400],
    ['/up@{{evil}}/x', 400],
    ['/{{evil}}/x', 400],
    ['{{evil}}', 400],
    ['up/x', 400],
    ['?/up/x', 400],
    ['*', 400],
    ['/', 400],
    ['/?up', 400],
    ['/.', 400],
    ['/..', 400],
    ['/../up/x', 400],
    ['/up/.', 400],
    ['/up/..', 400],
    ['/up/../../x', 400],
    ['/up/%2e%2e/x', 400],
    ['/up/%2E./x', 400],
    ['/up/.%2e/x', 400],
    ['/up/..;/x', 400],
    ['/up/..%2fx', 400],
    ['/up/a%2F..%2Fb', 400],
    ['/up/..%5cx', 400],
    ['/up%2f..%2fx', 400],
    ['/%75p/x', 400],
    ['/up%00/x', 400],
    ['/up/a\u0000b', 400],
    ['/up/a\tb', 400],
    ['/up/\u00e9', 400],
    ['/up/\u00ff\u00fe', 400],
    ['/up/#/../x', 400],
    ['/Up/x', 404],
    ['/toString/x', 404],
    ['/constructor/x', 404],
    ['/__proto__/x', 400],
    ['/nobody/x', 404],
  ]

  it('S15: never change the upstream host, and never leave its base path', async () => {
    const canary = await startCanary(cleanup)
    const evil = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, `${canary.url}/base`)
    for (const [target, status] of refused) {
      const written = target.replaceAll('{{evil}}', `127.0.0.1:${portOf(evil.url)}`)
      const answer = await sendBytes(gatewayUrl, `GET ${written} HTTP/1.1\r\n${close}`)
      expect([target, statusOf(answer)]).toEqual([target, status])
    }
    expect([canary.connections, evil.connections]).toEqual([0, 0])
  })

  it('S15: the Host header does not choose an upstream either, nor what a client says of forwarding', async () => {
    const canary = await startCanary(cleanup)
    const evil = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const host = `127.0.0.1:${evil.port}`
    const heads = [
      `Host: ${host}\r\n`,
      `Host: a\r\nX-Forwarded-Host: ${host}\r\n`,
      `Host: a\r\nX-Host: ${host}\r\nX-Original-URL: http://${host}/\r\n`,
    ]
    for (const head of heads)
      expect(statusOf(await sendBytes(gatewayUrl, `GET /up/x HTTP/1.1\r\n${head}Connection: close\r\n\r\n`))).toBe(200)
    expect([canary.requests.length, evil.connections]).toEqual([3, 0])
    for (const { headers } of canary.requests) expect(headers.host).toBe(`127.0.0.1:${canary.port}`)
  })

  it('S15: what is let in arrives as it was written, encoded characters and all', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, `${canary.url}/base/`)
    const targets = [
      '/up',
      '/up/',
      '/up//double',
      '/up/a%20b%2Fc?x=//evil/..&y=%00',
      '/up/...',
      '/up/a;b=c',
      "/up/~!$&'()*+,;=:@",
      '/up?q=/../',
    ]
    for (const target of targets) expect(statusOf(await sendBytes(gatewayUrl, `GET ${target} HTTP/1.1\r\n${close}`))).toBe(200)
    expect(canary.requests.map(({ url }) => url)).toEqual([
      '/base/',
      '/base/',
      '/base//double',
      '/base/a%20b%2Fc?x=//evil/..&y=%00',
      '/base/...',
      '/base/a;b=c',
      "/base/~!$&'()*+,;=:@",
      '/base/?q=/../',
    ])
  })

  it('S15: CONNECT, TRACE and OPTIONS * are answered by the gateway itself', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const lines: readonly [line: string, status: number][] = [
      [`CONNECT 127.0.0.1:${canary.port} HTTP/1.1`, 405],
      [`CONNECT up:80 HTTP/1.1`, 405],
      ['TRACE /up/x HTTP/1.1', 405],
      ['OPTIONS * HTTP/1.1', 400],
    ]
    for (const [line, status] of lines) expect([line, statusOf(await sendBytes(gatewayUrl, `${line}\r\n${close}`))]).toEqual([line, status])
    expect(canary.connections).toBe(0)
  })

  it('S15: a request line that is none is answered with 400 and a cause', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    for (const line of [
      'GET /up/a b HTTP/1.1',
      'GET /up/x HTTP/3.0',
      'G\u0000T /up/x HTTP/1.1',
      'gEt@ /up/x HTTP/1.1',
      '\u0016\u0003\u0001',
    ]) {
      const answer = await sendBytes(gatewayUrl, `${line}\r\n${close}`)
      expect([line, statusOf(answer)]).toEqual([line, 400])
      expect(answer).toContain('x-holdfast-cause: bad-request')
    }
    for (const version of ['', ' HTTP/0.9', ' HTTP/2.0'])
      expect(await sendBytes(gatewayUrl, `GET /up/x${version}\r\n${close}`)).toMatch(/^HTTP\/1\.1 (400|505) /)
    expect(canary.connections).toBe(0)
  })
})

describe('sizes of heads', () => {
  it('S22: a request target over 8 KiB is a 414', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const path = (length: number): string => `/up/${'x'.repeat(length - 4)}`
    expect(statusOf(await sendBytes(gatewayUrl, `GET ${path(8_192)} HTTP/1.1\r\n${close}`))).toBe(200)
    expect(statusOf(await sendBytes(gatewayUrl, `GET ${path(8_193)} HTTP/1.1\r\n${close}`))).toBe(414)
    expect(canary.requests).toHaveLength(1)
  })

  it('S22: headers over 16 KiB in all are a 431 with a cause, in one header or in many', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const heads = [`X: ${'x'.repeat(17_000)}\r\n`, `X: ${'x'.repeat(500)}\r\n`.repeat(40), `${'x'.repeat(17_000)}: 1\r\n`]
    for (const head of heads) {
      const answer = await sendBytes(gatewayUrl, `GET /up/x HTTP/1.1\r\n${head}${close}`)
      expect([statusOf(answer), answer.includes('headers-too-large')]).toEqual([431, true])
    }
    expect(canary.connections).toBe(0)
  })

  it('S22: more than 100 headers are a 431; 100 arrive all', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const head = (count: number): string => Array.from({ length: count - 2 }, (_, index) => `X-${index}: ${index}\r\n`).join('')
    expect(statusOf(await sendBytes(gatewayUrl, `GET /up/x HTTP/1.1\r\n${head(100)}${close}`))).toBe(200)
    expect(canary.requests[0]?.headers['x-97']).toBe('97')
    for (const count of [101, 102, 500]) {
      const answer = await sendBytes(gatewayUrl, `GET /up/x HTTP/1.1\r\n${head(count)}${close}`)
      expect([count, statusOf(answer), answer.includes('headers-too-large')]).toEqual([count, 431, true])
    }
    expect(canary.requests).toHaveLength(1)
  })
})
