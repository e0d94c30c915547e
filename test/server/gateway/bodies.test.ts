import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, breakerOf, eventually, metric, sendBytes, startCanary, startGateway, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('bodies over the limit', () => {
  it('S23: a declared length is refused before a byte of the body is read', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 1KiB' })
    for (const length of ['1025', '1000000000000', '9007199254740993']) {
      const client = new RawClient(gatewayUrl).send(`POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)
      expect(statusOf(await client.until(/\}\}\n$/))).toBe(413)
      client.socket.destroy()
    }
    expect(canary.connections).toBe(0)
  })

  it('S23: chunks are refused as soon as they are too many, in few large ones or many small ones', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 1KiB' })
    const head = 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const chunks of [`801\r\n${'x'.repeat(2_049)}\r\n`, '1\r\nx\r\n'.repeat(1_025)])
      expect(statusOf(await sendBytes(gatewayUrl, head + chunks))).toBe(413)
    expect(canary.connections).toBe(0)
    expect(
      statusOf(
        await sendBytes(gatewayUrl, `${head.replace('POST', 'PUT')}${'1\r\nx\r\n'.repeat(1_024)}0\r\n\r\nGET /nobody HTTP/1.1\r\n\r\n`),
      ),
    ).toBe(200)
    expect(canary.bodies).toEqual(['x'.repeat(1_024)])
  })

  it('S23: a compressed body is passed on as it is, however large it would become', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 64KiB' })
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(64 * 1024)
    const answer = await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: bomb, headers: { 'content-encoding': 'gzip' } })
    expect(answer.status).toBe(200)
    expect(canary.requests[0]?.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(bomb.length) })
    expect(canary.bodies[0]).toBe(bomb.toString('latin1'))
  })

  it('S23: a body too large to hold is refused in the middle when it turns out larger than allowed', async () => {
    const canary = await startCanary(cleanup, (request, response) => void request.once('end', () => response.end('fine')))
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 2MiB' })
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const answer = await sendBytes(gatewayUrl, `POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(40)}`)
    expect([statusOf(answer), answer.includes('body-too-large')]).toEqual([413, true])
    expect(canary.bodies).toEqual([]) // begun perhaps, but never ended
  })

  it('S23: refusing a streaming body, or its client leaving, harms nobody else', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, {
      gateway: 'maxBodyBytes: 4MiB',
      pipeline: '{ attemptTimeout: 5s, circuitBreaker: {} }',
    })
    breakerOf(server).forceOpen()
    const large = `10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(80)
    const refused = new RawClient(server.gatewayUrl).send(`POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${large}`)
    expect(statusOf(await refused.until(/\}\}\n$/))).toBe(503)
    refused.socket.destroy()
    const leaving = new RawClient(server.gatewayUrl).send('POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nx')
    await leaving.until(/503/)
    leaving.socket.resetAndDestroy()
    breakerOf(server).close()
    expect((await fetch(`${server.gatewayUrl}/up/x`)).status).toBe(200)
  })

  it('S23: a body that turns out too large while its request waits for a place harms nobody, and is refused', async () => {
    let finish: () => void = () => {}
    const canary = await startCanary(cleanup, (request, response) => {
      request.resume()
      finish = () => void response.end('fine')
    })
    const server = await startGateway(cleanup, canary.url, {
      gateway: `maxBodyBytes: ${1024 * 1024 + 10}B`,
      pipeline: '{ attemptTimeout: 20s, bulkhead: { maxConcurrent: 1, maxQueued: 5 } }',
    })
    const holder = new RawClient(server.gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await eventually(() => canary.requests.length === 1)
    const head = 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const waiting = new RawClient(server.gatewayUrl).send(`${head}100001\r\n${'x'.repeat(1024 * 1024 + 1)}\r\n`)
    await eventually(async () => (await metric(server, 'resilience_bulkhead_queued{name="up"}')) === 1)
    waiting.send(`20\r\n${'x'.repeat(32)}\r\n`)
    await eventually(() => waiting.socket.writableLength === 0)
    finish()
    expect(statusOf(await holder.end())).toBe(200)
    expect(statusOf(await waiting.until(/\}\}\n$/))).toBe(413)
    expect(canary.bodies).toEqual(['']) // begun perhaps, but never ended
    waiting.socket.destroy()
  })

  it('S25: a client that leaves while its large body waits for a place harms nobody', async () => {
    let finish: () => void = () => {}
    const canary = await startCanary(cleanup, (_request, response) => (finish = () => void response.end('fine')))
    const server = await startGateway(cleanup, canary.url, {
      gateway: 'maxBodyBytes: 4MiB',
      pipeline: '{ attemptTimeout: 20s, bulkhead: { maxConcurrent: 1, maxQueued: 5 } }',
    })
    const holder = new RawClient(server.gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await eventually(() => canary.requests.length === 1)
    const waiting = new RawClient(server.gatewayUrl).send('POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nx')
    await eventually(async () => (await metric(server, 'resilience_bulkhead_queued{name="up"}')) === 1)
    waiting.socket.resetAndDestroy()
    await eventually(async () => (await metric(server, 'resilience_bulkhead_queued{name="up"}')) === 0)
    finish()
    expect(statusOf(await holder.end())).toBe(200)
    expect(canary.requests).toHaveLength(1)
  })

  it('a body of some size arrives as it was sent, declared or not', async () => {
    const canary = await startCanary(cleanup, (request, response) => void request.once('end', () => response.end('fine')))
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 16MiB' })
    const body = Buffer.alloc(10 * 1024 * 1024, 'holdfast ')
    const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body })
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < body.length; at += 1_000_000) controller.enqueue(body.subarray(at, at + 1_000_000))
        controller.close()
      },
    })
    await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: stream, duplex: 'half' })
    expect(canary.requests[0]?.headers['content-length']).toBe(String(body.length))
    expect(canary.bodies.map((text) => sum(Buffer.from(text, 'latin1')))).toEqual([sum(body), sum(body)])
  })
})

