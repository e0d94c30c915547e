import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOk, GatewayTests, sendRaw, startGateway, startUpstream } from './gateway.fixture.ts'

const tests = new GatewayTests()
afterEach(() => tests.closeAll())

describe('passing on', () => {
  it('keeps method, path, query, body, status and headers', async () => {
    const { upstream, gateway } = await tests.set((request, response) => {
      request.setEncoding('utf8')
      let body = ''
      request.on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        response.writeHead(201, 'Made', { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] })
        response.end(`${request.method} ${request.url} ${body}`)
      })
    })
    const response = await fetch(`${gateway.url}/up/v1/things?a=%20b&c`, { method: 'PUT', body: 'text', headers: { 'x-asked': 'too' } })
    expect([response.status, response.statusText, await response.text()]).toEqual([201, 'Made', 'PUT /v1/things?a=%20b&c text'])
    expect([response.headers.get('x-answer'), response.headers.getSetCookie()]).toEqual(['yes', ['a=1', 'b=2']])
    expect(upstream.requests[0]?.headers['x-asked']).toBe('too')
    expect(await gateway.record(0)).toMatchObject({ upstream: 'up', status: 201, attempts: 1, cause: undefined })
  })

  it("puts the upstream's base path first and its host in the Host header", async () => {
    const upstream = await startUpstream((request, response) => void response.end(`${request.headers.host} ${request.url}`))
    tests.open(upstream)
    const gateway = await startGateway(upstream.port, { route: { url: new URL(`http://127.0.0.1:${upstream.port}/base/`) } })
    tests.open(gateway)
    expect(await (await fetch(`${gateway.url}/up/x`)).text()).toBe(`127.0.0.1:${upstream.port} /base/x`)
  })

  it('sets configured headers in place of those of the client', async () => {
    const { upstream, gateway } = await tests.set(answerOk, { route: { headers: new Map([['authorization', 'Bearer configured']]) } })
    await fetch(`${gateway.url}/up/x`, { headers: { Authorization: 'Bearer of the client' } })
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer configured')
  })

  it('18: strips hop-by-hop headers both ways, also those that Connection names', async () => {
    const { upstream, gateway } = await tests.set((_request, response) => {
      response.writeHead(200, { connection: 'x-hop-answer', 'x-hop-answer': '1', 'keep-alive': 'timeout=5', 'x-end': '1' })
      response.end()
    })
    const answer = await sendRaw(
      gateway.port,
      'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nX-End: 1\r\n\r\n',
    )
    expect(upstream.requests[0]?.headers).toMatchObject({ 'x-end': '1' })
    expect(upstream.requests[0]?.headers).not.toHaveProperty('x-hop')
    expect(upstream.requests[0]?.headers).not.toHaveProperty('te')
    expect(answer).toMatch(/x-end: 1/i)
    expect(answer).not.toMatch(/x-hop-answer/i)
  })

  it('20: tells the address it sees itself, unless a trusted proxy tells another', async () => {
    const { upstream, gateway } = await tests.set(answerOk)
    await fetch(`${gateway.url}/up/x`, { headers: { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' } })
    expect(upstream.requests[0]?.headers['x-forwarded-for']).toBe('127.0.0.1')
    expect(upstream.requests[0]?.headers).not.toHaveProperty('forwarded')
    const behindProxy = await startGateway(upstream.port, { gateway: { isTrustedProxy: (address) => address === '127.0.0.1' } })
    tests.open(behindProxy)
    await fetch(`${behindProxy.url}/up/x`, { headers: { 'x-forwarded-for': '6.6.6.6, 10.0.0.1' } })
    expect(upstream.requests[1]?.headers['x-forwarded-for']).toBe('10.0.0.1')
  })

  it('passes a HEAD and a 304 on without inventing a body', async () => {
    const { gateway } = await tests.set((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 304, { 'content-length': '4' })
      response.end()
    })
    const head = await fetch(`${gateway.url}/up/x`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
    expect((await fetch(`${gateway.url}/up/x`)).status).toBe(304)
  })
})

describe('odd request targets', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['//127.0.0.1:1/x', 400],
    ['http://127.0.0.1:1/up/x', 400],
    ['/\\evil/x', 400],
    ['/up/../x', 400],
    ['/up/%2e%2e/x', 400],
    ['/up/a%2f..%2fb', 400],
    ['/@evil/x', 400],
    ['/', 400],
    ['/nobody/x', 404],
  ]
  for (const [target, status] of cases) {
    it(`15: '${target}' gets ${status} and reaches no upstream`, async () => {
      const { upstream, gateway } = await tests.set(answerOk)
      expect(await sendRaw(gateway.port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
        new RegExp(`^HTTP/1.1 ${status} `),
      )
      expect(upstream.requests).toHaveLength(0)
    })
  }

  it('refuses two Host headers, and a target that is too long', async () => {
    const { upstream, gateway } = await tests.set(answerOk)
    expect(await sendRaw(gateway.port, 'GET /up/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await sendRaw(gateway.port, `GET /up/${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 414 /,
    )
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('connections', () => {
  it('32: closing does not wait for a connection that has never asked anything', async () => {
    const { gateway } = await tests.set(answerOk)
    const silent = connect(gateway.port, '127.0.0.1')
    await once(silent, 'connect')
    await fetch(`${gateway.url}/up/x`) // the server has seen the connection by now
    await gateway.gateway.close(60_000)
    expect(gateway.gateway.server.listening).toBe(false)
    silent.destroy()
  })

  it('24: more connections of one address than allowed are answered with 503 at once', async () => {
    const { gateway } = await tests.set(answerOk, { gateway: { maxConnectionsPerAddress: 1 } })
    const first = httpRequest(`${gateway.url}/up/x`, { method: 'POST' }) // keeps its connection: its body does not end
    first.on('error', () => undefined)
    first.write('x')
    await once(first, 'socket')
    await new Promise<void>((resolve) => (first.socket?.connecting === true ? first.socket.once('connect', () => resolve()) : resolve()))
    expect(await sendRaw(gateway.port, 'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 503 [\s\S]*too-many-connections/)
    first.destroy()
  })
})
