import type { IncomingMessage, ServerResponse } from 'node:http'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup, startHoldfast, startHttp, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const pipeline = `
    retryMethods: [GET, POST]
    pipeline:
      totalTimeout: 5s
      retry: { maxAttempts: 3, initialDelay: 10ms }
      circuitBreaker: { failureThreshold: 3, openFor: 30s }
      bulkhead: { maxConcurrent: 4 }
      attemptTimeout: 300ms
`

async function throughGateway(
  handle: (request: IncomingMessage, response: ServerResponse, asked: number) => void,
): Promise<{ client: OpenAI; server: TestServer; asked: () => number }> {
  let asked = 0
  const url = await startHttp((request, response) => {
    request.resume()
    request.on('end', () => handle(request, response, ++asked))
  }, cleanup)
  const server = await startHoldfast(`upstreams:\n  llm:\n    url: ${url}${pipeline}`, cleanup)
  return { server, client: new OpenAI({ baseURL: `${server.gatewayUrl}/llm/v1`, apiKey: 'test', maxRetries: 0 }), asked: () => asked }
}

const completion = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
}
const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] }

function sendChunks(response: ServerResponse, texts: readonly string[], end: 'done' | 'cut'): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const text of texts) {
    response.write(
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`,
    )
  }
  if (end === 'done') response.end('data: [DONE]\n\n')
  else response.write(': ', () => response.destroy())
}

describe('the official OpenAI client through the gateway', () => {
  it('completes, and sends what it sent', async () => {
    const { client } = await throughGateway((request, response) => {
      expect([request.method, request.url, request.headers.authorization]).toEqual(['POST', '/v1/chat/completions', 'Bearer test'])
      response.setHeader('content-type', 'application/json').end(JSON.stringify(completion))
    })
    const answer = await client.chat.completions.create(ask)
    expect(answer.choices[0]?.message.content).toBe('hello')
  })

  it('streams', async () => {
    const { client, server } = await throughGateway((_request, response) => sendChunks(response, ['a', 'b', 'c'], 'done'))
    let text = ''
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('abc')
    expect(server.system.statistics().policies['circuit-breaker/llm']).toMatchObject({ successTotal: 1, failureTotal: 0 })
  })

  it('hears of a stream that was cut, and the breaker counts it', async () => {
    const { client, server } = await throughGateway((_request, response) => sendChunks(response, ['a'], 'cut'))
    const read = async (): Promise<void> => {
      for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) void chunk
    }
    await expect(read()).rejects.toThrow()
    expect(server.system.statistics().policies['circuit-breaker/llm']).toMatchObject({ successTotal: 0, failureTotal: 1 })
  })

  it('does not notice failures that a retry mended', async () => {
    const { client, asked } = await throughGateway((_request, response, count) => {
      if (count < 3) response.writeHead(503).end()
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(completion))
    })
    expect((await client.chat.completions.create(ask)).choices[0]?.message.content).toBe('hello')
    expect(asked()).toBe(3)
  })

  it("63: N configured attempts are N requests, also with the client's own retries on: the gateway is their one owner", async () => {
    const { server, asked } = await throughGateway((_request, response) => void response.destroy())
    const impatient = new OpenAI({ baseURL: `${server.gatewayUrl}/llm/v1`, apiKey: 'test', maxRetries: 2 })
    await expect(impatient.chat.completions.create(ask)).rejects.toMatchObject({ status: 502, code: 'upstream-failed' })
    expect(asked()).toBe(3)
  })

  it('67: an open circuit is an error with its cause and no request at all', async () => {
    const { client, asked } = await throughGateway((_request, response) => void response.writeHead(500).end())
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 500 })
    const before = asked()
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 503, code: 'circuit-open', type: 'holdfast_error' })
    expect(asked()).toBe(before)
  })

  it('is told of an upstream that hangs within the attempts it has', async () => {
    const { client, asked } = await throughGateway(() => undefined)
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 504, code: 'timeout' })
    expect(asked()).toBe(3)
  })

  it('61: waits out a short Retry-After with all callers, and asks once more', async () => {
    const { client, asked } = await throughGateway((_request, response, count) => {
      if (count === 1) response.writeHead(429, { 'retry-after-ms': '50' }).end()
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(completion))
    })
    expect((await client.chat.completions.create(ask)).choices[0]?.message.content).toBe('hello')
    expect(asked()).toBe(2)
  })

  it('takes its request with it when it aborts', async () => {
    let left: () => void = () => {}
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const { client } = await throughGateway((_request, response) => {
      response.once('close', left)
      sendChunksOpen(response)
    })
    const stream = await client.chat.completions.create({ ...ask, stream: true })
    for await (const chunk of stream) {
      void chunk
      stream.controller.abort()
    }
    await leaving
    expect(stream.controller.signal.aborted).toBe(true)
  })
})

function sendChunksOpen(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] })}\n\n`,
  )
}
