import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, breakerOf, eventually, metric, startCanary, startGateway, startRawUpstream, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const get = 'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n'
const openRequests = 'holdfast_gateway_upstream_requests_open{upstream="up"}'

describe('a client that leaves', () => {
  const phases: readonly [when: string, act: (socket: Socket) => void, seen: RegExp | undefined][] = [
    ['before the head of the answer', () => undefined, undefined],
    ['in the middle of a declared body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun'), /begun/],
    ['in the middle of chunks', (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n'), /begun/],
    ['in the middle of a body that ends with its connection', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nbegun'), /begun/],
  ]

  it('S25: ends the request to the upstream, by reset or by goodbye, and the gauge of open ones is 0 again', async () => {
    const asked: Socket[] = []
    let act = (_socket: Socket): void => {}
    const url = await startRawUpstream(cleanup, (socket) => {
      socket.once('data', () => {
        asked.push(socket)
        act(socket)
      })
    })
    const server = await startGateway(cleanup, url, { pipeline: '{ attemptTimeout: 20s, circuitBreaker: { failureThreshold: 1 } }' })
    let count = 0
    for (const [when, answer, seen] of phases) {
      for (const way of ['reset', 'end'] as const) {
        act = answer
        const client = new RawClient(server.gatewayUrl).send(get)
        await eventually(() => asked.length > count)
        if (seen !== undefined) await client.until(seen)
        expect([when, await metric(server, openRequests)]).toEqual([when, 1])
        const upstreamClosed = once(asked[count] as Socket, 'close')
        if (way === 'reset') client.socket.resetAndDestroy()
        else client.socket.destroy()
        await upstreamClosed
        await eventually(async () => (await metric(server, openRequests)) === 0)
        count++
      }
    }
    expect(breakerOf(server).state).toBe('closed')
  })
})

describe('an upstream that dies in the middle of its answer', () => {
  const deaths: readonly [how: string, head: string][] = [
    ['a declared length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npartial'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\npartial\r\n'],
    ['a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npartial'],
    ['a malformed chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\npartial\r\nzz\r\n'],
  ]

  it('S26: takes the connection of the client with it: no end of a body, by goodbye or by reset', async () => {
    for (const [how, bytes] of deaths) {
      for (const way of ['end', 'reset'] as const) {
        const url = await startRawUpstream(cleanup, (socket) => {
          socket.once('data', () => {
            socket.write(bytes)
            // only once the client has its first piece
            socket.once('kill', () => (way === 'end' ? socket.end() : socket.resetAndDestroy()))
            kill = () => socket.emit('kill')
          })
        })
        let kill = (): unknown => undefined
        const server = await startGateway(cleanup, url, { pipeline: '{ attemptTimeout: 20s, circuitBreaker: { failureThreshold: 1 } }' })
        const client = new RawClient(server.gatewayUrl).send(get)
        await client.until(/partial/)
        kill()
        const received = await client.end()
        expect([how, way, received.endsWith('0\r\n\r\n'), received.includes('partial')]).toEqual([how, way, false, true])
        await eventually(() => breakerOf(server).state === 'open')
        expect(await metric(server, openRequests)).toBe(0)
      }
    }
  })

  it('S26: a body that ends with its connection is passed on in chunks, and ends', async () => {
    const url = await startRawUpstream(cleanup, (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')))
    const { gatewayUrl } = await startGateway(cleanup, url)
    const response = await fetch(`${gatewayUrl}/up/x`)
    expect(await response.text()).toBe('all of it')
  })

  it('S26: silence in the middle of an answer ends it too', async () => {
    const url = await startRawUpstream(cleanup, (socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npartial')),
    )
    const server = await startGateway(cleanup, url, { upstream: '    bodyIdleTimeout: 100ms' })
    expect(await new RawClient(server.gatewayUrl).send(get).end()).toMatch(/partial$/)
    expect(await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="2xx",cause="upstream-cut"}')).toBe(1)
  })
})

describe('what the gateway answers for an upstream', () => {
  const cause = async (url: string): Promise<(string | number | null)[]> => {
    const response = await fetch(`${url}/up/x`)
    const { error } = (await response.json()) as { error: { code: string } }
    expect(response.headers.get('x-holdfast-cause')).toBe(error.code)
    return [response.status, error.code, response.headers.get('retry-after')]
  }

  it('S27: refused or unfindable is 502, too late is 504, turned away is 503 or 429 with Retry-After', async () => {
    const gone = await startCanary(cleanup)
    gone.server.close()
    expect(await cause((await startGateway(cleanup, gone.url)).gatewayUrl)).toEqual([502, 'upstream-unreachable', null])
    expect(await cause((await startGateway(cleanup, 'http://nobody.invalid')).gatewayUrl)).toEqual([502, 'upstream-unreachable', null])

    const silent = await startCanary(cleanup, () => undefined)
    expect(await cause((await startGateway(cleanup, silent.url, { pipeline: '{ attemptTimeout: 50ms }' })).gatewayUrl)).toEqual([
      504,
      'timeout',
      null,
    ])
    const total = await startGateway(cleanup, silent.url, { gateway: 'requestTimeout: 50ms' })
    expect(await cause(total.gatewayUrl)).toEqual([504, 'deadline-exceeded', null])

    const open = await startGateway(cleanup, silent.url, { pipeline: '{ attemptTimeout: 5s, circuitBreaker: { openFor: 30s } }' })
    breakerOf(open).forceOpen()
    expect(await cause(open.gatewayUrl)).toEqual([503, 'circuit-open', '30'])

    const canary = await startCanary(cleanup)
    const limited = await startGateway(cleanup, canary.url, { pipeline: '{ attemptTimeout: 5s, rateLimiter: { limit: 1, window: 1h } }' })
    await fetch(`${limited.gatewayUrl}/up/x`)
    const [status, code, retryAfter] = await cause(limited.gatewayUrl)
    expect([status, code, Number(retryAfter) > 0]).toEqual([429, 'rate-limited', true])

    const full = await startGateway(cleanup, silent.url, { pipeline: '{ attemptTimeout: 5s, bulkhead: { maxConcurrent: 1 } }' })
    const holder = new RawClient(full.gatewayUrl).send(get)
    await eventually(async () => (await metric(full, openRequests)) === 1)
    expect((await cause(full.gatewayUrl)).slice(0, 2)).toEqual([503, 'bulkhead-full'])
    holder.socket.destroy()
  })

  it('S27: an upstream that hangs up without a word is a 502', async () => {
    const url = await startRawUpstream(cleanup, (socket) => socket.once('data', () => socket.end()))
    expect(await cause((await startGateway(cleanup, url)).gatewayUrl)).toEqual([502, 'upstream-failed', null])
    const reset = await startRawUpstream(cleanup, (socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await cause((await startGateway(cleanup, reset)).gatewayUrl)).toEqual([502, 'upstream-failed', null])
  })

  it('S27: the time for connecting is the upstream’s own setting', async () => {
    // 192.0.2.0/24 is for documentation: nobody answers there. Where there is no way to it at all, that is told at once.
    const { gatewayUrl } = await startGateway(cleanup, 'http://192.0.2.1:81', { upstream: '    connectTimeout: 100ms' })
    expect(statusOf(await new RawClient(gatewayUrl).send(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')).end())).toBe(502)
  })
})
