import { loadConfig, startServer, type LoadedConfig } from '@holdfast/server'
import { circuitBreaker } from 'holdfast'
import { afterEach, describe, expect, it } from 'vitest'
import { ask, cookieOf, sendRaw, type Answer } from '../support/control-client.ts'
import { Cleanup, startHoldfast, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const operatorToken = 'operator-token-0123456789'
const readerToken = 'reader-token-0123456789'
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
const breakerPath = '/api/v1/policies/circuit-breaker/llm'
const isolate = { action: 'isolate', reason: 'test' }

/** A server whose listeners are on 127.0.0.1; `control` and `tokens` as in the configuration. */
function start(control = '', tokens = true): Promise<TestServer> {
  return startHoldfast(
    `
server:
  dataDir: '{{data}}'
  gateway: { port: 0 }
  control: { port: 0${control === '' ? '' : `, ${control}`} }
${tokens ? `  tokens: [{ name: op, role: operate, value: ${operatorToken} }, { name: eye, role: read, value: ${readerToken} }]` : ''}
upstreams:
  llm: { url: 'http://127.0.0.1:9', pipeline: { circuitBreaker: { failureThreshold: 1 }, attemptTimeout: 1s } }
`,
    cleanup,
  )
}

/** Of the demonstration's file, without its tokens. */
function loadedConfig(): LoadedConfig {
  const env = { HOLDFAST_DEMO_LLM_URL: 'http://127.0.0.1:9', HOLDFAST_DATA_DIR: '/nonexistent' }
  const loaded = loadConfig('packages/cli/assets/demo/reliability.yml', { env })
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join())
  return { ...loaded, config: { ...loaded.config, server: { ...loaded.config.server, tokens: [] } } }
}

const state = (server: TestServer): unknown => server.system.get('circuit-breaker/llm').status()['state']

async function logIn(server: TestServer, token = operatorToken): Promise<string> {
  const answer = await ask(`${server.controlUrl}/api/v1/session`, { body: { token } })
  expect(answer.status).toBe(200)
  return cookieOf(answer)
}

/** A page of the server's own. */
const sameOrigin = (server: TestServer, cookie: string): Record<string, string> => ({
  cookie,
  origin: server.controlUrl,
  'sec-fetch-site': 'same-origin',
})

describe('tokens', () => {
  it('S2: a change without a token is refused in the same words, whether the thing exists or not', async () => {
    const server = await start()
    const [known, unknown, nothing] = await Promise.all(
      [breakerPath, '/api/v1/policies/circuit-breaker/nobody', '/api/v1/no/such/thing'].map((path) =>
        ask(server.controlUrl + path, { body: isolate }),
      ),
    )
    expect([known?.status, known?.headers['www-authenticate']]).toEqual([401, 'Bearer realm="holdfast"'])
    for (const other of [unknown, nothing]) expect([other?.status, other?.text]).toEqual([401, known?.text])
    expect(state(server)).toBe('closed')
  })

  it('S3: a token that may only read is refused every change by the server itself', async () => {
    const server = await start()
    const changes = [
      ['POST', breakerPath, isolate],
      ['POST', '/api/v1/policies', { ids: ['circuit-breaker/llm'], ...isolate }],
      ['POST', '/api/v1/dependencies/llm/silence', { reason: 'x', expiresIn: '1h' }],
      ['DELETE', '/api/v1/dependencies/llm/silence', undefined],
      ['POST', '/api/v1/notes', { text: 'x' }],
      ['POST', '/api/v1/no/such/thing', {}],
    ] as const
    for (const [method, path, body] of changes) {
      const answer = await ask(server.controlUrl + path, { method, headers: bearer(readerToken), body })
      expect([path, answer.status, answer.body]).toEqual([path, 403, { error: { code: 'forbidden', message: 'this token may only read' } }])
    }
    expect(state(server)).toBe('closed')
  })

  it('S4: a token in a query string, a body or another header is none', async () => {
    const server = await start()
    for (const name of ['token', 'access_token', 'api_key', 'authorization']) {
      const answer = await ask(`${server.controlUrl}${breakerPath}?${name}=${operatorToken}`, { body: isolate })
      expect([name, answer.status]).toEqual([name, 401])
    }
    const headers = { 'x-api-key': operatorToken, cookie: `token=${operatorToken}`, authorization: `Basic ${operatorToken}` }
    expect((await ask(server.controlUrl + breakerPath, { body: isolate, headers })).status).toBe(401)
    expect((await ask(server.controlUrl + breakerPath, { body: isolate, headers: bearer(operatorToken) })).status).toBe(200)
  })
})

