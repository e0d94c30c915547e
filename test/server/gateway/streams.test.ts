import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup } from '../../support/server.ts'
import { RawClient, eventually, startCanary, startGateway } from './hostile.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

describe('answers that take their time', () => {
  it('S29: each event arrives before the next is written, uncompressed ones and compressed ones alike', async () => {
    let sse: ServerResponse | undefined
    const canary = await startCanary(cleanup, (request, response) => {
      const encoding = request.url === '/gzip' ? { 'content-encoding': 'gzip' } : {}
      response.writeHead(200, { 'content-type': 'text/event-stream', ...encoding })
      response.flushHeaders()
      sse = response
    })
    const { gatewayUrl } = await startGateway(cleanup, canary.url)
    for (const path of ['plain', 'gzip']) {
      sse = undefined
      const client = new RawClient(gatewayUrl).send(`GET /up/${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n`)
      expect(await client.until(/\r\n\r\n/)).toMatch(/content-type: text\/event-stream/) // before any event
      expect(canary.requests.at(-1)?.headers['accept-encoding']).toBe('gzip, br')
      for (let event = 1; event <= 20; event++) {
        ;(sse as ServerResponse | undefined)?.write(`data: ${event}\n\n`)
        await client.until(new RegExp(`data: ${event}\n\n`))
      }
      expect(client.received.includes('content-encoding: gzip')).toBe(path === 'gzip')
      ;(sse as ServerResponse | undefined)?.end()
      await client.until(/\r\n0\r\n\r\n$/)
      client.socket.destroy()
    }
  })

  it('S29: a retry before the first event leaves no trace; an answer that has begun is never begun again', async () => {
    let calls = 0
    const canary = await startCanary(cleanup, (_request, response) => {
      calls++
      if (calls === 1) response.writeHead(503).end('not yet')
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n', () => response.destroy())
    })
    const { gatewayUrl } = await startGateway(cleanup, canary.url, {
      pipeline: '{ attemptTimeout: 5s, retry: { maxAttempts: 5, initialDelay: 1ms } }',
    })
    const answer = await new RawClient(gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n').end()
    expect([answer.match(/data: 1/g)?.length, answer.includes('not yet'), answer.endsWith('0\r\n\r\n'), calls]).toEqual([
      1,
      false,
      false,
      2,
    ])
  })

  it('S28: 1 GB for a client that reads slowly takes the gateway less than 32 MiB more', async () => {
    const total = 1_000_000_000
    const chunk = Buffer.alloc(256 * 1024, 'x')
    const upstream = createServer((request, response) => {
      let left = request.url === '/large' ? total : 64_000_000
      response.writeHead(200, { 'content-length': String(left) })
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          const piece = chunk.subarray(0, Math.min(left, chunk.length))
          left -= piece.length
          if (!response.write(piece)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    cleanup.add(() => {
      upstream.closeAllConnections()
      upstream.close()
    })
    const child = spawn(
      process.execPath,
      [
        '--conditions=@holdfast/source',
        '--import',
        'tsx',
        join(import.meta.dirname, '../../fixtures/gateway-process.ts'),
        `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    cleanup.add(() => child.kill('SIGKILL'))
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    const rss = async (): Promise<number> => {
      child.send('rss')
      const [{ rss: bytes }] = (await once(child, 'message')) as [{ rss: number }]
      return bytes
    }
    for (let warm = 0; warm < 3; warm++) await (await fetch(`${url}/up/warm`)).arrayBuffer()
    const before = await rss()
    let highest = before
    const client = new RawClient(url)
    client.socket.removeAllListeners('data') // what comes is counted, not kept
    let received = 0
    let untilPause = 0
    client.socket.on('data', (text: string) => {
      received += text.length
      untilPause += text.length
      if (untilPause < 100_000_000) return
      // a pause: the gateway has to hold back
      untilPause = 0
      client.socket.pause()
      void rss().then((bytes) => {
        highest = Math.max(highest, bytes)
        client.socket.resume()
      })
    })
    client.send('GET /up/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await once(client.socket, 'close')
    expect(received).toBeGreaterThan(total)
    highest = Math.max(highest, await rss())
    expect((highest - before) / 1024 / 1024).toBeLessThan(32)
  }, 120_000)
})

describe('draining', () => {
  it('S32: not ready at once, no new connection, keep-alive ones are told to close, and what is under way finishes', async () => {
    let finish: () => void = () => {}
    const canary = await startCanary(cleanup, (request, response) => {
      if (request.url !== '/slow') return void response.end('fast')
      finish = () => void response.end('finished')
    })
    const server = await startGateway(cleanup, canary.url, { gateway: 'shutdownGrace: 20s' })
    const idle = new RawClient(server.gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')
    await idle.until(/fast$/)
    const busy = new RawClient(server.gatewayUrl).send('GET /up/slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => canary.requests.length === 2)
    const closed = server.close()
    expect((await fetch(`${server.controlUrl}/health/ready`)).status).toBe(503)
    expect((await fetch(`${server.controlUrl}/health/alive`)).status).toBe(200)
    await idle.end()
    await expect(fetch(`${server.gatewayUrl}/up/x`)).rejects.toThrow()
    finish()
    expect(await busy.end()).toMatch(/^connection: close\r\n[\s\S]*finished$/im)
    await closed
  })

  it('S32: what is not over by the end of the grace period is cut', async () => {
    const canary = await startCanary(cleanup, (_request, response) => void response.write('begun'))
    const server = await startGateway(cleanup, canary.url, { gateway: 'shutdownGrace: 100ms' })
    const client = new RawClient(server.gatewayUrl).send('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(/begun/)
    await server.close()
    expect(await client.end()).not.toMatch(/0\r\n\r\n$/)
  })
})
