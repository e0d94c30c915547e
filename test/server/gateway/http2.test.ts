import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, breakerOf, eventually, metric, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

let pem: { readonly private: string; readonly cert: string }
beforeAll(async () => {
  pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
})

interface Http2Upstream {
  readonly url: string
  readonly server: Http2SecureServer
  readonly requests: Http2ServerRequest[]
  readonly sessions: ServerHttp2Session[]
}

async function startHttp2(handle: (request: Http2ServerRequest, response: Http2ServerResponse) => void): Promise<Http2Upstream> {
  const server = createSecureServer({ key: pem.private, cert: pem.cert, allowHTTP1: true })
  const requests: Http2ServerRequest[] = []
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => undefined)
  })
  server.on('request', (request, response) => {
    requests.push(request)
    if (request.httpVersionMajor === 2) request.stream.on('error', () => undefined)
    handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.add(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, server, requests, sessions }
}

async function files(): Promise<{ ca: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pem-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const [ca, key] = [join(folder, 'ca.pem'), join(folder, 'key.pem')]
  await writeFile(ca, pem.cert)
  await writeFile(key, pem.private)
  return { ca, key }
}

async function before(upstream: Http2Upstream, more = '', pipeline = '{ attemptTimeout: 20s }'): ReturnType<typeof startGateway> {
  return startGateway(cleanup, upstream.url, {
    pipeline,
    upstream: `    http2: true\n    tls: { caFile: '${(await files()).ca}' }\n${more}`,
  })
}

const get = 'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n'

describe('an upstream that speaks HTTP/2', () => {
  it('is spoken to in HTTP/2: bodies and answers pass, headers of the connection stay behind', async () => {
    const upstream = await startHttp2((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        response.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] })
        response.end(`${request.method} ${request.url} ${body}`)
      })
    })
    const { gatewayUrl } = await before(upstream)
    for (const body of ['small', 'large '.repeat(50_000)]) {
      const answer = await fetch(`${gatewayUrl}/up/v1?a=b`, { method: 'POST', body, headers: { 'x-told': 'yes', cookie: 'c=1' } })
      expect([answer.status, answer.headers.get('x-answer'), answer.headers.getSetCookie()]).toEqual([201, 'yes', ['a=1', 'b=2']])
      expect(await answer.text()).toBe(`POST /v1?a=b ${body}`)
    }
    const raw = await new RawClient(gatewayUrl)
      .send(
        'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nX-End: 1\r\n\r\n',
      )
      .end()
    expect(raw).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
    expect(raw).not.toMatch(/^:status/m)
    const { headers, httpVersion } = upstream.requests.at(-1) ?? {}
    expect(httpVersion).toBe('2.0')
    expect(headers).toMatchObject({ ':authority': new URL(upstream.url).host, 'x-end': '1', 'x-forwarded-for': '127.0.0.1' })
    for (const name of ['connection', 'x-hop', 'keep-alive', 'te', 'upgrade', 'host', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name)
  })

  it('may choose HTTP/1.1', async () => {
    const server = createHttpsServer({ key: pem.private, cert: pem.cert }, (request, response) => void response.end(request.httpVersion))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup.add(() => {
      server.closeAllConnections()
      server.close()
    })
    const { gatewayUrl } = await before({ url: `https://localhost:${(server.address() as AddressInfo).port}` } as Http2Upstream)
    expect(await (await fetch(`${gatewayUrl}/up/x`)).text()).toBe('1.1')
  })

  it('is spoken to in HTTP/1.1 when HTTP/2 is not asked for', async () => {
    const upstream = await startHttp2((request, response) => void response.end(request.httpVersion))
    const { gatewayUrl } = await startGateway(cleanup, upstream.url, { upstream: `    tls: { caFile: '${(await files()).ca}' }` })
    expect(await (await fetch(`${gatewayUrl}/up/x`)).text()).toBe('1.1')
  })

  it('S29: streams event by event, and many at the same time', async () => {
    const streams: Http2ServerResponse[] = []
    const upstream = await startHttp2((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      streams.push(response)
    })
    const { gatewayUrl } = await before(upstream)
    const clients = Array.from({ length: 20 }, () => new RawClient(gatewayUrl).send(get))
    await Promise.all(clients.map((client) => client.until(/event-stream/)))
    for (let event = 1; event <= 5; event++) {
      for (const stream of streams) stream.write(`data: ${event}\n\n`)
      await Promise.all(clients.map((client) => client.until(new RegExp(`data: ${event}\n`))))
    }
    for (const stream of streams) stream.end()
    for (const received of await Promise.all(clients.map((client) => client.until(/0\r\n\r\n$/))))
      expect(received.match(/data: /g)).toHaveLength(5)
    for (const { socket } of clients) socket.destroy()
  })

  it('S25: hears of a client that leaves by a reset of its stream, before and in the middle of the answer', async () => {
    for (const begun of [false, true]) {
      const upstream = await startHttp2((_request, response) => {
        if (begun) response.write('begun')
      })
      const server = await before(upstream)
      const client = new RawClient(server.gatewayUrl).send(get)
      await eventually(() => upstream.requests.length === 1)
      if (begun) await client.until(/begun/)
      const closed = once((upstream.requests[0] as Http2ServerRequest).stream, 'close')
      client.socket.destroy()
      await closed
      await eventually(async () => (await metric(server, 'holdfast_gateway_upstream_requests_open{upstream="up"}')) === 0)
      expect(await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="4xx",cause="client-left"}')).toBe(1)
    }
  })

  it('S26: whose stream dies in the middle takes the connection of its client with it, and counts as failed', async () => {
    const upstream = await startHttp2((_request, response) => {
      response.writeHead(200)
      response.write('partial', () => response.stream.close(2))
    })
    const server = await before(upstream, '', '{ attemptTimeout: 20s, circuitBreaker: { failureThreshold: 1 } }')
    const answer = await new RawClient(server.gatewayUrl).send(get).end()
    expect(answer).not.toMatch(/0\r\n\r\n$/)
    await eventually(() => breakerOf(server).state === 'open')
  })

  it('a session that goes away in the middle fails its own request once, and the next one takes a new session', async () => {
    let isLeaving = true
    const upstream = await startHttp2((request, response) => {
      if (isLeaving) {
        isLeaving = false
        request.stream.session?.goaway(0)
        request.stream.session?.destroy()
      } else response.end('fine')
    })
    const { gatewayUrl } = await before(upstream)
    const post = await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: 'once' })
    expect([post.status, post.headers.get('x-holdfast-cause'), upstream.requests.length]).toEqual([502, 'upstream-failed', 1])
    expect(await (await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: 'next' })).text()).toBe('fine')
    expect([upstream.requests.length, upstream.sessions.length]).toEqual([2, 2])
  })

  it('a session that ends in good order meets at most the one request under way on it, which is not sent again', async () => {
    const upstream = await startHttp2((request, response) => {
      const isFirst = upstream.requests.length === 1
      if (isFirst) request.stream.session?.close()
      setImmediate(() => response.end('fine'))
    })
    const { gatewayUrl } = await before(upstream)
    const first = await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: 'once' })
    expect([200, 502]).toContain(first.status)
    expect(upstream.requests).toHaveLength(1)
    for (let next = 0; next < 5; next++) expect((await fetch(`${gatewayUrl}/up/x`)).status).toBe(200)
  })

  it('a POST is never sent twice when sessions go away under many requests', async () => {
    const seen = new Map<string, number>()
    const upstream = await startHttp2((request, response) => {
      const id = request.headers['x-id'] as string
      seen.set(id, (seen.get(id) ?? 0) + 1)
      request.resume()
      if (seen.size % 7 === 0) request.stream.session?.goaway(0)
      setImmediate(() => response.end('fine'))
    })
    const server = await before(upstream)
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const answer = await fetch(`${server.gatewayUrl}/up/x`, { method: 'POST', body: 'once', headers: { 'x-id': String(index) } }).catch(
          () => undefined,
        )
        await answer?.text().catch(() => undefined)
        return answer?.status
      }),
    )
    expect([...seen.values()].filter((count) => count > 1)).toEqual([])
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0)
    await eventually(async () => (await metric(server, 'holdfast_gateway_upstream_requests_open{upstream="up"}')) === 0)
  })

  it('WebSockets take a connection of their own, in HTTP/1.1', async () => {
    const upstream = await startHttp2((_request, response) => void response.end())
    upstream.server.on('upgrade', (_request: unknown, socket: TLSSocket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello')
    })
    const { gatewayUrl } = await before(upstream)
    const client = new RawClient(gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await client.until(/hello$/)).toMatch(/101 Switching/)
    client.socket.destroy()
  })
})

