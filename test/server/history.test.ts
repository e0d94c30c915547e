import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { DependencyHistory, DependencyView, EventView, PolicyDetail, PolicyView, WallHistory } from '@holdfast/server/wire'
import { Cleanup, operator, reader, startHoldfast, startHttp, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function failing(): Promise<TestServer> {
  const url = await startHttp((_request, response) => void response.writeHead(500).end(), cleanup)
  return await startHoldfast(
    `upstreams:\n  llm:\n    url: ${url}/v1/\n    pipeline: { circuitBreaker: { failureThreshold: 1, openFor: 60s } }\n`,
    cleanup,
  )
}

async function get<T>(server: TestServer, path: string): Promise<T> {
  const response = await fetch(`${server.controlUrl}/api/v1${path}`, { headers: reader })
  expect([path, response.status]).toEqual([path, 200])
  return (await response.json()) as T
}

describe('what is', () => {
  it('dependencies: state, figures and totals, with the policies before them, outermost first', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    await fetch(`${server.gatewayUrl}/llm/x`)
    const { dependencies } = await get<{ dependencies: readonly DependencyView[] }>(server, '/dependencies')
    expect(dependencies).toEqual([
      expect.objectContaining({
        name: 'llm',
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
        state: 'open',
        since: expect.any(Number),
        nextAttemptAt: expect.any(Number),
        totals: { requests: 2, succeeded: 0, failed: 1, refused: 1, fallback: 0, cancelled: 0, attempts: 1, attemptFailures: 1 },
        recent: expect.objectContaining({ successRatio: 0, callsPerSecond: expect.any(Number), p99Ms: expect.any(Number) }),
        health: { status: 'warn', reason: "circuit breaker 'llm' is open" },
        running: 0,
        queued: 0,
        policies: ['circuit-breaker/llm', 'rate-limiter/llm-quota'],
      }),
    ])
  })

  it('policies: the list, and one with its settings and its latest events', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    const { policies } = await get<{ policies: readonly PolicyView[] }>(server, '/policies')
    expect(policies.map(({ id }) => id)).toEqual(expect.arrayContaining(['circuit-breaker/llm', 'rate-limiter/llm-quota']))
    for (const id of ['circuit-breaker/llm', 'circuit-breaker%2Fllm']) {
      expect(await get<PolicyDetail>(server, `/policies/${id}`)).toMatchObject({
        id: 'circuit-breaker/llm',
        name: 'llm',
        kind: 'circuit-breaker',
        state: 'open',
        dependencies: ['llm'],
        actions: expect.arrayContaining(['force-open', 'close']),
        events: expect.arrayContaining([expect.objectContaining({ type: 'circuit.opened', policy: 'circuit-breaker/llm' })]),
      })
    }
    expect((await fetch(`${server.controlUrl}/api/v1/policies/circuit-breaker/nobody`, { headers: reader })).status).toBe(404)
  })
})

describe('what happened', () => {
  it('history of all and of one, over each range', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    for (const range of ['15m', '1h', '6h', '24h']) {
      const wall = await get<WallHistory>(server, `/history?range=${range}`)
      expect(wall).toMatchObject({ range, markers: [{ kind: 'start' }] })
      expect(wall.rows['llm']?.attempts).toHaveLength(180)
      expect(wall.rows['llm']?.segments.map(({ state }) => state)).toEqual(['closed', 'open'])
    }
    const one = await get<DependencyHistory>(server, '/history/llm?range=1h')
    expect([one.columns.attempts.at(-1), one.columns.attemptFailures.at(-1), one.columns.failed.at(-1)]).toEqual([1, 1, 1])
    const statuses = [
      '/history/nobody',
      '/history?range=2d',
      '/history/llm?range=x',
      '/events?limit=0',
      '/events?after=-1',
      '/events?before=x',
    ].map(async (path) => [path, (await fetch(`${server.controlUrl}/api/v1${path}`, { headers: reader })).status])
    expect(await Promise.all(statuses)).toEqual([
      ['/history/nobody', 404],
      ['/history?range=2d', 400],
      ['/history/llm?range=x', 400],
      ['/events?limit=0', 400],
      ['/events?after=-1', 400],
      ['/events?before=x', 400],
    ])
  })

  it('events by policy, type and place', async () => {
    const server = await failing()
    await fetch(`${server.gatewayUrl}/llm/x`)
    const all = await get<{ events: readonly EventView[] }>(server, '/events')
    expect(all.events.map(({ id }) => id)).toEqual(all.events.map((_event, index) => index + 1))
    const opened = await get<{ events: readonly EventView[] }>(server, '/events?type=circuit.opened&policy=circuit-breaker%2Fllm')
    expect(opened.events).toHaveLength(1)
    const id = opened.events[0]?.id ?? 0
    expect((await get<{ events: readonly EventView[] }>(server, `/events?after=${id - 1}&limit=1`)).events[0]?.id).toBe(id)
    expect((await get<{ events: readonly EventView[] }>(server, `/events?before=${id}&limit=1`)).events[0]?.id).toBe(id - 1)
  })

  it('a note is put on the time axis, on record, and only by who may', async () => {
    const server = await failing()
    const post = async (headers: Readonly<Record<string, string>>, body: unknown): Promise<number> =>
      (await fetch(`${server.controlUrl}/api/v1/notes`, { method: 'POST', headers, body: JSON.stringify(body) })).status
    expect(await post(reader, { text: 'deploy' })).toBe(403)
    expect(await post({ 'content-type': 'application/json' }, { text: 'deploy' })).toBe(401)
    expect(await post(operator, { text: '  ' })).toBe(400)
    expect(await post(operator, { text: 'deploy of 7.2 <b>' })).toBe(201)
    server.marker('fault', 'llm: outage')
    const { markers } = await get<WallHistory>(server, '/history')
    expect(markers.map(({ kind, text }) => [kind, text])).toEqual([
      ['start', expect.stringContaining('Holdfast')],
      ['note', 'deploy of 7.2 <b>'],
      ['fault', 'llm: outage'],
    ])
    const { records } = await get<{ records: readonly { action: string; who: string; after: unknown }[] }>(server, '/audit')
    expect(records.find(({ action }) => action === 'note.added')).toMatchObject({ who: 'operator', after: { text: 'deploy of 7.2 <b>' } })
  })

  it('a history that cannot be stored shows in /health and /metrics, and requests go on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-history-'))
    cleanup.add(() => rm(folder, { recursive: true, force: true }))
    // SQLite cannot write its log where a folder stands
    await mkdir(join(folder, 'history.db-wal'), { recursive: true })
    await mkdir(join(folder, 'history.db-wal', 'x'))
    const url = await startHttp((_request, response) => void response.end('ok'), cleanup)
    const server = await startHoldfast(
      `server: { dataDir: '${folder}', gateway: { port: 0 }, control: { port: 0 } }\nupstreams:\n  llm: { url: '${url}' }\n`,
      cleanup,
    )
    expect((await fetch(`${server.gatewayUrl}/llm/x`)).status).toBe(200)
    const health = (await (await fetch(`${server.controlUrl}/health`)).json()) as { reasons: readonly string[] }
    expect(health.reasons).toEqual([expect.stringMatching(/^history: not stored: .*history\.db/)])
    expect(server.lines.filter((line) => line.includes('the history cannot be stored'))).toHaveLength(1)
    const metrics = await (await fetch(`${server.controlUrl}/metrics`)).text()
    expect(metrics).toMatch(/^holdfast_history_stored 0$/m)
    expect(metrics).toMatch(/^holdfast_history_write_failures_total [1-9]/m)
    const wall = (await (await fetch(`${server.controlUrl}/api/v1/history?range=1h`)).json()) as WallHistory
    expect(wall.rows['llm']?.attempts.at(-1)).toBe(1)
  })
})

