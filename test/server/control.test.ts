import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup, operator, reader, startHoldfast, startHttp, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function failing(): Promise<TestServer> {
  const url = await startHttp((_request, response) => void response.writeHead(500).end(), cleanup)
  return await startHoldfast(
    `upstreams:\n  llm:\n    url: ${url}\n    pipeline: { circuitBreaker: { failureThreshold: 1, openFor: 60s } }\n`,
    cleanup,
  )
}

async function json(url: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(url, init)
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers }
}

const breakerPath = '/api/v1/policies/circuit-breaker/llm'

describe('health', () => {
  it('34: health, readiness and liveness are different questions', async () => {
    const server = await failing()
    expect(await json(`${server.controlUrl}/health`)).toMatchObject({
      status: 200,
      body: { status: 'pass', summary: 'healthy', ready: true },
    })
    await fetch(`${server.gatewayUrl}/llm/x`)
    const health = await json(`${server.controlUrl}/health`, { headers: reader })
    expect(health).toMatchObject({
      status: 200,
      body: { status: 'warn', summary: 'degraded', ready: true, components: { 'circuit-breaker/llm': { status: 'warn' } } },
    })
    expect(await json(`${server.controlUrl}/health/ready`)).toMatchObject({ status: 200, body: { ready: true } })
    expect(await json(`${server.controlUrl}/health/alive`)).toMatchObject({ status: 200, body: { alive: true } })
  })

  it('19, 20: a critical dependency that is down decides readiness, and never liveness', async () => {
    const server = await startHoldfast(
      `upstreams:\n  db:\n    url: http://127.0.0.1:9\n    health: { critical: true, deep: false }\n`,
      cleanup,
    )
    expect(await json(`${server.controlUrl}/health/ready`)).toMatchObject({ status: 503, body: { ready: false } })
    expect((await json(`${server.controlUrl}/health`)).status).toBe(503)
    expect((await json(`${server.controlUrl}/health/alive`)).status).toBe(200)
  })

  it('34: says details only to those with a token, and the reasons to all', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    const open = await json(`${server.controlUrl}/health`)
    expect(open.body).not.toHaveProperty('components')
    expect(open.body['reasons']).toEqual([expect.stringContaining("circuit breaker 'llm' is open")])
  })

  it('26: speaks health+json when asked: warn is 200, checks are lists', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    const response = await json(`${server.controlUrl}/health`, { headers: { ...reader, accept: 'application/health+json' } })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/health+json'])
    expect(response.body).toMatchObject({ status: 'warn', checks: { 'circuit-breaker/llm:state': [{ status: 'warn' }] } })
  })
})