describe('certificates', () => {
  const cause = async (url: string): Promise<unknown> => (await fetch(`${url}/up/x`)).headers.get('x-holdfast-cause')

  it('one that no known authority signed is refused, unless its authority is named; so is one for another name', async () => {
    const upstream = await startHttp2((_request, response) => void response.end('fine'))
    expect(await cause((await startGateway(cleanup, upstream.url)).gatewayUrl)).toBe('upstream-failed')
    const ca = `caFile: '${(await files()).ca}'`
    const other = await startGateway(cleanup, upstream.url, { upstream: `    tls: { ${ca}, serverName: other.example }` })
    expect(await cause(other.gatewayUrl)).toBe('upstream-failed')
    expect((await fetch(`${(await startGateway(cleanup, upstream.url, { upstream: `    tls: { ${ca} }` })).gatewayUrl}/up/x`)).status).toBe(
      200,
    )
  })

  it('the gateway shows its own where an upstream asks for one', async () => {
    const server = createHttpsServer(
      { key: pem.private, cert: pem.cert, ca: pem.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN)
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup.add(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { ca, key } = await files()
    const shown = await startGateway(cleanup, url, { upstream: `    tls: { caFile: '${ca}', certFile: '${ca}', keyFile: '${key}' }` })
    expect(await (await fetch(`${shown.gatewayUrl}/up/x`)).text()).toBe('localhost')
    const hidden = await startGateway(cleanup, url, { upstream: `    tls: { caFile: '${ca}' }` })
    expect((await fetch(`${hidden.gatewayUrl}/up/x`)).status).toBe(502)
  })
})
