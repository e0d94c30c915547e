import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, eventually, metric, sendBytes, startCanary, startGateway, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('clients that take their time', () => {
  it('S21: headers that come byte by byte end in a 408 when their time is up, although something keeps coming', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'headersTimeout: 300ms, bodyTimeout: 100ms' })
    const client = await new RawClient(gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n').connected()
    const drip = setInterval(() => client.send('X'), 20)
    cleanup.add(() => clearInterval(drip))
    const answer = await client.end()
    expect([statusOf(answer), answer.includes('x-holdfast-cause: request-timeout')]).toEqual([408, true])
    expect(canary.connections).toBe(0)
  })

  it('S21: so do bodies, declared or chunked', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'headersTimeout: 200ms, bodyTimeout: 100ms' })
    for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
      const client = await new RawClient(gatewayUrl).send(`POST /up/x HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`).connected()
      const drip = setInterval(() => client.send(framing.startsWith('T') ? '1\r\nx\r\n' : 'x'), 20)
      cleanup.add(() => clearInterval(drip))
      expect(statusOf(await client.end())).toBe(408)
    }
    expect(canary.connections).toBe(0)
  })

  it('S21: 500 of them beside normal traffic: every normal request is answered, and every slow one is ended', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, {
      gateway: 'headersTimeout: 2s, bodyTimeout: 1s, maxConnections: 2000, maxConnectionsPerAddress: 1000',
    })
    const slow = Array.from({ length: 500 }, (_, index) =>
      new RawClient(server.gatewayUrl).send(
        index % 2 === 0 ? 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-Slow: ' : 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx',
      ),
    )
    cleanup.add(() => slow.forEach(({ socket }) => socket.destroy()))
    await Promise.all(slow.map((client) => client.connected()))
    const statuses = await Promise.all(
      Array.from({ length: 100 }, () =>
        sendBytes(server.gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').then(statusOf),
      ),
    )
    expect(statuses).toEqual(Array.from({ length: 100 }, () => 200))
    const ends = await Promise.all(slow.map((client) => client.end()))
    expect(new Set(ends.map(statusOf))).toEqual(new Set([408]))
    expect(canary.requests).toHaveLength(100)
    await eventually(async () => (await metric(server, 'holdfast_gateway_requests_in_flight')) === 0)
  })

  it('a client that takes nothing of its answer gives its place back', async () => {
    let left = (): void => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const canary = await startCanary(cleanup, (_request, response) => {
      response.once('close', left)
      const chunk = Buffer.alloc(1024 * 1024)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more)
      }
      more()
    })
    const server = await startGateway(cleanup, canary.url, {
      gateway: 'clientIdleTimeout: 200ms',
      pipeline: '{ attemptTimeout: 5s, bulkhead: { maxConcurrent: 1 } }',
    })
    const client = new RawClient(server.gatewayUrl)
    client.socket.pause()
    client.send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')
    await leaving
    await eventually(async () => (await metric(server, 'holdfast_gateway_upstream_requests_open{upstream="up"}')) === 0)
    expect(await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="4xx",cause="client-stalled"}')).toBe(1)
    client.socket.destroy()
  })
})

describe('too many connections', () => {
  it('S24: of one address: 503 with Retry-After and a cause, nothing read, and room again when one leaves', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, { gateway: 'maxConnectionsPerAddress: 3' })
    const ask = 'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n'
    const held = [1, 2, 3].map(() => new RawClient(server.gatewayUrl).send(ask))
    await Promise.all(held.map((client) => client.until(/fine$/)))
    for (let extra = 0; extra < 20; extra++) {
      const answer = await sendBytes(server.gatewayUrl, ask)
      expect(statusOf(answer)).toBe(503)
      expect(answer).toMatch(/retry-after: 1\r\n[\s\S]*"code":"too-many-connections"/)
    }
    expect(canary.requests).toHaveLength(3)
    expect(await metric(server, 'holdfast_gateway_turned_away_total{cause="too-many-connections"}')).toBe(20)
    held[0]?.socket.destroy()
    await eventually(
      async () => statusOf(await sendBytes(server.gatewayUrl, ask.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))) === 200,
    )
    for (const { socket } of held) socket.destroy()
  })

  it('S24: in all, and a crowd beyond that is cut without harm', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxConnections: 5' })
    const held = Array.from({ length: 5 }, () => new RawClient(gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n'))
    await Promise.all(held.map((client) => client.until(/fine$/)))
    const crowd = Array.from({ length: 600 }, () => new RawClient(gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n'))
    const ends = await Promise.all(crowd.map((client) => client.end()))
    expect(ends.every((answer) => answer === '' || statusOf(answer) === 503)).toBe(true)
    expect(ends.some((answer) => statusOf(answer) === 503)).toBe(true)
    expect(canary.requests).toHaveLength(5)
    held[0]?.send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await held[0]?.until(/fine[\s\S]*fine$/)).toMatch(/fine[\s\S]*fine$/)
    for (const { socket } of held) {
      socket.destroy()
      await once(socket, 'close')
    }
  })
})
