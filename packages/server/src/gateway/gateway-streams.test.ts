import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { bulkhead, circuitBreaker, pipeline } from 'holdfast'
import { afterEach, describe, expect, it } from 'vitest'
import { breakerRules, GatewayTests } from './gateway.fixture.ts'

const tests = new GatewayTests()
afterEach(() => tests.closeAll())

describe('streams', () => {
  it('29: passes each event on when it comes', async () => {
    let next: () => void = () => {}
    const { gateway } = await tests.set((_request, response) => {
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
    const { gateway } = await tests.set(
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
    const { gateway } = await tests.set(
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
    const { gateway } = await tests.set((_request, response) => {
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
    const { gateway } = await tests.set((_request, response) => {
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
    const { gateway } = await tests.set((_request, response) => {
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
