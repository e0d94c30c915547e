import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('how long a client waits', () => {
  const ask = async (url: string, headers: Record<string, string>): Promise<[number, string | null]> => {
    const response = await fetch(`${url}/up/x`, { headers })
    await response.text()
    return [response.status, response.headers.get('x-holdfast-cause')]
  }

  it('S31: ends the request, in whichever way it is told', async () => {
    const silent = await startCanary(cleanup, () => undefined)
    const { gatewayUrl } = await startGateway(cleanup, silent.url)
    const ways = [
      { 'x-holdfast-timeout-ms': '30' },
      { 'x-envoy-upstream-rq-timeout-ms': '30' },
      { 'grpc-timeout': '30m' },
      { 'grpc-timeout': '30000u' },
      { 'x-holdfast-deadline': String(Date.now() + 1_000) },
      { 'x-holdfast-deadline': new Date(Date.now() + 1_000).toISOString() },
      { 'x-holdfast-timeout-ms': '86400000', 'grpc-timeout': '30m' },
    ]
    for (const headers of ways) expect([headers, await ask(gatewayUrl, headers)]).toEqual([headers, [504, 'deadline-exceeded']])
  })

  it('S31: nothing is sent for a client whose time is over already', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    for (const headers of [{ 'x-holdfast-deadline': '1700000000000' }, { 'x-holdfast-timeout-ms': '0' }] as Record<string, string>[])
      expect(await ask(gatewayUrl, headers)).toEqual([504, 'deadline-exceeded'])
    expect(canary.connections).toBe(0)
    expect(await ask(gatewayUrl, { 'x-envoy-upstream-rq-timeout-ms': '0' })).toEqual([200, null]) // means: no limit
  })

  it('S31: is never longer than the gateway’s own limit', async () => {
    const silent = await startCanary(cleanup, () => undefined)
    const { gatewayUrl } = await startGateway(cleanup, silent.url, { gateway: 'requestTimeout: 30ms' })
    expect(await ask(gatewayUrl, { 'x-holdfast-timeout-ms': '60000' })).toEqual([504, 'deadline-exceeded'])
  })

  it('S31: a value that cannot be read is a 400: its client must not wait without the limit it believes in', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    const bad: readonly [string, string][] = [
      ['x-holdfast-timeout-ms', '2s'],
      ['x-holdfast-timeout-ms', '-1'],
      ['x-holdfast-timeout-ms', '1e3'],
      ['x-holdfast-timeout-ms', 'Infinity'],
      ['x-holdfast-timeout-ms', '9'.repeat(20)],
      ['x-holdfast-deadline', 'tomorrow'],
      ['x-holdfast-deadline', '30'],
      ['grpc-timeout', '30'],
      ['grpc-timeout', '123456789m'],
      ['x-envoy-upstream-rq-timeout-ms', 'soon'],
    ]
    for (const [name, value] of bad) {
      const response = await fetch(`${gatewayUrl}/up/x`, { headers: { [name]: value } })
      expect([name, value, response.status, await response.text()]).toEqual([name, value, 400, expect.stringContaining(name)])
    }
    expect(canary.connections).toBe(0)
  })

  it('S31: is told to the upstream when it wants to know, less with each attempt, and never more than the attempt may take', async () => {
    const canary = await startCanary(cleanup, (_request, response) => void response.writeHead(503).end())
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      upstream: '    deadlineHeader: X-Request-Timeout-Ms',
      pipeline:
        '{ totalTimeout: 50s, attemptTimeout: 20s, retry: { maxAttempts: 3, initialDelay: 20ms, jitter: none, backoff: constant } }',
    })
    const told = (): number[] => canary.requests.splice(0).map(({ headers }) => Number(headers['x-request-timeout-ms']))
    await ask(gatewayUrl, { 'x-holdfast-timeout-ms': '10000', 'x-request-timeout-ms': '999999', 'grpc-timeout': '15S' })
    const [first = 0, second = 0, third = 0] = told()
    expect(first).toBeLessThanOrEqual(10_000)
    expect(first).toBeGreaterThan(5_000)
    expect(second).toBeLessThan(first)
    expect(third).toBeLessThan(second)
    await ask(gatewayUrl, {})
    for (const ms of told()) expect(ms).toBeLessThanOrEqual(20_000)
  })

  it('S31: what a client says of its time is not passed on as it came', async () => {
    const canary = await startCanary(cleanup)
    const { gatewayUrl } = await startGateway(cleanup, canary.url, { upstream: '    deadlineHeader: grpc-timeout' })
    await ask(gatewayUrl, { 'x-holdfast-timeout-ms': '5000', 'x-envoy-upstream-rq-timeout-ms': '6000', 'grpc-timeout': '7S' })
    const { headers } = canary.requests[0] ?? {}
    expect(headers?.['grpc-timeout']).toMatch(/^\d{1,4}m$/)
    expect(headers).not.toHaveProperty('x-holdfast-timeout-ms')
    expect(headers).not.toHaveProperty('x-envoy-upstream-rq-timeout-ms')
  })
})
