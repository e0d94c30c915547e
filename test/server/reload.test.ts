import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { CircuitBreaker } from 'holdfast'
import { startReloadable } from '../support/reloadable-server.ts'
import { Cleanup, operator, reader, startHoldfast, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

interface View {
  readonly generation: number
  readonly lastReload: {
    readonly ok: boolean
    readonly problems: readonly { readonly line: number; readonly path: string; readonly message: string }[]
    readonly changes: readonly { readonly path: string; readonly before: string | null; readonly after: string | null }[]
    readonly needsRestart: readonly string[]
  }
}

async function reload(controlUrl: string): Promise<View> {
  const response = await fetch(`${controlUrl}/api/v1/config/reload`, {
    method: 'POST',
    headers: operator,
    body: JSON.stringify({ reason: 'a test' }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as View
}

async function metricsOf(controlUrl: string): Promise<string> {
  return await (await fetch(`${controlUrl}/metrics`)).text()
}

function valueOf(page: string, series: string): number | undefined {
  const line = page.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

function ok(_request: IncomingMessage, response: ServerResponse): void {
  response.end('ok')
}

it('S76: a bad reload keeps the old configuration, and says so in answer, health, metric, event and log', async () => {
  const url = await startHttp(ok, cleanup)
  const server = await startReloadable(`upstreams:\n  a: { url: '${url}' }\n`, cleanup)
  await server.write(`upstreams:\n  a: { url: '${url}', conections: 3 }\n`)
  const refused = await reload(server.controlUrl)
  expect(refused).toMatchObject({ generation: 1, lastReload: { ok: false, changes: [] } })
  expect(refused.lastReload.problems).toHaveLength(1)
  expect(refused.lastReload.problems[0]?.message).toContain("did you mean 'connections'")
  const health = (await (await fetch(`${server.controlUrl}/health`, { headers: reader })).json()) as {
    status: string
    ready: boolean
    reasons: string[]
  }
  expect(health).toMatchObject({ status: 'warn', ready: true })
  expect(health.reasons.join()).toContain('configuration')
  expect(valueOf(await metricsOf(server.controlUrl), 'holdfast_config_last_reload_successful')).toBe(0)
  const { events } = (await (await fetch(`${server.controlUrl}/api/v1/events`)).json()) as { events: { type: string }[] }
  expect(events.map(({ type }) => type)).toContain('config.reload-failed')
  expect(server.lines.filter((line) => line.includes('conections'))).toHaveLength(1)
  expect(await (await fetch(`${server.gatewayUrl}/a/`)).text()).toBe('ok')

  await server.write(`upstreams:\n  a: { url: '${url}', connections: 3 }\n`)
  const taken = await reload(server.controlUrl)
  expect(taken).toMatchObject({ generation: 2, lastReload: { ok: true, problems: [] } })
  expect(taken.lastReload.changes).toEqual([{ path: 'upstreams.a.connections', before: '64', after: '3' }])
  expect(await (await fetch(`${server.controlUrl}/health`, { headers: reader })).json()).toMatchObject({ status: 'pass' })
  expect(valueOf(await metricsOf(server.controlUrl), 'holdfast_config_last_reload_successful')).toBe(1)
})

it('S76: an open circuit stays open, with the time it has left and its counters, when its thresholds change', async () => {
  const url = await startHttp((_request, response) => response.writeHead(500).end(), cleanup)
  const yaml = (threshold: number, openFor: string): string =>
    `upstreams:\n  a:\n    url: '${url}'\n    pipeline: { circuitBreaker: { failureThreshold: ${threshold}, openFor: ${openFor} } }\n`
  const server = await startReloadable(yaml(2, '60s'), cleanup)
  for (let count = 0; count < 2; count++) await fetch(`${server.gatewayUrl}/a/`)
  const breaker = server.system.get('circuit-breaker/a') as unknown as CircuitBreaker
  const before = breaker.status()
  expect(before.state).toBe('open')
  await server.write(yaml(50, '1s'))
  expect((await reload(server.controlUrl)).lastReload.changes.map(({ path }) => path)).toEqual([
    'upstreams.a.pipeline.circuitBreaker.failureThreshold',
    'upstreams.a.pipeline.circuitBreaker.openFor',
  ])
  expect(server.system.get('circuit-breaker/a')).toBe(breaker)
  const after = breaker.status()
  expect(after).toMatchObject({ state: 'open', failureTotal: 2, openedTotal: 1, since: before.since })
  expect(Math.abs((after.nextAttemptAt ?? 0) - (before.nextAttemptAt ?? 0))).toBeLessThanOrEqual(1)
  expect(breaker.describe()).toMatchObject({ failureThreshold: 50, openForMs: 1_000 })
})

it('S76: reloading under load loses no request and sends none twice', async () => {
  const seen = new Map<string, number>()
  const waiting = new Set<() => void>()
  const url = await startHttp((request, response) => {
    const id = request.url ?? ''
    seen.set(id, (seen.get(id) ?? 0) + 1)
    const end = (): void => void response.end(id)
    waiting.add(end)
  }, cleanup)
  const yaml = (round: number): string => `upstreams:
  a:
    url: '${url}/v${round % 2}'
    connections: ${300 + round}
    pipeline:
      bulkhead: { maxConcurrent: ${250 + round}, maxQueued: 500 }
      retry: { maxAttempts: ${2 + (round % 2)} }
      attemptTimeout: ${20 + round}s
`
  const server = await startReloadable(yaml(0), cleanup)
  const count = 300
  const answers: Promise<string>[] = []
  for (let round = 1; round <= 10; round++) {
    for (let index = 0; index < count / 10; index++) {
      answers.push(
        fetch(`${server.gatewayUrl}/a/${round}-${index}`).then(async (response) => `${response.status} ${await response.text()}`),
      )
    }
    await server.write(yaml(round))
    await server.reload('api')
  }
  expect(server.config().generation).toBe(11)
  const release = setInterval(() => {
    for (const end of waiting) end()
    waiting.clear()
  }, 5)
  cleanup.add(() => clearInterval(release))
  const texts = await Promise.all(answers)
  expect(texts.every((text) => text.startsWith('200 '))).toBe(true)
  expect(new Set(texts).size).toBe(count)
  expect(seen.size).toBe(count)
  expect(Math.max(...seen.values())).toBe(1)
  const page = await metricsOf(server.controlUrl)
  expect(valueOf(page, 'holdfast_gateway_requests_total{upstream="a",code="2xx",cause="none"}')).toBe(count)
  expect(valueOf(page, 'resilience_bulkhead_calls_total{name="a",outcome="admitted"}')).toBe(count)
  expect(valueOf(page, 'resilience_bulkhead_running{name="a"}')).toBe(0)
})

it('shrinks a full bulkhead: what runs ends, and no more than the new limit runs afterwards', async () => {
  const ends: (() => void)[] = []
  let running = 0
  let most = 0
  const url = await startHttp((_request, response) => {
    running++
    most = Math.max(most, running)
    ends.push(() => {
      running--
      response.end('ok')
    })
  }, cleanup)
  const yaml = (places: number): string =>
    `upstreams:\n  a:\n    url: '${url}'\n    pipeline: { bulkhead: { maxConcurrent: ${places}, maxQueued: 20 } }\n`
  const server = await startReloadable(yaml(4), cleanup)
  const answers = Array.from({ length: 10 }, () => fetch(`${server.gatewayUrl}/a/`).then((response) => response.status))
  await expect.poll(() => [running, server.system.get('bulkhead/a').status()['queued']]).toEqual([4, 6])
  await server.write(yaml(1))
  await reload(server.controlUrl)
  expect(running).toBe(4)
  for (const end of ends.splice(0)) end()
  most = 0
  for (let left = 6; left > 0; left--) {
    await expect.poll(() => ends.length).toBe(1)
    ends.shift()?.()
  }
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(most).toBe(1)
})

it('changes a limit while requests wait for it: they wait for the new one, and what was used stays used', async () => {
  const url = await startHttp(ok, cleanup)
  const yaml = (limit: number, window: string): string =>
    `upstreams:\n  a:\n    url: '${url}'\n    pipeline: { rateLimiter: { limit: ${limit}, window: ${window}, maxQueued: 10 } }\n`
  const server = await startReloadable(yaml(2, '1h'), cleanup)
  for (let count = 0; count < 2; count++) expect((await fetch(`${server.gatewayUrl}/a/`)).status).toBe(200)
  const waiting = [1, 2].map(() => fetch(`${server.gatewayUrl}/a/`).then((response) => response.status))
  await expect.poll(() => server.system.get('rate-limiter/a').status()['queued']).toBe(2)
  await server.write(yaml(3, '1h'))
  await reload(server.controlUrl)
  expect(await Promise.race(waiting)).toBe(200)
  expect(server.system.get('rate-limiter/a').status()).toMatchObject({ queued: 1, admitted: 3 })
  await server.write(yaml(4, '1h'))
  await reload(server.controlUrl)
  expect(await Promise.all(waiting)).toEqual([200, 200])
})

it('lets an upstream that was removed stream to the end, then closes its connection; its name is gone from metrics and health', async () => {
  const sockets = new Set<Socket>()
  let finish: (() => void) | undefined
  const origin = createServer((request, response) => {
    if (request.url === '/health') {
      response.end()
      return
    }
    response.write('first ')
    finish = () => response.end('last')
  })
  origin.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    origin.listen(0, '127.0.0.1', resolve)
  })
  cleanup.add(() => {
    origin.closeAllConnections()
    origin.close()
  })
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`
  const other = await startHttp(ok, cleanup)
  const server = await startReloadable(
    `upstreams:\n  a: { url: '${url}', health: { interval: 1s }, pipeline: { circuitBreaker: {}, bulkhead: { maxConcurrent: 2 } } }\n  b: { url: '${other}' }\n`,
    cleanup,
  )
  await fetch(`${server.gatewayUrl}/b/`)
  const response = await fetch(`${server.gatewayUrl}/a/`)
  const reading = response.text()
  await server.write(`upstreams:\n  b: { url: '${other}' }\n  c: { url: '${other}' }\n`)
  await reload(server.controlUrl)
  expect((await fetch(`${server.gatewayUrl}/a/`)).status).toBe(404)
  expect((await fetch(`${server.gatewayUrl}/c/`)).status).toBe(200)
  await fetch(`${server.gatewayUrl}/b/`)
  expect(sockets.size).toBeGreaterThan(0)
  finish?.()
  expect(await reading).toBe('first last')
  await expect.poll(() => sockets.size).toBe(0)
  const page = await metricsOf(server.controlUrl)
  expect(page).not.toMatch(/"a"/)
  expect(valueOf(page, 'holdfast_gateway_requests_total{upstream="b",code="2xx",cause="none"}')).toBe(2)
  const { checks } = (await (await fetch(`${server.controlUrl}/health`, { headers: reader })).json()) as { checks: Record<string, unknown> }
  expect(Object.keys(checks)).not.toContain('upstream/a')
})

it('sends requests to the new URL on new connections, and drains the old ones', async () => {
  const sockets = new Set<Socket>()
  const first = createServer((_request, response) => response.end('first'))
  first.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    first.listen(0, '127.0.0.1', resolve)
  })
  cleanup.add(() => {
    first.closeAllConnections()
    first.close()
  })
  const second = await startHttp((_request, response) => response.end('second'), cleanup)
  const server = await startReloadable(`upstreams:\n  a: { url: 'http://127.0.0.1:${(first.address() as AddressInfo).port}' }\n`, cleanup)
  expect(await (await fetch(`${server.gatewayUrl}/a/`)).text()).toBe('first')
  await server.write(`upstreams:\n  a: { url: '${second}' }\n`)
  await reload(server.controlUrl)
  expect(await (await fetch(`${server.gatewayUrl}/a/`)).text()).toBe('second')
  await expect.poll(() => sockets.size).toBe(0)
  expect(server.upstreams()[0]).toMatchObject({ name: 'a', requests: 2 })
})

it('applies tokens, hosts and log level at once, and says what needs a restart', async () => {
  const url = await startHttp(ok, cleanup)
  const server = await startReloadable(`upstreams:\n  a: { url: '${url}' }\n`, cleanup)
  await server.write(`server:
  dataDir: '{{data}}'
  gateway: { port: 0, shutdownGrace: 1s, maxBodyBytes: 10 }
  control: { port: 1, allowedHosts: [holdfast.test] }
  reload: { watch: false }
  log: { level: error }
  history: { maxAge: 2h }
  tokens: [{ name: operator, role: operate, value: another-token-0123456789 }]
upstreams:
  a: { url: '${url}' }
`)
  const view = await reload(server.controlUrl)
  expect(view.lastReload.needsRestart).toEqual(['server.control.port', 'server.history.maxAge'])
  expect(view.lastReload.changes).toContainEqual({ path: 'server.tokens[0].value', before: '***', after: '***' })
  expect(JSON.stringify(view)).not.toContain('token-0123456789')
  const ask = async (token: string): Promise<number> =>
    (await fetch(`${server.controlUrl}/api/v1/config`, { headers: { authorization: `Bearer ${token}` } })).status
  expect([await ask('operator-token-0123456789'), await ask('another-token-0123456789')]).toEqual([401, 200])
  expect((await fetch(`${server.gatewayUrl}/a/`, { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413)
  const logged = server.lines.length
  await server.reload('signal')
  expect(server.lines.length).toBe(logged)
})

it('does not open the control listener to everybody by taking the tokens away from a listener that still is public', async () => {
  const server = await startReloadable(
    `server:
  dataDir: '{{data}}'
  gateway: { port: 0 }
  control: { host: 0.0.0.0, port: 0 }
  reload: { watch: false }
  tokens: [{ name: operator, role: operate, value: operator-token-0123456789 }]
`,
    cleanup,
  )
  await server.write(
    `server:\n  dataDir: '{{data}}'\n  gateway: { port: 0 }\n  control: { host: 127.0.0.1, port: 0 }\n  reload: { watch: false }\n`,
  )
  const view = await server.reload('api')
  expect(view.lastReload.ok).toBe(false)
  expect(view.lastReload.problems[0]?.message).toContain('open to anyone')
})

it('shows settings in force with where each comes from', async () => {
  const url = await startHttp(ok, cleanup)
  const server = await startReloadable(
    `upstreams:\n  a: { url: '${url}', pipeline: { attemptTimeout: 2s, circuitBreaker: { failureRatio: 0.5 } } }\n`,
    cleanup,
  )
  const { settings } = (await (await fetch(`${server.controlUrl}/api/v1/config/settings`)).json()) as { settings: { path: string }[] }
  expect(settings).toContainEqual({
    path: 'upstreams.a.pipeline.attemptTimeout',
    name: 'upstreams.a.pipeline.attemptTimeout',
    value: '2s',
    source: 'file',
    where: expect.stringMatching(/reliability\.yml:10:\d+$/) as string,
  })
  expect(settings).toContainEqual(expect.objectContaining({ path: 'upstreams.a.connections', value: '64', source: 'default', where: null }))
  const detail = (await (await fetch(`${server.controlUrl}/api/v1/policies/${encodeURIComponent('circuit-breaker/a')}`)).json()) as {
    settings: unknown[]
  }
  expect(detail.settings).toContainEqual(expect.objectContaining({ name: 'failureRatio', value: '50%', source: 'file' }))
})

it('S54: settings that a program gave itself are not said to be defaults', async () => {
  const server = await startHoldfast(`upstreams:\n  a: { url: 'http://127.0.0.1:9', pipeline: { attemptTimeout: 2s } }\n`, cleanup)
  const { settings } = (await (await fetch(`${server.controlUrl}/api/v1/config/settings`)).json()) as { settings: { source: string }[] }
  expect(settings.length).toBeGreaterThan(10)
  expect(settings.filter(({ source }) => source !== 'runtime')).toEqual([])
})

it('reloads that come while one runs lead to one more', async () => {
  const url = await startHttp(ok, cleanup)
  const server = await startReloadable(`upstreams:\n  a: { url: '${url}' }\n`, cleanup)
  const before = server.lines.length
  await Promise.all(Array.from({ length: 20 }, () => server.reload('signal')))
  expect(server.lines.slice(before).filter((line) => line.includes('loaded anew'))).toHaveLength(2)
})

it('puts every reload by the API on record, with who asked and why', async () => {
  const url = await startHttp(ok, cleanup)
  const server = await startReloadable(`upstreams:\n  a: { url: '${url}' }\n`, cleanup)
  await reload(server.controlUrl)
  expect(
    (await fetch(`${server.controlUrl}/api/v1/config/reload`, { method: 'POST', headers: reader, body: '{"reason":"x"}' })).status,
  ).toBe(403)
  const { records } = (await (await fetch(`${server.controlUrl}/api/v1/audit`, { headers: operator })).json()) as { records: object[] }
  expect(records).toContainEqual(expect.objectContaining({ who: 'operator', action: 'config.reload', reason: 'a test' }))
})