describe('Expect: 100-continue', () => {
  const head = (length: number, path = '/up/x'): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`

  it('a body that is wanted is asked for', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const client = new RawClient(gatewayUrl).send(head(5))
    expect(await client.until(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('hello')
    expect(await client.until(/fine$/)).toMatch(/HTTP\/1\.1 200 OK/)
    expect([canary.bodies, canary.requests[0]?.headers['expect']]).toEqual([['hello'], undefined])
    client.socket.destroy()
  })

  it('S23: one that is not is refused without being asked for', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 1KiB' })
    for (const [bytes, status] of [
      [head(2_000), 413],
      [head(5, '/nobody'), 404],
      [head(5, '//x'), 400],
    ] as const) {
      const answer = await sendBytes(gatewayUrl, bytes)
      expect([statusOf(answer), answer.includes('100 Continue'), answer.includes('connection: close')]).toEqual([status, false, true])
    }
    expect(canary.connections).toBe(0)
  })

  it('another expectation is a 417', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    expect(statusOf(await sendBytes(gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nExpect: cake\r\nConnection: close\r\n\r\n'))).toBe(417)
    expect(canary.connections).toBe(0)
  })
})

describe('bodies and attempts', () => {
  it('S30: a POST is not repeated unless it has a key or its upstream allows it; a refused connection is', async () => {
    let fail = 2
    const canary = await startCanary(cleanup, (_request, response) => void response.writeHead(fail-- > 0 ? 503 : 200).end())
    const retrying = '{ attemptTimeout: 5s, retry: { maxAttempts: 3, initialDelay: 1ms } }'
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { pipeline: retrying })
    const post = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${url}/up/x`, { method: 'POST', body: 'once', headers })).status
    expect([await post(gatewayUrl), canary.requests.length]).toEqual([503, 1])
    fail = 2
    expect([await post(gatewayUrl, { 'idempotency-key': 'k' }), canary.requests.length]).toEqual([200, 4])
    fail = 2
    const optedIn = await startGateway(cleanup, canary.url, { pipeline: retrying, upstream: '    retryMethods: [POST]' })
    expect([await post(optedIn.gatewayUrl), canary.requests.length]).toEqual([200, 7])
    await eventually(() => canary.bodies.length === 7)
    expect(new Set(canary.bodies)).toEqual(new Set(['once']))
  })

  it('S30: an upstream says whether to come back: true repeats what its status alone would not, false ends it', async () => {
    const answers: [number, string][] = [
      [400, 'true'],
      [400, 'true'],
      [200, 'true'],
      [503, 'false'],
      [400, 'true'],
    ]
    const canary = await startCanary(cleanup, (_request, response) => {
      const [status, again] = answers.shift() ?? [500, 'false']
      response.writeHead(status, { 'x-should-retry': again }).end()
    })
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      pipeline: '{ attemptTimeout: 5s, retry: { maxAttempts: 3, initialDelay: 1ms } }',
    })
    expect([(await fetch(`${gatewayUrl}/up/x`)).status, canary.requests.length]).toEqual([200, 3])
    expect([(await fetch(`${gatewayUrl}/up/x`)).status, canary.requests.length]).toEqual([503, 4])
    expect([(await fetch(`${gatewayUrl}/up/x`, { method: 'POST' })).status, canary.requests.length]).toEqual([400, 5])
  })
})
