import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { neighbour } from '../support/neighbours.ts'
import { Cleanup, startHoldfast, startHttp, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function withTraffic(): Promise<TestServer> {
  const url = await startHttp((_request, response) => void response.end('ok'), cleanup)
  const server = await startHoldfast(
    `upstreams:\n  llm:\n    url: ${url}\n    pipeline: { retry: {}, circuitBreaker: {}, bulkhead: { maxConcurrent: 2 }, rateLimiter: { limit: 100, window: 1s }, attemptTimeout: 1s }\n`,
    cleanup,
  )
  for (let request = 0; request < 3; request++) await (await fetch(`${server.gatewayUrl}/llm/x`)).text()
  return server
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve)
  })
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

it('36: promtool finds nothing to complain about in the metrics page of a running server', async () => {
  const promtool = neighbour('promtool')
  const server = await withTraffic()
  const page = await (await fetch(`${server.controlUrl}/metrics`)).text()
  expect(page).toContain('resilience_circuitbreaker_state{name="llm",state="closed"} 1')
  execFileSync(promtool, ['check', 'metrics'], { input: page, stdio: ['pipe', 'pipe', 'pipe'] }) // throws with its complaints
})

it('a real Prometheus scrapes a running server, and knows what went through it', async () => {
  const prometheus = neighbour('prometheus')
  const server = await withTraffic()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-prometheus-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  const target = new URL(server.controlUrl).host
  await writeFile(
    join(folder, 'p.yml'),
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: holdfast, static_configs: [{ targets: ['${target}'] }] }]\n`,
  )
  const port = await freePort()
  const child = spawn(
    prometheus,
    [`--config.file=${folder}/p.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  )
  cleanup.add(
    () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  )
  const ask = async (query: string): Promise<string | undefined> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => undefined)
    const body = (await response?.json().catch(() => undefined)) as { data?: { result?: { value: [number, string] }[] } } | undefined
    return body?.data?.result?.[0]?.value[1]
  }
  let requests: string | undefined
  for (let tries = 0; tries < 150 && requests === undefined; tries++) {
    requests = await ask('holdfast_gateway_requests_total{upstream="llm",code="2xx"}')
    if (requests === undefined) await pause(200) // a real neighbour keeps its own time
  }
  expect(requests).toBe('3')
  expect(await ask('up{job="holdfast"}')).toBe('1')
})
