import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { Cleanup, type TestServer } from '../../support/server.ts'
import { RawClient, breakerOf, eventually, metric, startCanary, startGateway, startRawUpstream, statusOf, type Canary } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const open = 'holdfast_gateway_upstream_requests_open{upstream="up"}'
const handshake =
  'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** An upstream that answers every message with itself. */
async function startEcho(): Promise<{ canary: Canary; sockets: WebSocketServer; carriers: Socket[] }> {
  const canary = await startCanary(cleanup)
  const carriers: Socket[] = []
  canary.server.on('upgrade', (_request, socket) => carriers.push(socket as Socket))
  const sockets = new WebSocketServer({ server: canary.server, maxPayload: 64 * 1024 * 1024 })
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('error', () => undefined)
  })
  cleanup.add(() => {
    for (const client of sockets.clients) client.terminate()
  })
  return { canary, sockets, carriers }
}

async function connectTo(server: TestServer, path = '/up/x'): Promise<WebSocket> {
  const socket = new WebSocket(`${server.gatewayUrl.replace('http', 'ws')}${path}`, {
    maxPayload: 64 * 1024 * 1024,
    headers: { 'x-told': 'yes' },
  })
  cleanup.add(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

async function refusal(server: TestServer): Promise<[number | undefined, unknown]> {
  const socket = new WebSocket(`${server.gatewayUrl.replace('http', 'ws')}/up/x`)
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode?: number; headers: Record<string, unknown>; resume(): void },
  ]
  response.resume()
  socket.terminate()
  return [response.statusCode, response.headers['x-holdfast-cause']]
}

describe('WebSockets', () => {
  it('pass both ways, with the path, the headers and the protocol of the handshake', async () => {
    const { canary, sockets } = await startEcho()
    const server = await startGateway(cleanup, `${canary.url}/base`)
    const connection = once(sockets, 'connection')
    const socket = await connectTo(server, '/up/chat?room=1')
    const [, request] = (await connection) as [unknown, { url: string; headers: Record<string, string> }]
    expect(request.url).toBe('/base/chat?room=1')
    expect(request.headers).toMatchObject({ 'x-told': 'yes', 'x-forwarded-for': '127.0.0.1', upgrade: 'websocket' })
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('hello')
    socket.close(1000, 'done')
    expect((await once(socket, 'close'))[0]).toBe(1000)
    await eventually(async () => (await metric(server, open)) === 0)
    expect(await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="1xx",cause="none"}')).toBe(1)
  })

  it('carry messages of 10 MB whole, several at a time', async () => {
    const { canary } = await startEcho()
    const server = await startGateway(cleanup, canary.url)
    const sockets = await Promise.all([connectTo(server), connectTo(server)])
    const message = Buffer.alloc(10 * 1024 * 1024, 'holdfast')
    for (const socket of sockets) socket.send(message)
    for (const received of await Promise.all(sockets.map((socket) => once(socket, 'message'))))
      expect((received[0] as Buffer).equals(message)).toBe(true)
  })

  it('do not fill the memory between a fast side and a slow one', async () => {
    let sent = 0
    const url = await startRawUpstream(cleanup, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        const piece = Buffer.alloc(64 * 1024)
        const more = (): void => {
          while (sent < 200_000_000) {
            sent += piece.length
            if (!socket.write(piece)) return void socket.once('drain', more)
          }
        }
        more()
      })
    })
    const server = await startGateway(cleanup, url)
    const client = new RawClient(server.gatewayUrl).send(handshake)
    client.socket.pause()
    let before = -1
    await eventually(async () => {
      if (before === sent && sent > 0) return true
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 100)) // until nothing moves any more
      return false
    })
    expect(sent).toBeLessThan(60_000_000)
    client.socket.destroy()
  })

  it('end on both sides when one dies, and the death of the upstream counts for its breaker', async () => {
    const { canary, sockets, carriers } = await startEcho()
    const server = await startGateway(cleanup, canary.url, { pipeline: '{ attemptTimeout: 5s, circuitBreaker: { failureThreshold: 1 } }' })
    const connection = once(sockets, 'connection')
    const leaving = await connectTo(server)
    const [served] = (await connection) as [WebSocket]
    const servedClosed = once(served, 'close')
    leaving.terminate()
    await servedClosed
    await eventually(async () => (await metric(server, open)) === 0)
    expect(breakerOf(server).state).toBe('closed')
    const staying = await connectTo(server)
    staying.on('error', () => undefined)
    const closed = once(staying, 'close')
    carriers[1]?.resetAndDestroy()
    expect((await closed)[0]).toBe(1006)
    await eventually(() => breakerOf(server).state === 'open')
    expect(await refusal(server)).toEqual([503, 'circuit-open'])
    expect(await metric(server, open)).toBe(0)
  })

  it('one side may end while the other goes on', async () => {
    const url = await startRawUpstream(cleanup, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        let heard = ''
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
        socket.on('end', () => socket.end(`heard ${heard}`))
      })
      socket.allowHalfOpen = true
    })
    const server = await startGateway(cleanup, url)
    const client = new RawClient(server.gatewayUrl).send(handshake)
    await client.until(/\r\n\r\n/)
    client.socket.allowHalfOpen = true
    client.socket.end('the last words')
    expect(await client.end()).toMatch(/heard the last words$/)
    await eventually(async () => (await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="1xx",cause="none"}')) === 1)
  })

  it('hold their place in the bulkhead for as long as they live; the time for an attempt covers the handshake only', async () => {
    const { canary } = await startEcho()
    const server = await startGateway(cleanup, canary.url, { pipeline: '{ attemptTimeout: 300ms, bulkhead: { maxConcurrent: 1 } }' })
    const socket = await connectTo(server)
    expect(await refusal(server)).toEqual([503, 'bulkhead-full'])
    const until = performance.now() + 400
    await eventually(() => performance.now() > until)
    socket.send('still here')
    expect(String((await once(socket, 'message'))[0])).toBe('still here')
    socket.close()
    await once(socket, 'close')
    await eventually(async () => (await metric(server, open)) === 0)
    await connectTo(server)
  })

  it('are refused in plain HTTP: open circuit, limit, unreachable, and an upstream that answers something else', async () => {
    const { canary } = await startEcho()
    const server = await startGateway(cleanup, canary.url, { pipeline: '{ attemptTimeout: 5s, circuitBreaker: {} }' })
    breakerOf(server).forceOpen()
    expect(await refusal(server)).toEqual([503, 'circuit-open'])
    const plain = await startCanary(cleanup, (_request, response) => void response.writeHead(403, { 'x-own': 'words' }).end('not here'))
    const other = await startGateway(cleanup, plain.url)
    const answer = await new RawClient(other.gatewayUrl).send(handshake).end()
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*x-own: words[\s\S]*not here/)
    plain.server.closeAllConnections()
    await new Promise((resolve) => plain.server.close(resolve))
    expect(await refusal(other)).toEqual([502, 'upstream-unreachable'])
    const silent = await startRawUpstream(cleanup, () => undefined)
    const slow = await startGateway(cleanup, silent, { pipeline: '{ attemptTimeout: 50ms }' })
    expect(await refusal(slow)).toEqual([504, 'timeout'])
    const limited = await startGateway(cleanup, canary.url, { pipeline: '{ attemptTimeout: 5s, rateLimiter: { limit: 1, window: 1h } }' })
    await connectTo(limited)
    expect(await refusal(limited)).toEqual([429, 'rate-limited'])
    expect(statusOf(await new RawClient(server.gatewayUrl).send(handshake.replace('/up/', '/up/../')).end())).toBe(400)
  })

  it('that say nothing for too long are ended', async () => {
    const { canary } = await startEcho()
    const server = await startGateway(cleanup, canary.url, { upstream: '    tunnelIdleTimeout: 100ms' })
    const socket = await connectTo(server)
    expect((await once(socket, 'close'))[0]).toBe(1006)
    expect(await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="1xx",cause="idle"}')).toBe(1)
  })

  it('S32: are ended when the server stops, at the end of the grace period', async () => {
    const { canary, sockets } = await startEcho()
    const server = await startGateway(cleanup, canary.url, { gateway: 'shutdownGrace: 200ms' })
    const connection = once(sockets, 'connection')
    const socket = await connectTo(server)
    const servedClosed = once((await connection)[0] as WebSocket, 'close')
    const closed = once(socket, 'close')
    const stopped = server.close()
    socket.send('within the grace period')
    expect(String((await once(socket, 'message'))[0])).toBe('within the grace period')
    await Promise.all([closed, servedClosed, stopped])
  })
})