describe('changes', () => {
  it('2, 3: need a token that may change things', async () => {
    const server = await failing()
    const body = JSON.stringify({ action: 'isolate', reason: 'test' })
    const anonymous = await json(`${server.controlUrl}${breakerPath}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="holdfast"'])
    expect((await json(`${server.controlUrl}${breakerPath}`, { method: 'POST', body, headers: reader })).status).toBe(403)
    expect(
      (
        await json(`${server.controlUrl}${breakerPath}?token=operator-token-0123456789`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(401)
    expect(server.system.get('circuit-breaker/llm').status()['state']).toBe('closed')
  })

  it('isolates, says who and why, turns requests away, and closes again', async () => {
    const server = await failing()
    const isolated = await json(`${server.controlUrl}${breakerPath}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'isolate', reason: 'maintenance', expiresIn: '1h' }),
      headers: operator,
    })
    expect(isolated).toMatchObject({
      status: 200,
      body: { status: { state: 'isolated' }, forced: { by: 'operator', reason: 'maintenance', action: 'isolate' } },
    })
    expect((await fetch(`${server.gatewayUrl}/llm/x`)).headers.get('x-holdfast-cause')).toBe('circuit-isolated')
    const closed = await json(`${server.controlUrl}${breakerPath}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'close', reason: 'done' }),
      headers: operator,
    })
    expect(closed.body).toMatchObject({ status: { state: 'closed' }, forced: null })
    const { body } = await json(`${server.controlUrl}/api/v1/events`)
    const changes = (body['events'] as { readonly type: string; readonly data: object }[]).filter(({ type }) => type === 'control.changed')
    expect(changes.map(({ data }) => data)).toMatchObject([
      { action: 'isolate', by: 'operator', reason: 'maintenance' },
      { action: 'close' },
    ])
  })

  it('forced open lasts until it expires, not until a probe succeeds', async () => {
    const server = await failing()
    await json(`${server.controlUrl}${breakerPath}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'force-open', reason: 'test', expiresIn: '1s' }),
      headers: operator,
    })
    expect(server.system.get('circuit-breaker/llm').status()).toMatchObject({ state: 'open', nextAttemptAt: null })
    const events = await fetch(`${server.controlUrl}/events`)
    const reader2 = events.body?.getReader()
    let text = ''
    while (!text.includes('circuit.closed')) text += new TextDecoder().decode((await reader2?.read())?.value)
    await reader2?.cancel()
    expect(server.system.get('circuit-breaker/llm').status()['state']).toBe('closed')
  })

  it('names what is wrong with a request, and changes nothing', async () => {
    const server = await failing()
    const post = async (path: string, body: unknown, headers = operator): Promise<number> =>
      (await json(`${server.controlUrl}${path}`, { method: 'POST', body: JSON.stringify(body), headers })).status
    expect(await post(breakerPath, { action: 'explode', reason: 'x' })).toBe(400)
    expect(await post(breakerPath, { action: 'isolate' })).toBe(400)
    expect(await post(breakerPath, { action: 'isolate', reason: 'x', expiresIn: 'soon' })).toBe(400)
    expect(await post('/api/v1/policies/circuit-breaker/nobody', { action: 'isolate', reason: 'x' })).toBe(404)
    expect(await post('/api/v1/policies/rate-limiter/llm-quota', { action: 'isolate', reason: 'x' })).toBe(409)
    expect(await post(breakerPath, { action: 'isolate', reason: 'x' }, { ...operator, 'content-type': 'text/plain' })).toBe(415)
    expect(server.system.get('circuit-breaker/llm').status()['state']).toBe('closed')
  })

  it('without tokens nothing can be changed, and the answer says how to change that', async () => {
    const server = await startHoldfast(
      `server: { dataDir: '{{data}}', gateway: { port: 0 }, control: { port: 0 } }\nupstreams:\n  llm: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: {} } }\n`,
      cleanup,
    )
    const response = await json(`${server.controlUrl}${breakerPath}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'isolate', reason: 'x' }),
      headers: operator,
    })
    expect(response).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining('server.tokens') } } })
  })
})

describe('what it shows', () => {
  it('lists policies, and dependencies with figures', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    await fetch(`${server.gatewayUrl}/llm/x`)
    const { body: policy } = await json(`${server.controlUrl}${breakerPath}`)
    expect(policy).toMatchObject({
      id: 'circuit-breaker/llm',
      name: 'llm',
      status: { state: 'open', failureTotal: 1, refusedTotal: 1 },
    })
    const { body } = await json(`${server.controlUrl}/api/v1/dependencies`)
    expect(body).toMatchObject({
      dependencies: [
        {
          name: 'llm',
          state: 'open',
          policies: ['circuit-breaker/llm', 'rate-limiter/llm-quota'],
          totals: { requests: 2, attempts: 1, refused: 1 },
        },
      ],
    })
  })

  it('48: an event stream begins with a snapshot and goes on with deltas; coming back brings the events that were missed, once', async () => {
    const server = await failing()
    const first = await readUntil(`${server.controlUrl}/events`, {}, (text) => text.includes('event: snapshot'))
    const lastId = /id: (\S+)/.exec(first)?.[1] ?? ''
    await fetch(`${server.gatewayUrl}/llm/x`)
    const second = await readUntil(`${server.controlUrl}/events`, { 'last-event-id': lastId }, (text) => text.includes('\n\n'))
    expect(second.match(/circuit\.opened/g)).toHaveLength(1)
    const nextId = /id: (\S+)/.exec(second)?.[1] ?? ''
    const third = await readUntil(`${server.controlUrl}/events`, { 'last-event-id': nextId }, (text) => text.includes('\n\n'))
    expect(third).not.toContain('circuit.opened')
    expect(third).toContain('"resumed":true')
  })

  it('8: does not answer for other hosts', async () => {
    const server = await failing()
    const status = await new Promise((resolve) => {
      httpRequest(`${server.controlUrl}/health`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    expect(status).toBe(421)
  })

  it('9, 10: sends security headers, and allows no other origin', async () => {
    const server = await failing()
    const { headers } = await json(`${server.controlUrl}/health`, { headers: { origin: 'https://evil.example' } })
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.has('access-control-allow-origin')).toBe(false)
  })

  it('14: serves the page and nothing beside it', async () => {
    const server = await failing()
    expect((await fetch(`${server.controlUrl}/`)).headers.get('content-type')).toContain('text/html')
    for (const path of ['/..%2fpackage.json', '/%2e%2e/package.json', '/package.json', '/page.js%00', '//etc/passwd']) {
      expect((await fetch(`${server.controlUrl}${path}`)).status).toBe(404)
    }
  })

  it('42: shows a secret nowhere: not in logs, metrics, events, health or the API', async () => {
    const canary = 'sk-canary-1234567890abcdef'
    const url = await startHttp((_request, response) => void response.destroy(), cleanup)
    const server = await startHoldfast(
      `upstreams:\n  llm:\n    url: ${url}\n    headers: { authorization: 'Bearer ${canary}' }\n    pipeline: { retry: { maxAttempts: 2, initialDelay: 10ms }, circuitBreaker: { failureThreshold: 1 } }\n`,
      cleanup,
    )
    await fetch(`${server.gatewayUrl}/llm/x?api_key=${canary}`, {
      headers: { authorization: `Bearer ${canary}`, cookie: `session=${canary}` },
    })
    const paths = ['/health', '/metrics', '/api/v1/policies', breakerPath, '/api/v1/events', '/api/v1/upstreams']
    const shown = await Promise.all(paths.map(async (path) => (await fetch(`${server.controlUrl}${path}`, { headers: operator })).text()))
    expect(server.lines.length).toBeGreaterThan(1)
    expect([...shown, ...server.lines].join('\n')).not.toContain(canary)
  })

  it('writes where it can be found, and takes that away at the end', async () => {
    const server = await failing()
    expect(JSON.parse(await readFile(`${server.dataDir}/server.json`, 'utf8'))).toMatchObject({
      pid: process.pid,
      controlUrl: server.controlUrl,
      gatewayUrl: server.gatewayUrl,
    })
    await server.close()
    await expect(readFile(`${server.dataDir}/server.json`)).rejects.toThrow('ENOENT')
  })
})

async function readUntil(url: string, headers: Record<string, string>, enough: (text: string) => boolean): Promise<string> {
  const response = await fetch(url, { headers })
  const body = response.body?.getReader()
  let text = ''
  while (!enough(text)) text += new TextDecoder().decode((await body?.read())?.value)
  await body?.cancel()
  return text
}