describe('sessions', () => {
  it('S4: begin with a token; the cookie is out of reach of scripts and other sites, and is not the token', async () => {
    const server = await start()
    const answer = await ask(`${server.controlUrl}/api/v1/session`, { body: { token: operatorToken } })
    expect(answer.body).toMatchObject({ who: 'op', role: 'operate', tokens: true, loginRequired: false })
    expect(answer.body['expiresAt']).toBeGreaterThan(Date.now())
    const cookie = answer.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/^holdfast_session_\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toContain(operatorToken)
    const headers = sameOrigin(server, cookieOf(answer))
    expect((await ask(`${server.controlUrl}/api/v1/session`, { headers })).body).toMatchObject({ who: 'op', role: 'operate' })
    expect((await ask(server.controlUrl + breakerPath, { headers, body: isolate })).status).toBe(200)
    expect(state(server)).toBe('isolated')
  })

  it('nobody has logged in at first', async () => {
    const server = await start()
    expect((await ask(`${server.controlUrl}/api/v1/session`)).body).toEqual({
      who: null,
      role: null,
      tokens: true,
      loginRequired: false,
      expiresAt: null,
    })
  })

  it('of a token that may only read may only read', async () => {
    const server = await start()
    const headers = sameOrigin(server, await logIn(server, readerToken))
    expect((await ask(server.controlUrl + breakerPath, { headers, body: isolate })).status).toBe(403)
  })

  it('end when somebody logs out, and the id is worth nothing from then on', async () => {
    const server = await start()
    const headers = sameOrigin(server, await logIn(server))
    const out = await ask(`${server.controlUrl}/api/v1/session`, { method: 'DELETE', headers })
    expect([out.status, out.body['who'], out.headers['set-cookie']?.[0]]).toEqual([200, null, expect.stringContaining('Max-Age=0')])
    expect((await ask(server.controlUrl + breakerPath, { headers, body: isolate })).status).toBe(401)
  })

  it('the cookie is Secure behind a trusted proxy that speaks TLS', async () => {
    const server = await start('trustedProxies: [127.0.0.1]')
    const answer = await ask(`${server.controlUrl}/api/v1/session`, {
      body: { token: operatorToken },
      headers: { 'x-forwarded-proto': 'https' },
    })
    expect(answer.headers['set-cookie']?.[0]).toContain('; Secure')
  })
})

