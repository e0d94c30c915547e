import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { bulkhead, circuitBreaker, pipeline, retry, timeout } from 'holdfast'
import { UpstreamFailure } from './answer.ts'
import { sendRaw, startGateway, startUpstream, type TestGateway, type TestGatewayOptions, type TestUpstream } from './gateway.fixture.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close()
})

async function set(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  options: TestGatewayOptions = {},
): Promise<{ upstream: TestUpstream; gateway: TestGateway }> {
  const upstream = await startUpstream(handle)
  open.push(upstream)
  const gateway = await startGateway(upstream.port, options)
  open.push(gateway)
  return { upstream, gateway }
}

const answerOk = (_request: IncomingMessage, response: ServerResponse): void => void response.end('fine')
const breakerRules = {
  isFailure: (error: unknown) => !(error instanceof UpstreamFailure) || error.judgement.countsAsFailure,
  ignore: (error: unknown) => error instanceof UpstreamFailure && error.status === 429,
}
const retryRules = {
  initialDelay: 1,
  retryOn: (error: unknown) => (error instanceof UpstreamFailure ? error.judgement.worthRetrying : true),
  idempotent: (call: { readonly context: unknown }) => (call.context as { readonly idempotent: boolean }).idempotent,
  onRetry: ({ error }: { readonly error: unknown }) => {
    if (error instanceof UpstreamFailure) error.answer.discard()
  },
}

