import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, eventually, metric, sendBytes, startCanary, startGateway, startRawUpstream, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** What must never reach any upstream: a whole request that follows the bytes under test. */
const smuggled = 'GET /up/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

describe('framing that two servers could read differently', () => {
  const malformed: readonly [what: string, bytes: string][] = [
    ['CL and TE', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['TE and CL', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
    ['two differing CL', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['two equal CL', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of CL', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello'],
    ['CL +5', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'],
    ['CL -1', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    ['CL 0x5', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello'],
    ['CL beyond 64 bits', `POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nhello`],
    ['empty CL', 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nhello'],
    ['xchunked', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['identity', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n'],
    ['chunked, identity', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    [
      'chunked, then identity',
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
    ],
    ['chunked in quotes', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'],
    ['a vertical tab before chunked', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['a space before a name', 'POST /up/x HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['obs-fold', 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n'],
    ['obs-fold of TE', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n'],
    ['bare LF in the head', 'GET /up/x HTTP/1.1\nHost: a\n\n'],
    ['bare LF between headers', 'GET /up/x HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n'],
    ['bare CR in a header', 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n'],
    ['NUL in a value', 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: b\u0000c\r\n\r\n'],
    ['NUL in a name', 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-\u0000A: b\r\n\r\n'],
    ['an empty name', 'GET /up/x HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n'],
    ['a header without colon', 'GET /up/x HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n'],
    ['no Host', 'GET /up/x HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /up/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a chunk size that is none', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk size with 0x', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size beyond 64 bits', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello'],
    ['a chunk size with a sign', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk longer than it says', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n'],
    ['bare LF after a chunk size', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n'],
    ['CL in a trailer', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n'],
    ['TE in a trailer', 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [
      'a line break in a chunk extension',
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n',
    ],
  ]

  it('S17: is answered with 400, ends the connection, and lets nothing of the rest through', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    for (const [what, bytes] of malformed) {
      const answer = await sendBytes(gatewayUrl, bytes + smuggled)
      expect([what, statusOf(answer), answer.match(/HTTP\/1\.1 /g)?.length]).toEqual([what, 400, 1])
      expect([what, answer.includes('connection: close')]).toEqual([what, true])
    }
    expect(canary.connections).toBe(0)
  })

  it('S17: chunk extensions over their limit are refused, and so is the connection', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const head = 'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await sendBytes(gatewayUrl, `${head}5;${'a'.repeat(20_000)}=b\r\nhello\r\n0\r\n\r\n${smuggled}`)
    expect([statusOf(answer), answer.includes('body-too-large')]).toEqual([413, true])
    expect(canary.connections).toBe(0)
  })

  it('S17: a proper chunked body is told anew: extensions and trailers stay behind, and cannot frame anything', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const answer = await sendBytes(
      gatewayUrl,
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length, X-End\r\n\r\n' +
        '5;name="value"\r\nhello\r\n0\r\nX-End: 1\r\nHost: evil\r\n\r\n' +
        'GET /up/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(canary.bodies.toSorted()).toEqual(['', 'hello'])
    const request = canary.requests.find(({ url }) => url === '/x')
    expect([canary.requests.length, request?.trailers]).toEqual([2, {}])
    expect(request?.headers).toMatchObject({ 'content-length': '5', host: `127.0.0.1:${canary.port}` })
    expect(request?.headers).not.toHaveProperty('trailer')
  })

  it('S17: a GET with a body stays one request', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const body = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
      const head = `${method} /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
      expect([method, statusOf(await sendBytes(gatewayUrl, head + body))]).toEqual([method, 200])
    }
    expect(canary.requests.map(({ url }) => url)).toEqual(['/x', '/x', '/x', '/x'])
    expect(canary.bodies).toEqual([body, body, body, body])
  })

  it('S17: pipelined requests are answered in order, each as itself', async () => {
    const canary = await startCanary(cleanup, (request, response) => {
      // the first takes longer than the second
      if (request.url === '/1') canary.server.once('request', () => response.end('one'))
      else response.end('two')
    })
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const answer = await sendBytes(
      gatewayUrl,
      'GET /up/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /up/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/one[\s\S]*two/)
  })
})

describe('what follows a request whose body was not read', () => {
  it('S17: a body over the limit: 413, the connection ends, and a request hidden behind or inside it goes nowhere', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 10B' })
    const inside = `POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`
    const behind = `POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world${smuggled}`
    const chunked = `POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n${smuggled}`
    for (const bytes of [inside, behind, chunked, inside + smuggled + smuggled]) {
      const answer = await sendBytes(gatewayUrl, bytes)
      expect([statusOf(answer), answer.match(/HTTP\/1\.1 /g)?.length]).toEqual([413, 1])
    }
    expect(canary.connections).toBe(0)
  })

  it('S17: an unknown upstream: its body is no request either', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const answer = await sendBytes(gatewayUrl, `POST /nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${smuggled}`)
    expect([statusOf(answer), answer.match(/HTTP\/1\.1 /g)?.length]).toEqual([404, 1])
    expect(canary.connections).toBe(0)
  })

  it('a refusal without a body keeps the connection', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const client = new RawClient(gatewayUrl).send('GET /nobody HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await client.until(/unknown-upstream[\s\S]*\n$/)).not.toContain('connection: close')
    client.send('GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await client.end()).toMatch(/404 [\s\S]*HTTP\/1\.1 200 /)
  })

  it('S17: the whole answer arrives although the client goes on sending', async () => {
    const canary = await startCanary(cleanup)
    const server = await startGateway(cleanup, canary.url, { gateway: 'maxBodyBytes: 1KiB' })
    const client = new RawClient(server.gatewayUrl)
    client.socket.pause()
    client.send('POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n')
    await eventually(
      async () => (await metric(server, 'holdfast_gateway_requests_total{upstream="up",code="4xx",cause="body-too-large"}')) === 1,
    )
    client.send('x'.repeat(4_000_000)) // a connection that was closed would answer with a reset
    await eventually(() => client.socket.writableLength === 0)
    client.socket.resume()
    const answer = await client.end()
    expect([statusOf(answer), answer.endsWith('}}\n')]).toEqual([413, true])
    expect(canary.connections).toBe(0)
  })
})

describe('answers that could be read differently', () => {
  const answers: readonly [what: string, bytes: string][] = [
    ['CL and TE', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two differing CL', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    ['NUL in a value', 'HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\nContent-Length: 0\r\n\r\n'],
    ['bare CR in a value', 'HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'X-A: aaaaaaaaaaaaaaaaaaaa\r\n'.repeat(2_000)}`],
  ]

  it('S19: become a 502 of the gateway: nothing of them reaches the client', async () => {
    for (const [what, bytes] of answers) {
      const url = await startRawUpstream(cleanup, (socket) => socket.once('data', () => socket.end(bytes, 'latin1')))
      const { gatewayUrl } = await startGateway(cleanup, url)
      const answer = await sendBytes(gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect([what, statusOf(answer), /x-holdfast-cause: upstream-failed/.test(answer), /x-b|x-a|SSH/i.test(answer)]).toEqual([
        what,
        502,
        true,
        false,
      ])
    }
  })

  it('S19: a folded header arrives as one line or not at all', async () => {
    const url = await startRawUpstream(cleanup, (socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nX-A: a\r\n X-B: b\r\nContent-Length: 2\r\n\r\nok')),
    )
    const { gatewayUrl } = await startGateway(cleanup, url)
    const answer = await sendBytes(gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(answer).not.toMatch(/^ ?x-b/im)
  })
})