describe('looking', () => {
  const guarded = [
    '/api/v1/policies',
    '/api/v1/dependencies',
    '/api/v1/events',
    '/api/v1/audit',
    '/api/v1/history',
    '/api/v1/nothing',
    '/events',
    '/metrics',
  ]

  it('S1: where others than this machine can reach the listener, needs a token or a session', async () => {
    const server = await start('allowedHosts: [holdfast.example]')
    for (const path of guarded) expect([path, (await ask(server.controlUrl + path)).status]).toEqual([path, 401])
    for (const path of ['/health', '/health/alive', '/health/ready']) expect((await ask(server.controlUrl + path)).status).toBe(200)
    expect((await ask(`${server.controlUrl}/api/v1/session`)).body).toMatchObject({ who: null, loginRequired: true })
    expect((await ask(`${server.controlUrl}/metrics`, { headers: bearer(readerToken) })).status).toBe(200)
    const headers = { cookie: await logIn(server, readerToken) }
    expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers })).status).toBe(200)
  })

  it('S1: no spelling of a path leads past that', async () => {
    const server = await start('loginRequired: true')
    const spellings = [
      '/%61pi/v1/policies',
      '//api/v1/policies',
      '/api//v1/policies',
      '/api/v1/policies/',
      '/API/v1/policies',
      '/metrics/',
      '/%6detrics',
      '/x/../metrics',
      '/events?x',
      '/api/v1/session/../policies',
      '/api/v1/session%2f..%2fpolicies',
      '/health/../metrics',
    ]
    for (const path of spellings) {
      const head = await sendRaw(server.controlUrl, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      expect([path, head.slice(9, 12)]).toEqual([path, expect.stringMatching(/^40[14]$/)])
      expect(head).not.toContain('circuit-breaker')
    }
  })

  it('S1: an open feed ends with the session it was opened with', async () => {
    const server = await start('loginRequired: true')
    const cookie = await logIn(server, readerToken)
    const feed = await fetch(`${server.controlUrl}/events`, { headers: { cookie } })
    expect(feed.status).toBe(200)
    const text = feed.text()
    await ask(`${server.controlUrl}/api/v1/session`, { method: 'DELETE', headers: sameOrigin(server, cookie) })
    expect(await text).toContain('event: snapshot')
  })

  it('S1: strangers learn the status alone from /health', async () => {
    const server = await start('loginRequired: true')
    const stranger = await ask(`${server.controlUrl}/health`)
    expect(Object.keys(stranger.body).toSorted()).toEqual(['at', 'phase', 'ready', 'status', 'summary', 'uptimeMs', 'version'])
    const known = await ask(`${server.controlUrl}/health`, { headers: bearer(readerToken) })
    expect(known.body).toMatchObject({ reasons: [], components: { 'circuit-breaker/llm': { status: 'pass' } } })
    const json = await ask(`${server.controlUrl}/health`, { headers: { accept: 'application/health+json' } })
    expect(json.body).toEqual({ status: 'pass', version: expect.any(String) as string })
  })

  it('S1: a server that would be open to anyone does not start, whoever made its configuration', async () => {
    const { config } = loadedConfig()
    for (const open of [{ host: '0.0.0.0' }, { trustedProxies: ['10.0.0.1'] }]) {
      const server = { ...config.server, control: { ...config.server.control, ...open } }
      await expect(startServer({ ...config, server })).rejects.toThrow(/would be open to anyone .* add a token \(server\.tokens: /)
    }
  })

  it('S1: on a loopback address without further names is for everybody on this machine', async () => {
    const server = await start()
    expect((await ask(`${server.controlUrl}/api/v1/policies`)).status).toBe(200)
    expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers: bearer('a-wrong-token-0123456789') })).status).toBe(401)
  })
})