describe('passing on', () => {
  it('keeps method, path, query, body, status and headers', async () => {
    const { upstream, gateway } = await set((request, response) => {
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
    open.push(upstream)
    const gateway = await startGateway(upstream.port, { route: { url: new URL(`http://127.0.0.1:${upstream.port}/base/`) } })
    open.push(gateway)
    expect(await (await fetch(`${gateway.url}/up/x`)).text()).toBe(`127.0.0.1:${upstream.port} /base/x`)
  })

  it('sets configured headers in place of those of the client', async () => {
    const { upstream, gateway } = await set(answerOk, { route: { headers: new Map([['authorization', 'Bearer configured']]) } })
    await fetch(`${gateway.url}/up/x`, { headers: { Authorization: 'Bearer of the client' } })
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer configured')
  })

  it('18: strips hop-by-hop headers both ways, also those that Connection names', async () => {
    const { upstream, gateway } = await set((_request, response) => {
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
    const { upstream, gateway } = await set(answerOk)
    await fetch(`${gateway.url}/up/x`, { headers: { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' } })
    expect(upstream.requests[0]?.headers['x-forwarded-for']).toBe('127.0.0.1')
    expect(upstream.requests[0]?.headers).not.toHaveProperty('forwarded')
    const behindProxy = await startGateway(upstream.port, { gateway: { isTrustedProxy: (address) => address === '127.0.0.1' } })
    open.push(behindProxy)
    await fetch(`${behindProxy.url}/up/x`, { headers: { 'x-forwarded-for': '6.6.6.6, 10.0.0.1' } })
    expect(upstream.requests[1]?.headers['x-forwarded-for']).toBe('10.0.0.1')
  })

  it('passes a HEAD and a 304 on without inventing a body', async () => {
    const { gateway } = await set((request, response) => {
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
      const { upstream, gateway } = await set(answerOk)
      expect(await sendRaw(gateway.port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
        new RegExp(`^HTTP/1.1 ${status} `),
      )
      expect(upstream.requests).toHaveLength(0)
    })
  }

  it('refuses two Host headers, and a target that is too long', async () => {
    const { upstream, gateway } = await set(answerOk)
    expect(await sendRaw(gateway.port, 'GET /up/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await sendRaw(gateway.port, `GET /up/${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 414 /,
    )
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('what goes wrong', () => {
  it('27: an upstream that cannot be reached is a 502 with a cause a machine can read', async () => {
    const gone = await startUpstream(answerOk)
    await gone.close()
    const gateway = await startGateway(gone.port)
    open.push(gateway)
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-holdfast-cause')]).toEqual([502, 'upstream-unreachable'])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await response.json()).toMatchObject({ error: { type: 'holdfast_error', code: 'upstream-unreachable', upstream: 'up' } })
  })

  it('27: an upstream that does not answer in time is a 504, and the attempt is ended there', async () => {
    let left: () => void = () => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const { gateway } = await set((_request, response) => void response.once('close', left), { policy: () => pipeline(timeout(50)) })
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-holdfast-cause')]).toEqual([504, 'timeout'])
    await leaving
  })

  it('27: an open circuit is a 503 with Retry-After, and nothing is sent', async () => {
    const breaker = circuitBreaker({ name: 'up', openFor: '30s' })
    breaker.forceOpen()
    const { upstream, gateway } = await set(answerOk, { policy: () => breaker })
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-holdfast-cause'), response.headers.get('retry-after')]).toEqual([
      503,
      'circuit-open',
      '30',
    ])
    expect(upstream.requests).toHaveLength(0)
  })

  it('a 5xx counts for the breaker and is passed on as it came', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, ...breakerRules })
    const { gateway } = await set((_request, response) => void response.writeHead(503, { 'x-own': 'yes' }).end('its own words'), {
      policy: () => breaker,
    })
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([503, 'yes', 'its own words'])
    expect(breaker.state).toBe('open')
  })

  it('47: a 429 pauses the quota for all callers, and is no failure for the breaker', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, ...breakerRules })
    const { upstream, gateway } = await set((_request, response) => void response.writeHead(429, { 'retry-after': '30' }).end(), {
      policy: (quota) => pipeline(breaker, quota),
    })
    expect((await fetch(`${gateway.url}/up/x`)).status).toBe(429)
    const second = await fetch(`${gateway.url}/up/x`)
    expect([second.status, second.headers.get('x-holdfast-cause')]).toEqual([429, 'quota-paused'])
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(29)
    expect([breaker.state, upstream.requests.length]).toEqual(['closed', 1])
  })

  it('26: an upstream that dies in the middle of its answer takes the client’s connection with it', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, ...breakerRules })
    const { gateway } = await set(
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('partial', () => response.destroy())
      },
      { policy: () => breaker },
    )
    const response = await fetch(`${gateway.url}/up/x`)
    await expect(response.text()).rejects.toThrow()
    expect(await gateway.record(0)).toMatchObject({ status: 200, cause: 'upstream-cut', bytes: 7 })
    expect(breaker.state).toBe('open')
  })

  it('23: a body over the limit is a 413, whether its length is declared or not', async () => {
    const { upstream, gateway } = await set(answerOk, { route: { maxBodyBytes: 1_000, maxHeldBytes: 1_000 } })
    expect((await fetch(`${gateway.url}/up/x`, { method: 'POST', body: 'x'.repeat(1_001) })).status).toBe(413)
    const chunked = httpRequest(`${gateway.url}/up/x`, { method: 'POST' })
    chunked.on('error', () => undefined)
    chunked.write('x'.repeat(600))
    chunked.write('x'.repeat(600))
    const [response] = (await once(chunked, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(413)
    chunked.destroy()
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('trying again', () => {
  it('repeats an idempotent request, and says how often it was sent', async () => {
    let failures = 2
    const { upstream, gateway } = await set(
      (_request, response) => {
        if (failures-- > 0) response.writeHead(503).end('no')
        else response.end('at last')
      },
      { policy: () => pipeline(retry(retryRules)) },
    )
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, await response.text(), response.headers.get('x-holdfast-attempts')]).toEqual([200, 'at last', '3'])
    expect(upstream.requests).toHaveLength(3)
  })

  it('30: does not repeat a POST that may have had its effect, but one with an Idempotency-Key, and the body with it', async () => {
    const bodies: string[] = []
    const { gateway } = await set(
      (request, response) => {
        let body = ''
        request.on('data', (chunk: Buffer) => (body += chunk.toString()))
        request.on('end', () => {
          bodies.push(body)
          response.writeHead(503).end()
        })
      },
      { policy: () => pipeline(retry(retryRules)) },
    )
    await fetch(`${gateway.url}/up/x`, { method: 'POST', body: 'once' })
    await fetch(`${gateway.url}/up/x`, { method: 'POST', body: 'again', headers: { 'idempotency-key': 'k1' } })
    expect(bodies).toEqual(['once', 'again', 'again', 'again'])
  })

  it('30: never replays a body that was too large to hold', async () => {
    const { upstream, gateway } = await set(
      (request, response) => {
        request.resume()
        request.on('end', () => response.writeHead(503).end())
      },
      { policy: () => pipeline(retry(retryRules)), route: { maxHeldBytes: 10 } },
    )
    const response = await fetch(`${gateway.url}/up/x`, { method: 'PUT', body: 'x'.repeat(50_000) })
    expect([response.status, upstream.requests.length]).toEqual([503, 1])
  })
})

describe('streams', () => {
  it('29: passes each event on when it comes', async () => {
    let next: () => void = () => {}
    const { gateway } = await set((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      next = () => void response.end('data: 2\n\n')
    })
    const response = await fetch(`${gateway.url}/up/x`)
    const reader = response.body?.getReader()
    const text = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value)
    expect(await text()).toBe('data: 1\n\n') // the second is not even written yet
    next()
    expect(await text()).toBe('data: 2\n\n')
  })

  it('a streamed answer holds its place and is judged at its end', async () => {
    const breaker = circuitBreaker()
    const places = bulkhead({ maxConcurrent: 1 })
    let end: () => void = () => {}
    const { gateway } = await set(
      (_request, response) => {
        response.write('begun')
        end = () => void response.end()
      },
      { policy: () => pipeline(breaker, places) },
    )
    const response = await fetch(`${gateway.url}/up/x`)
    expect([places.status().running, breaker.status().successTotal]).toEqual([1, 0])
    expect((await fetch(`${gateway.url}/up/x`)).headers.get('x-holdfast-cause')).toBe('bulkhead-full')
    end()
    await response.text()
    expect([places.status().running, breaker.status().successTotal]).toEqual([0, 1])
  })

  it('25: a client that leaves takes the request to the upstream with it, and no policy blames the upstream', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, ...breakerRules })
    const places = bulkhead({ maxConcurrent: 1 })
    let left: () => void = () => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const { gateway } = await set(
      (_request, response) => {
        response.write('begun')
        response.once('close', left)
      },
      { policy: () => pipeline(breaker, places) },
    )
    const controller = new AbortController()
    const response = await fetch(`${gateway.url}/up/x`, { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await leaving
    expect(await gateway.record(0)).toMatchObject({ status: 499, cause: 'client-left' })
    expect([breaker.state, breaker.status().failureTotal, places.status().running]).toEqual(['closed', 0, 0])
  })

  it('25: a client that leaves before the answer is heard too', async () => {
    let left: () => void = () => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    let asked: () => void = () => {}
    const asking = new Promise<void>((resolve) => (asked = resolve))
    const { gateway } = await set((_request, response) => {
      response.once('close', left)
      asked()
    })
    const controller = new AbortController()
    const response = fetch(`${gateway.url}/up/x`, { signal: controller.signal })
    await asking
    controller.abort()
    await expect(response).rejects.toThrow()
    await leaving
    expect(await gateway.record(0)).toMatchObject({ status: 499, cause: 'client-left', attempts: 1 })
  })

  it('28: a slow client makes the upstream wait, instead of filling the memory between them', async () => {
    const total = 64 * 1024 * 1024
    let sent = 0
    const { gateway } = await set((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (sent < total) {
          sent += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    })
    const outgoing = httpRequest(`${gateway.url}/up/x`)
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.pause()
    let before = -1
    while (before !== sent) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 100)) // until nothing moves any more
    }
    expect(sent).toBeLessThan(total / 2)
    let received = 0
    response.on('data', (chunk: Buffer) => (received += chunk.length))
    response.resume()
    await once(response, 'end')
    expect(received).toBe(total)
  })

  it('32: closing lets the request under way finish and takes no new connection', async () => {
    let end: () => void = () => {}
    const { gateway } = await set((_request, response) => {
      response.write('begun ')
      end = () => void response.end('ended')
    })
    const response = await fetch(`${gateway.url}/up/x`)
    const closed = gateway.gateway.close(5_000)
    await expect(fetch(`${gateway.url}/up/y`)).rejects.toThrow()
    end()
    expect(await response.text()).toBe('begun ended')
    await closed
    expect(gateway.gateway.inFlight).toBe(0)
  })
})

describe('connections', () => {
  it('32: closing does not wait for a connection that has never asked anything', async () => {
    const { gateway } = await set(answerOk)
    const silent = connect(gateway.port, '127.0.0.1')
    await once(silent, 'connect')
    await fetch(`${gateway.url}/up/x`) // the server has seen the connection by now
    await gateway.gateway.close(60_000)
    expect(gateway.gateway.server.listening).toBe(false)
    silent.destroy()
  })

  it('24: more connections of one address than allowed are answered with 503 at once', async () => {
    const { gateway } = await set(answerOk, { gateway: { maxConnectionsPerAddress: 1 } })
    const first = httpRequest(`${gateway.url}/up/x`, { method: 'POST' }) // keeps its connection: its body does not end
    first.on('error', () => undefined)
    first.write('x')
    await once(first, 'socket')
    await new Promise<void>((resolve) => (first.socket?.connecting === true ? first.socket.once('connect', () => resolve()) : resolve()))
    expect(await sendRaw(gateway.port, 'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 503 [\s\S]*too-many-connections/)
    first.destroy()
  })
})
