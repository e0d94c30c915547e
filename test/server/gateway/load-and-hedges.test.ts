import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('hedges', () => {
  it('a second request answers for a late one, which is closed; requests that must not be repeated stay alone', async () => {
    let slow = 0
    const closed: string[] = []
    const canary = await startCanary(cleanup, (request, response) => {
      response.once('close', () => closed.push(`${request.method} ${response.writableFinished}`))
      if (++slow % 2 === 0 || request.method === 'POST') response.end(`answer ${slow}`)
    })
    const { gatewayUrl, system } = await startGateway(cleanup, canary.url, { pipeline: '{ hedge: { delay: 20ms } }' })
    const get = await fetch(`${gatewayUrl}/up/x`)
    expect(await get.text()).toBe('answer 2')
    await expect.poll(() => closed.toSorted()).toEqual(['GET false', 'GET true'])
    const post = await fetch(`${gatewayUrl}/up/x`, { method: 'POST', body: 'once' })
    await post.text()
    expect(canary.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST'])
    expect(system.get('hedge/up').status()).toMatchObject({ calls: 2, hedges: 1, won: 1 })
  })

  it('failures of attempts that nobody hears of do not hold connections', async () => {
    let asked = 0
    const canary = await startCanary(cleanup, (_request, response) => {
      asked++
      if (asked % 2 === 1) setTimeout(() => response.end('late but well'), 60)
      else response.writeHead(503).end('x'.repeat(200_000))
    })
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      upstream: '    connections: 2',
      pipeline: '{ hedge: { delay: 5ms }, attemptTimeout: 20s }',
    })
    for (let round = 0; round < 6; round++) {
      const response = await fetch(`${gatewayUrl}/up/x`)
      expect([response.status, await response.text()]).toEqual([200, 'late but well'])
    }
  })
})

describe('limits of load', () => {
  it('under load the least important requests are shed first, and told when to come back', async () => {
    const release: (() => void)[] = []
    const canary = await startCanary(cleanup, (_request, response) => void release.push(() => response.end()))
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      upstream: '    priority: header:priority',
      pipeline: '{ loadShedder: { capacity: 4, maxLoad: 75%, shedFrom: 50% } }',
    })
    const ask = (priority: string): Promise<Response> => fetch(`${gatewayUrl}/up/x`, { headers: { priority } })
    const running = [ask('critical'), ask('critical'), ask('critical')]
    await expect.poll(() => canary.requests.length).toBe(3)
    const refused = await ask('low')
    expect([refused.status, refused.headers.get('x-holdfast-cause')]).toEqual([503, 'load-shed'])
    expect(Number(refused.headers.get('retry-after-ms'))).toBeGreaterThan(0)
    running.push(ask('critical'))
    await expect.poll(() => canary.requests.length).toBe(4)
    for (const end of release) end()
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('throttled and adaptively limited requests are refused by their own names', async () => {
    const release: (() => void)[] = []
    const canary = await startCanary(cleanup, (_request, response) => void release.push(() => response.end()))
    for (const [pipeline, cause] of [
      ['{ throttler: { maxConcurrent: 1, maxQueued: 0 } }', 'throttled'],
      ['{ adaptiveConcurrency: { maxLimit: 1, algorithm: aimd } }', 'concurrency-limited'],
    ] as const) {
      const { gatewayUrl } = await startGateway(cleanup, canary.url, { pipeline })
      const before = canary.requests.length
      const first = fetch(`${gatewayUrl}/up/x`)
      await expect.poll(() => canary.requests.length).toBe(before + 1)
      const second = await fetch(`${gatewayUrl}/up/x`)
      expect([second.status, second.headers.get('x-holdfast-cause')]).toEqual([503, cause])
      release.pop()?.()
      expect((await first).status).toBe(200)
    }
  })
})
