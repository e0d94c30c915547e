import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { circuitBreaker, pipeline, retry, timeout } from 'holdfast'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOk, breakerRules, GatewayTests, retryRules, startGateway, startUpstream } from './gateway.fixture.ts'

const tests = new GatewayTests()
afterEach(() => tests.closeAll())

describe('what goes wrong', () => {
  it('27: an upstream that cannot be reached is a 502 with a cause a machine can read', async () => {
    const gone = await startUpstream(answerOk)
    await gone.close()
    const gateway = await startGateway(gone.port)
    tests.open(gateway)
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-holdfast-cause')]).toEqual([502, 'upstream-unreachable'])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await response.json()).toMatchObject({ error: { type: 'holdfast_error', code: 'upstream-unreachable', upstream: 'up' } })
  })

  it('27: an upstream that does not answer in time is a 504, and the attempt is ended there', async () => {
    let left: () => void = () => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const { gateway } = await tests.set((_request, response) => void response.once('close', left), { policy: () => pipeline(timeout(50)) })
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-holdfast-cause')]).toEqual([504, 'timeout'])
    await leaving
  })

  it('27: an open circuit is a 503 with Retry-After, and nothing is sent', async () => {
    const breaker = circuitBreaker({ name: 'up', openFor: '30s' })
    breaker.forceOpen()
    const { upstream, gateway } = await tests.set(answerOk, { policy: () => breaker })
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
    const { gateway } = await tests.set((_request, response) => void response.writeHead(503, { 'x-own': 'yes' }).end('its own words'), {
      policy: () => breaker,
    })
    const response = await fetch(`${gateway.url}/up/x`)
    expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([503, 'yes', 'its own words'])
    expect(breaker.state).toBe('open')
  })

  it('an error that is left after several attempts tells clients not to ask again; after one attempt it is theirs to decide', async () => {
    const { upstream, gateway } = await tests.set((_request, response) => void response.writeHead(500).end(), {
      policy: () => retry({ ...retryRules, maxAttempts: 2 }),
    })
    const repeated = await fetch(`${gateway.url}/up/x`)
    expect([repeated.status, repeated.headers.get('x-holdfast-attempts'), repeated.headers.get('x-should-retry')]).toEqual([
      500,
      '2',
      'false',
    ])
    const posted = await fetch(`${gateway.url}/up/x`, { method: 'POST' })
    expect([posted.status, posted.headers.get('x-should-retry')]).toEqual([500, null])
    expect(upstream.requests).toHaveLength(3)
  })

  it('47: a 429 pauses the quota for all callers, and is no failure for the breaker', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, ...breakerRules })
    const { upstream, gateway } = await tests.set((_request, response) => void response.writeHead(429, { 'retry-after': '30' }).end(), {
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
    const { gateway } = await tests.set(
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
    const { upstream, gateway } = await tests.set(answerOk, { route: { maxBodyBytes: 1_000, maxHeldBytes: 1_000 } })
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
    const { upstream, gateway } = await tests.set(
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
    const { gateway } = await tests.set(
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
    const { upstream, gateway } = await tests.set(
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