describe('after kill -9', () => {
  it(
    'S48: history and events are there, and a viewer that comes back misses nothing and hears nothing twice',
    { timeout: 60_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'holdfast-history-'))
      cleanup.add(() => rm(folder, { recursive: true, force: true }))
      const path = join(folder, 'reliability.yml')
      const url = await startHttp((_request, response) => void response.writeHead(500).end(), cleanup)
      await writeFile(
        path,
        `server: { dataDir: '${join(folder, 'data')}', gateway: { port: 0 }, control: { port: 0 } }\nupstreams:\n  llm: { url: '${url}', pipeline: { circuitBreaker: { failureThreshold: 1 } } }\n`,
      )
      const first = await serve(path, join(folder, 'data'))
      await fetch(`${first.gatewayUrl}/llm/x`)
      const before = await readUntil(`${first.controlUrl}/events`, {}, (text) => text.includes('circuit.opened'))
      first.child.kill('SIGKILL')
      await once(first.child, 'close')
      const second = await serve(path, join(folder, 'data'))
      const lastId = [...before.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? ''
      const after = await readUntil(`${second.controlUrl}/events`, { 'last-event-id': lastId }, (text) => text.includes('"resumed":true'))
      expect(after).not.toContain('circuit.opened')
      const { events } = (await (await fetch(`${second.controlUrl}/api/v1/events`)).json()) as { events: readonly EventView[] }
      expect(events.map(({ id }) => id)).toEqual(events.map((_event, index) => index + 1))
      expect(events.filter(({ type }) => type === 'circuit.opened')).toHaveLength(1)
      const wall = (await (await fetch(`${second.controlUrl}/api/v1/history`)).json()) as WallHistory
      expect(wall.markers.map(({ kind }) => kind)).toEqual(['start', 'stop', 'start'])
      expect(wall.rows['llm']?.segments.map(({ state }) => state)).toEqual(['closed', 'open', 'unknown', 'closed'])
    },
  )
})

/** Holdfast in a process of its own. */
async function serve(path: string, dataDir: string): Promise<{ child: ChildProcess; gatewayUrl: string; controlUrl: string }> {
  const script = `
    const { loadConfig, startServer } = await import('@holdfast/server')
    const loaded = loadConfig(${JSON.stringify(path)}, { env: {} })
    await startServer(loaded.config)
    console.error('ready')
  `
  const args = ['--conditions=@holdfast/source', '--import', 'tsx', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  cleanup.add(() => child.kill('SIGKILL'))
  let told = ''
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
    told += chunk.toString()
    if (told.includes('ready')) break
  }
  const run = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as { gatewayUrl: string; controlUrl: string }
  return { child, gatewayUrl: run.gatewayUrl, controlUrl: run.controlUrl }
}

async function readUntil(url: string, headers: Record<string, string>, enough: (text: string) => boolean): Promise<string> {
  const response = await fetch(url, { headers })
  const body = response.body?.getReader()
  let text = ''
  while (!enough(text) || !text.endsWith('\n\n')) text += new TextDecoder().decode((await body?.read())?.value)
  await body?.cancel()
  return text
}
