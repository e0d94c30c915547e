import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { sendBytes, startCanary, startGateway, startRawUpstream, statusOf } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const hopByHop = ['keep-alive', 'proxy-authorization', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'http2-settings']

describe('headers of one connection', () => {
  it('S18: of a request stay here: those that are known, and those that Connection names, however it is written', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const head = hopByHop.map((name) => `${name}: told\r\n`).join('')
    await sendBytes(
      gatewayUrl,
      `GET /up/x HTTP/1.1\r\nHost: a\r\n${head}Connection: X-One ,\tx-two\r\nCONNECTION: close, X-THREE,,\r\nx-one: 1\r\nX-Two: 2\r\nx-three: 3\r\nX-End: 1\r\n\r\n`,
    )
    const headers = canary.requests[0]?.headers ?? {}
    expect(headers['x-end']).toBe('1')
    for (const name of [...hopByHop, 'x-one', 'x-two', 'x-three']) expect([name, headers[name]]).toEqual([name, undefined])
    expect(headers.connection).not.toContain('X-')
  })

  it('S18: naming a header in Connection takes nothing away that the gateway tells the upstream', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      upstream: "    headers: { authorization: 'Bearer configured', x-tenant: one }",
    })
    await sendBytes(
      gatewayUrl,
      'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close, host, content-length, authorization, x-tenant, x-forwarded-for, x-request-id\r\n\r\nhi',
    )
    expect(canary.requests[0]?.headers).toMatchObject({
      host: `127.0.0.1:${canary.port}`,
      'content-length': '2',
      authorization: 'Bearer configured',
      'x-tenant': 'one',
      'x-forwarded-for': '127.0.0.1',
    })
    expect(canary.bodies).toEqual(['hi'])
  })

  it('S18: an Idempotency-Key that stays here makes nothing repeatable', async () => {
    const canary = await startCanary(cleanup, (_request, response) => void response.writeHead(503).end())
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      pipeline: '{ attemptTimeout: 5s, retry: { maxAttempts: 3, initialDelay: 1ms } }',
    })
    const post = (more: string): Promise<string> =>
      sendBytes(gatewayUrl, `POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nIdempotency-Key: k\r\nConnection: close${more}\r\n\r\n`)
    await post(', idempotency-key')
    expect(canary.requests).toHaveLength(1)
    await post('')
    expect(canary.requests).toHaveLength(4)
  })

  it('S18: of an answer stay here as well', async () => {
    const told = hopByHop.map((name) => `${name}: told\r\n`).join('')
    const head = `HTTP/1.1 200 OK\r\nConnection: X-One, x-two\r\nx-one: 1\r\nX-Two: 2\r\n${told}X-End: 1\r\nContent-Length: 0\r\n\r\n`
    const url = await startRawUpstream(cleanup, (socket) => socket.once('data', () => socket.write(head)))
    const { gatewayUrl } = await startGateway(cleanup, url)
    const answer = await sendBytes(gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^x-end: 1/im)
    for (const name of ['x-one', 'x-two', ...hopByHop.slice(1)])
      expect([name, new RegExp(`^${name}:`, 'im').test(answer)]).toEqual([name, false])
  })
})

describe('headers the gateway makes', () => {
  it('S19: a request id that could be anything but a word is replaced; a sane one goes up and comes back', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const ask = (id: string): Promise<string> =>
      sendBytes(gatewayUrl, `GET /up/x HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n`)
    const seen = (): unknown => canary.requests.at(-1)?.headers['x-request-id']
    const told = (answer: string): string | undefined => /^x-request-id: (.*)\r$/im.exec(answer)?.[1]
    expect([told(await ask('order-7.a:b')), seen()]).toEqual(['order-7.a:b', 'order-7.a:b'])
    for (const id of ['a b', '<img>', '"x"', 'a\u00e9', 'x'.repeat(129), '', '-x', '${jndi:x}', "';--"]) {
      const answer = await ask(id)
      expect(told(answer)).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
      expect(seen()).toBe(told(answer))
    }
  })

  it('the id of a request comes back with every answer, and an upstream keeps its own', async () => {
    const canary = await startCanary(
      cleanup,
      (_request, response) => void response.writeHead(200, { 'x-request-id': 'req_of_upstream' }).end(),
    )
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const headers = { 'x-request-id': 'mine' }
    const answered = await fetch(`${gatewayUrl}/up/x`, { headers })
    expect([answered.headers.get('x-request-id'), answered.headers.get('x-holdfast-request-id')]).toEqual(['req_of_upstream', 'mine'])
    expect((await fetch(`${gatewayUrl}/nobody`, { headers })).headers.get('x-request-id')).toBe('mine')
  })

  it('S19: what a client or upstream wrote never breaks a line of ours: causes, messages, fallback names', async () => {
    const canary = await startCanary(cleanup, (_request, response) => void response.writeHead(500).end())
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      pipeline: '{ attemptTimeout: 5s, fallback: { status: 200, body: spare } }',
    })
    const answer = await sendBytes(gatewayUrl, 'GET /up/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^x-holdfast-fallback: up\r$/im)
    const odd = await sendBytes(gatewayUrl, 'GET /no%0d%0aX-Evil:1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect([statusOf(odd), /^x-evil/im.test(odd)]).toEqual([400, false])
  })

  it('trace headers pass untouched', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1,b=2' }
    await fetch(`${gatewayUrl}/up/x`, { headers })
    expect(canary.requests[0]?.headers).toMatchObject(headers)
  })
})