describe('requests of other pages', () => {
  const change = (server: TestServer, headers: Record<string, string>): Promise<Answer> =>
    ask(server.controlUrl + breakerPath, { headers, body: isolate })

  it('S5: nothing is changed by GET, HEAD, PUT, PATCH or OPTIONS', async () => {
    const server = await start()
    const url = `${server.controlUrl}${breakerPath}?action=isolate&reason=x`
    expect((await ask(url, { headers: bearer(operatorToken) })).status).toBe(200)
    expect((await ask(url, { method: 'HEAD', headers: bearer(operatorToken) })).text).toBe('')
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'TRACE']) {
      const answer = await ask(url, { method, headers: { ...bearer(operatorToken), 'content-length': 0 } })
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET, HEAD, POST, DELETE'])
    }
    expect(state(server)).toBe('closed')
  })

  it('S6: a change with a cookie is taken from this origin only', async () => {
    const server = await start()
    const cookie = await logIn(server)
    const host = new URL(server.controlUrl).host
    const foreign: Record<string, string>[] = [
      { cookie, origin: 'https://evil.example' },
      { cookie, origin: 'null' },
      { cookie, origin: `http://${host}.evil.example` },
      { cookie, origin: 'http://127.0.0.1:1' },
      { cookie, 'sec-fetch-site': 'cross-site' },
      { cookie, 'sec-fetch-site': 'same-site' },
      { cookie, 'sec-fetch-site': 'none' },
      { cookie, origin: server.controlUrl, 'sec-fetch-site': 'cross-site' },
      { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      { cookie },
      { ...bearer(operatorToken), origin: 'https://evil.example' },
    ]
    for (const headers of foreign) {
      const { status, body } = await change(server, headers)
      expect([headers, status, body['error']]).toMatchObject([headers, 403, { code: 'cross-origin' }])
    }
    expect(state(server)).toBe('closed')
    expect((await change(server, { cookie, origin: server.controlUrl })).status).toBe(200)
    expect((await change(server, { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  it('S6: no page of another origin can log a browser in or out', async () => {
    const server = await start()
    const cookie = await logIn(server)
    const url = `${server.controlUrl}/api/v1/session`
    expect((await ask(url, { body: { token: operatorToken }, headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await ask(url, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect((await ask(url, { headers: { cookie } })).body).toMatchObject({ who: 'op' })
  })

  it('S7: a form can change nothing: the body must be declared as JSON', async () => {
    const server = await start()
    const body = JSON.stringify(isolate)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', '']) {
      const headers = { ...bearer(operatorToken), ...(type === '' ? {} : { 'content-type': type }) }
      expect([type, (await ask(server.controlUrl + breakerPath, { headers, body })).status]).toEqual([type, 415])
    }
    const headers = { ...bearer(operatorToken), 'content-type': 'application/json; charset=utf-8' }
    expect((await ask(server.controlUrl + breakerPath, { headers, body })).status).toBe(200)
  })

  it('S8: other hosts, two hosts, no host and absolute targets are refused', async () => {
    const server = await start('allowedHosts: [holdfast.example]')
    const port = new URL(server.controlUrl).port
    const raw = async (lines: readonly string[]): Promise<string> =>
      (await sendRaw(server.controlUrl, `${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`)).slice(0, 12)
    const alive = 'GET /health/alive HTTP/1.1'
    expect(await raw([alive, 'host: evil.example'])).toBe('HTTP/1.1 421')
    expect(await raw([alive, `host: evil.example:${port}`])).toBe('HTTP/1.1 421')
    expect(await raw([alive, 'host: localhost', 'host: evil.example'])).toBe('HTTP/1.1 400')
    expect(await raw([alive])).toBe('HTTP/1.1 400')
    expect(await raw([`GET http://127.0.0.1:${port}/health/alive HTTP/1.1`, 'host: localhost'])).toBe('HTTP/1.1 400')
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', 'HOLDFAST.example:443'])
      expect([host, await raw([alive, `host: ${host}`])]).toEqual([host, 'HTTP/1.1 200'])
  })

  it('S9: no origin but its own may read answers, and a preflight gets no permission', async () => {
    const server = await start()
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    }
    for (const path of ['/health', '/metrics', '/api/v1/policies', breakerPath]) {
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await ask(server.controlUrl + path, { method, headers: { ...headers, 'content-length': 0 } })
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
      }
    }
  })
})

describe('every answer', () => {
  it('S10: carries the security headers: pages, data, refusals, malformed requests, event streams', async () => {
    const server = await start()
    const heads = await Promise.all([
      sendRaw(server.controlUrl, 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
      sendRaw(server.controlUrl, 'GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
      sendRaw(server.controlUrl, 'GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
      sendRaw(server.controlUrl, 'GET /health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
      sendRaw(server.controlUrl, 'POST /api/v1/notes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      sendRaw(server.controlUrl, 'this is not HTTP\r\n\r\n'),
      sendRaw(server.controlUrl, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`),
      sendRaw(server.controlUrl, 'CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      sendRaw(server.controlUrl, 'GET / HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\nconnection: close\r\n\r\n'),
    ])
    expect(heads.map((head) => head.slice(9, 12))).toEqual(['200', '200', '404', '421', '415', '400', '431', '405', '417'])
    const stream = await fetch(`${server.controlUrl}/events`)
    await stream.body?.cancel()
    heads.push([...stream.headers].map(([name, value]) => `${name}: ${value}`).join('\r\n'))
    for (const head of heads) {
      const lower = head.toLowerCase()
      for (const wanted of [
        "content-security-policy: default-src '",
        "frame-ancestors 'none'",
        'x-content-type-options: nosniff',
        'referrer-policy: no-referrer',
      ]) {
        expect(lower, head.slice(0, 60)).toContain(wanted)
      }
    }
  })

  it('a body that is too large is refused with 413, whether its length is told or not', async () => {
    const server = await start('maxBodyBytes: 2KiB')
    const body = { ...isolate, reason: 'x'.repeat(4_000) }
    expect((await ask(server.controlUrl + breakerPath, { headers: bearer(operatorToken), body })).status).toBe(413)
    const chunked = { ...bearer(operatorToken), 'transfer-encoding': 'chunked' }
    expect((await ask(server.controlUrl + breakerPath, { headers: chunked, body })).status).toBe(413)
    expect((await ask(server.controlUrl + breakerPath, { headers: chunked, body: isolate })).status).toBe(200)
  })

  it('S14: what lies beside the page cannot be asked for', async () => {
    const server = await start()
    const paths = [
      '/..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/..%5c..%5cpackage.json',
      '/index.html%00',
      '/%00',
      '//etc/passwd',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/package.json',
      '/.git/config',
      '/%ff',
    ]
    for (const path of paths) {
      const head = await sendRaw(server.controlUrl, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      expect([path, head.slice(9, 12)]).toEqual([path, '404'])
    }
  })
})

it('S11: a policy is told by its encoded id, whatever its name is made of, and the name is data in every answer', async () => {
  const server = await start()
  for (const name of ['<img src=x onerror=alert(1)>', '../../x', 'a/b?c#d%2F', '"\n\u2028\u{1F600}']) {
    server.system.register(circuitBreaker({ name }))
    const id = `circuit-breaker/${name}`
    const url = `${server.controlUrl}/api/v1/policies/${encodeURIComponent(id)}`
    const shown = await ask(url)
    expect([shown.status, shown.headers['content-type'], shown.body['id']]).toEqual([200, expect.stringContaining('application/json'), id])
    const forced = await ask(url, { headers: bearer(operatorToken), body: isolate })
    expect(forced.body).toMatchObject({ id, state: 'isolated', forced: { by: 'op' } })
    expect((await ask(`${server.controlUrl}/metrics`)).status).toBe(200)
  }
})

describe('S12: wrong tokens', () => {
  const wrong = { token: 'a-wrong-token-0123456789' }

  it('are counted by address: too many bring 429 with the time to wait, and sessions go on', async () => {
    const server = await start('failedLogins: { limit: 3, window: 1h }')
    const url = `${server.controlUrl}/api/v1/session`
    const cookie = await logIn(server)
    expect((await ask(url, { body: wrong })).status).toBe(401)
    expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers: bearer(wrong.token) })).status).toBe(401)
    expect((await ask(url, { body: wrong })).status).toBe(401)
    const refused = await ask(url, { body: { token: operatorToken } })
    expect([refused.status, refused.body]).toMatchObject([429, { error: { code: 'too-many-failures' } }])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(3_600)
    expect((await ask(`${server.controlUrl}/api/v1/policies`, { headers: bearer(operatorToken) })).status).toBe(429)
    expect((await ask(`${server.controlUrl}/health`, { headers: bearer(operatorToken) })).body).not.toHaveProperty('components')
    expect((await ask(server.controlUrl + breakerPath, { headers: sameOrigin(server, cookie), body: isolate })).status).toBe(200)
  })

  it('of one address lock out no other one; addresses of one IPv6 network count as one', async () => {
    const server = await start('failedLogins: { limit: 2, window: 1h }, trustedProxies: [127.0.0.1]')
    const from = (address: string, token: string): Promise<Answer> =>
      ask(`${server.controlUrl}/api/v1/session`, { body: { token }, headers: { 'x-forwarded-for': address } })
    for (let count = 0; count < 3; count++) await from('203.0.113.7', wrong.token)
    expect((await from('203.0.113.7', operatorToken)).status).toBe(429)
    expect((await from('203.0.113.8', operatorToken)).status).toBe(200)
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:0db8:0:0:5::']) await from(address, wrong.token)
    expect((await from('2001:db8:0:0:ffff::9', operatorToken)).status).toBe(429)
    expect((await from('2001:db8:0:1::1', operatorToken)).status).toBe(200)
  })
})