describe('other wishes to change the protocol', () => {
  it('are passed over, as if the client had not asked, body and following requests included', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const answer = await new RawClient(gatewayUrl)
      .send(
        'POST /up/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 5\r\n\r\nhello' +
          'GET /up/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      )
      .end()
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(canary.bodies.toSorted()).toEqual(['', 'hello'])
    for (const { headers } of canary.requests) {
      expect(headers).not.toHaveProperty('upgrade')
      expect(headers).not.toHaveProperty('http2-settings')
    }
  })

  it('a protocol can be allowed or forbidden by upstream', async () => {
    const { canary } = await startEcho()
    const without = await startGateway(cleanup, canary.url, { upstream: '    upgrades: []' })
    expect(await new RawClient(without.gatewayUrl).send(handshake.replace('Upgrade\r\n', 'Upgrade, close\r\n')).end()).toMatch(
      /^HTTP\/1\.1 200 OK[\s\S]*fine$/,
    )
    const url = await startRawUpstream(cleanup, (socket) => {
      socket.once('data', (head: Buffer) => {
        const isTold = /\r\nupgrade: spdy-like\/3/i.test(head.toString())
        socket.write(
          isTold ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: spdy-like/3\r\n\r\nhi' : 'HTTP/1.1 400 Bad\r\n\r\n',
        )
      })
    })
    const custom = await startGateway(cleanup, url, { upstream: '    upgrades: [spdy-like/3]' })
    const client = new RawClient(custom.gatewayUrl).send(
      'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: SPDY-like/3\r\n\r\n',
    )
    expect(await client.until(/hi$/)).toMatch(/^HTTP\/1\.1 101 [\s\S]*upgrade: spdy-like\/3\r\n[\s\S]*hi$/i)
    client.socket.destroy()
  })

  it('S17: a request to upgrade that has a body is refused, and the body is no request', async () => {
    const { canary } = await startEcho()
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const smuggled = 'GET /up/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
    const answer = await new RawClient(gatewayUrl)
      .send(handshake.replace('\r\n\r\n', `\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`))
      .end()
    expect([statusOf(answer), answer.match(/HTTP\/1\.1 /g)?.length]).toEqual([400, 1])
    expect(canary.connections).toBe(0)
  })

  it('S17: without a 101 the connection carries nothing: what follows a refused handshake goes nowhere', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const answer = await new RawClient(gatewayUrl).send(`${handshake}GET /up/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`).end()
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(canary.requests.filter(({ url }) => url === '/smuggled')).toEqual([])
  })
})