describe('who asks', () => {
  const claims =
    'X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-For: 10.8.8.8\r\nForwarded: for=10.9.9.9;proto=https\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 10.9.9.9\r\n'
  const ask = (url: string, head: string): Promise<string> =>
    sendBytes(url, `GET /up/x HTTP/1.1\r\nHost: a.example\r\n${head}Connection: close\r\n\r\n`)

  it('S20: what a client says of itself is replaced', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    await ask(gatewayUrl, claims)
    const headers = canary.requests[0]?.headers ?? {}
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'a.example' })
    for (const name of ['forwarded', 'x-forwarded-port', 'x-real-ip']) expect(headers).not.toHaveProperty(name)
  })

  it('S20: a trusted proxy is believed, up to the first address that no trusted proxy stands for', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: "trustedProxies: ['127.0.0.0/8', '10.0.0.0/8']" })
    const seen = async (head: string): Promise<unknown> => {
      await ask(gatewayUrl, head)
      return canary.requests.at(-1)?.headers['x-forwarded-for']
    }
    expect(await seen('X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.1.1\r\n')).toBe('203.0.113.7')
    expect(await seen('X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.7\r\n')).toBe('203.0.113.7')
    expect(await seen('X-Forwarded-For: 203.0.113.7:4711\r\n')).toBe('203.0.113.7')
    expect(await seen('X-Forwarded-For: [2001:DB8::7]:4711\r\n')).toBe('2001:db8::7')
    expect(await seen('X-Forwarded-For: ::ffff:203.0.113.7\r\n')).toBe('203.0.113.7')
    expect(await seen('X-Forwarded-For: 203.0.113.7, unknown\r\n')).toBe('127.0.0.1')
    expect(await seen('X-Forwarded-For: <script>\r\n')).toBe('127.0.0.1')
    expect(await seen('')).toBe('127.0.0.1')
  })

  it('S20: its word for protocol and host counts too, if it could be one', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { gateway: "trustedProxies: ['127.0.0.1']" })
    await ask(gatewayUrl, 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example:444\r\n')
    expect(canary.requests[0]?.headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example:444' })
    await ask(gatewayUrl, 'X-Forwarded-Proto: javascript\r\nX-Forwarded-Host: evil/../"x\r\n')
    expect(canary.requests[1]?.headers).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'a.example' })
  })

  it('S20: another spelling of an address does not reset a limit per client', async () => {
    const canary = await startCanary(cleanup)
    const pipeline = '{ attemptTimeout: 5s, rateLimiter: { limit: 2, window: 1h, key: client } }'
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { pipeline })
    const statuses: number[] = []
    for (const claim of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '::ffff:10.0.0.4'])
      statuses.push(statusOf(await ask(gatewayUrl, `X-Forwarded-For: ${claim}\r\nForwarded: for=${claim}\r\nX-Real-IP: ${claim}\r\n`)))
    expect(statuses).toEqual([200, 200, 429, 429])
    const behind = await startGateway(cleanup, canary.url, { pipeline, gateway: "trustedProxies: ['127.0.0.1']" })
    const spelt: number[] = []
    for (const claim of ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7:99', '198.51.100.1'])
      spelt.push(statusOf(await ask(behind.gatewayUrl, `X-Forwarded-For: ${claim}\r\n`)))
    expect(spelt).toEqual([200, 200, 429, 200])
  })

  it('an upstream is told as its settings say: in the form of RFC 7239, in both, or not at all', async () => {
    const canary = await startCanary(cleanup)
    const forwarded = async (style: string, gateway: string, head: string): Promise<Record<string, unknown>> => {
      const { gatewayUrl } = await startGateway(cleanup, canary.url, { upstream: `    forwarded: ${style}`, gateway })
      await ask(gatewayUrl, head)
      const headers = canary.requests.at(-1)?.headers ?? {}
      return { forwarded: headers['forwarded'], for: headers['x-forwarded-for'] }
    }
    expect(await forwarded('rfc7239', '', claims)).toEqual({ forwarded: 'for=127.0.0.1;host="a.example";proto=http', for: undefined })
    expect(await forwarded('both', "trustedProxies: ['127.0.0.1']", 'X-Forwarded-For: 2001:db8::7\r\n')).toEqual({
      forwarded: 'for="[2001:db8::7]";host="a.example";proto=http',
      for: '2001:db8::7',
    })
    expect(await forwarded('none', '', claims)).toEqual({ forwarded: undefined, for: undefined })
  })
})
