import { readdir, readFile, writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { formatProblem, loadConfig } from '@holdfast/server'
import { Cleanup, startHoldfast, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** Secrets as they come in: each is told apart, so that a failure says which one leaked. */
const canaries = {
  token: 'canary-token-5f1c77aa93b2',
  upstreamKey: 'canary-upstream-key-8d20b1',
  clientKey: 'canary-client-key-77e41c',
  cookie: 'canary-cookie-1b9f3e',
  query: 'canary-query-c0ffee12',
  prompt: 'canary-prompt-my-diagnosis',
  wrongToken: 'canary-wrong-token-4411',
  note: 'canary-body-of-a-refused-change',
} as const

it('S42: a secret is nowhere in logs, metrics, events, answers, history or audit, whatever fails', async () => {
  let failures = 0
  const url = await startHttp((request, response) => {
    request.resume()
    const way = failures++ % 4
    if (way === 0) response.destroy()
    else if (way === 1) response.writeHead(500, { 'x-echo': canaries.upstreamKey }).end(`your key ${canaries.upstreamKey} is no good`)
    else if (way === 2) response.writeHead(429, { 'retry-after': '1' }).end()
    else response.writeHead(200, { 'content-length': '1000' }).write('cut', () => response.destroy())
  }, cleanup)
  const server = await startHoldfast(
    `server:
  dataDir: '{{data}}'
  gateway: { port: 0 }
  control: { port: 0 }
  tokens: [{ name: operator, role: operate, value: '${canaries.token}' }]
  log: { level: debug }
upstreams:
  llm:
    url: ${url}
    headers: { authorization: 'Bearer ${canaries.upstreamKey}' }
    health: { path: /health, interval: 1s }
    pipeline:
      retry: { maxAttempts: 2, initialDelay: 1ms }
      circuitBreaker: { failureThreshold: 6 }
      attemptTimeout: 5s
`,
    cleanup,
  )
  const watching = await fetch(`${server.controlUrl}/events`, { headers: { authorization: `Bearer ${canaries.token}` } })
  for (let count = 0; count < 12; count++) {
    await fetch(`${server.gatewayUrl}/llm/v1/chat?api_key=${canaries.query}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${canaries.clientKey}`,
        cookie: `session=${canaries.cookie}`,
        'content-type': 'application/json',
        'idempotency-key': `${canaries.clientKey}-${count}`,
      },
      body: JSON.stringify({ prompt: canaries.prompt }),
    })
      .then((response) => response.text())
      .catch(() => undefined)
  }
  const change = (headers: Readonly<Record<string, string>>, body: string): Promise<Response> =>
    fetch(`${server.controlUrl}/api/v1/policies/circuit-breaker/llm`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  const allowed = { authorization: `Bearer ${canaries.token}` }
  await change({ authorization: `Bearer ${canaries.wrongToken}` }, '{}')
  await fetch(`${server.controlUrl}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: canaries.wrongToken }),
  })
  const refused = await (await change(allowed, JSON.stringify({ action: 'isolate', secret: canaries.note }))).text()
  expect((await change(allowed, JSON.stringify({ action: 'isolate', reason: 'test' }))).status).toBe(200)
  const paths = [
    '/health',
    '/health/ready',
    '/metrics',
    ...[
      '/policies',
      '/policies/circuit-breaker/llm',
      '/policies/retry/llm',
      '/dependencies',
      '/events',
      '/history',
      '/history/llm',
      '/audit',
      '/session',
    ].map((path) => `/api/v1${path}`),
  ]
  const answers = await Promise.all(
    paths.map(async (path) => `${path} ${await (await fetch(server.controlUrl + path, { headers: allowed })).text()}`),
  )
  const feed = await readSome(watching)
  await server.close()
  const files = await Promise.all(
    (await readdir(server.dataDir)).map(async (name) => `${name} ${(await readFile(join(server.dataDir, name))).toString('latin1')}`),
  )
  // what is searched is what there is to search
  expect(failures).toBeGreaterThan(5)
  expect(server.lines.some((line) => line.includes('Circuit OPEN'))).toBe(true)
  expect(feed).toContain('event: snapshot')
  expect(files.map((text) => text.split(' ', 1)[0])).toEqual(expect.arrayContaining(['history.db', 'audit.db']))
  for (const text of [refused, feed, ...answers, ...server.lines, ...files]) {
    for (const [name, canary] of Object.entries(canaries)) {
      const at = text.indexOf(canary)
      expect([name, at < 0 ? '' : text.slice(Math.max(0, at - 80), at)]).toEqual([name, ''])
    }
  }
})

it('S42: a password in a URL is refused by the configuration, without being repeated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'reliability.yml')
  await writeFile(path, 'upstreams:\n  db: { url: "http://app:canary-dsn-password@127.0.0.1:5432/x" }\n')
  const loaded = loadConfig(path, { env: {} })
  expect(loaded.ok).toBe(false)
  const told = loaded.ok ? '' : loaded.errors.map(formatProblem).join('\n')
  expect(told).toContain('upstreams.db.url')
  expect(told).not.toContain('canary-dsn-password')
})

async function readSome(response: Response): Promise<string> {
  const body = response.body?.getReader()
  let text = ''
  while (!text.includes('circuit.isolated')) text += new TextDecoder().decode((await body?.read())?.value)
  await body?.cancel()
  return text
}
