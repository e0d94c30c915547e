import type { IncomingMessage, ServerResponse } from 'node:http'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import { bulkhead, causesOf, circuitBreaker, isHoldfastError, pipeline, rateLimiter, retry, timeout, type Policy } from 'holdfast'
import { resilientFetch, responseTokens, type ResilientFetch } from 'holdfast/adapters/fetch'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

type Handle = (response: ServerResponse, count: number, request: IncomingMessage) => unknown

async function provider(handle: Handle): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  const url = await startHttp((request, response) => {
    request.resume()
    request.on('end', () => void handle(response, ++asked, request))
  }, cleanup)
  return { url, asked: () => asked }
}

interface Client {
  ask(signal?: AbortSignal): Promise<string>
  stream(): Promise<string>
}

const messages = [{ role: 'user' as const, content: 'hi' }]

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

/** Each client as its users make it: its own retries off, since the pipeline is the one owner. */
const clients: Readonly<Record<string, (url: string, fetch: ResilientFetch) => Client>> = {
  openai(url, fetch) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'test', maxRetries: 0, fetch })
    return {
      async ask(signal) {
        const answer = await client.chat.completions.create({ model: 'm', messages }, signal === undefined ? {} : { signal })
        return answer.choices[0]?.message.content ?? ''
      },
      async stream() {
        let text = ''
        for await (const chunk of await client.chat.completions.create({ model: 'm', messages, stream: true }))
          text += chunk.choices[0]?.delta.content ?? ''
        return text
      },
    }
  },
  anthropic(url, fetch) {
    const client = new Anthropic({ baseURL: url, apiKey: 'test', maxRetries: 0, fetch })
    const request = { model: 'm', max_tokens: 10, messages }
    return {
      async ask(signal) {
        const answer = await client.messages.create(request, signal === undefined ? {} : { signal })
        return answer.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
      },
      async stream() {
        let text = ''
        for await (const event of await client.messages.create({ ...request, stream: true }))
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
        return text
      },
    }
  },
  ai(url, fetch) {
    const model = createOpenAICompatible({ name: 'test', baseURL: `${url}/v1`, apiKey: 'test', fetch })('m')
    return {
      async ask(abortSignal) {
        return (await generateText({ model, prompt: 'hi', maxRetries: 0, ...(abortSignal === undefined ? {} : { abortSignal }) })).text
      },
      async stream() {
        let failure: unknown
        const { textStream } = streamText({ model, prompt: 'hi', maxRetries: 0, onError: ({ error }) => void (failure = error) })
        const text = await joined(textStream)
        if (failure !== undefined) throw failure
        return text
      },
    }
  },
  langchain(url, fetch) {
    const model = new ChatOpenAI({ model: 'm', apiKey: 'test', maxRetries: 0, configuration: { baseURL: `${url}/v1`, fetch } })
    return {
      async ask(signal) {
        return (await model.invoke('hi', signal === undefined ? {} : { signal })).text
      },
      async stream() {
        let text = ''
        for await (const chunk of await model.stream('hi')) text += chunk.text
        return text
      },
    }
  },
}

const isAnthropic = (request: IncomingMessage): boolean => request.url?.endsWith('/messages') === true

function complete(response: ServerResponse, request: IncomingMessage): void {
  const openai = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  }
  const anthropic = {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'hello' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 4 },
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(isAnthropic(request) ? anthropic : openai))
}

function startStream(response: ServerResponse, request: IncomingMessage, texts: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (data: { type?: string }): void => {
    const event = data.type === undefined ? '' : `event: ${data.type}\n`
    response.write(`${event}data: ${JSON.stringify(data)}\n\n`)
  }
  if (!isAnthropic(request)) {
    for (const content of texts) {
      const choices = [{ index: 0, delta: { content }, finish_reason: null }]
      send({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices } as object)
    }
    return
  }
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3, output_tokens: 1 } }
  send({ type: 'message_start', message } as object)
  send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as object)
  for (const text of texts) send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as object)
}

function endStream(response: ServerResponse, request: IncomingMessage): void {
  if (isAnthropic(request)) {
    const delta = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } }
    response.write(`event: message_delta\ndata: ${JSON.stringify(delta)}\n\n`)
    response.end('event: message_stop\ndata: {"type":"message_stop"}\n\n')
    return
  }
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  const last = {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
    usage,
  }
  response.end(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`)
}

const threeAttempts = (): Policy => retry({ maxAttempts: 3, initialDelay: 1, jitter: 'none' })
/** A generation may be asked for twice: it costs, and changes nothing. */
const generation = { isRepeatable: () => true } as const

async function eventually(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo() && turn < 2_000; turn++) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe.each(Object.entries(clients))('resilientFetch in %s', (_name, newClient) => {
  it('completes and streams', async () => {
    const { url } = await provider((response, count, request) => {
      if (count === 1) return complete(response, request)
      startStream(response, request, ['a', 'b', 'c'])
      endStream(response, request)
    })
    const client = newClient(url, resilientFetch(threeAttempts()))
    expect(await client.ask()).toBe('hello')
    expect(await client.stream()).toBe('abc')
  })

  it('63: N attempts are N requests, and the client sees the last answer as from fetch', async () => {
    const { url, asked } = await provider((response) =>
      response
        .writeHead(500, { 'content-type': 'application/json' })
        .end('{"error":{"message":"the server is broken","type":"server_error"}}'),
    )
    const failure = await newClient(url, resilientFetch(threeAttempts(), generation))
      .ask()
      .catch((error: unknown) => error)
    expect(asked()).toBe(3)
    expect((failure as Error).message).toContain('broken')
  })

  it('61: a 429 with Retry-After is waited out, and mended unseen', async () => {
    const { url, asked } = await provider((response, count, request) =>
      count === 1 ? response.writeHead(429, { 'retry-after-ms': '20' }).end('{}') : complete(response, request),
    )
    expect(await newClient(url, resilientFetch(threeAttempts())).ask()).toBe('hello')
    expect(asked()).toBe(2)
  })

  it('62: insufficient_quota is asked once', async () => {
    const body = '{"error":{"message":"no quota","type":"insufficient_quota","code":"insufficient_quota"}}'
    const { url, asked } = await provider((response) => response.writeHead(429, { 'content-type': 'application/json' }).end(body))
    await expect(newClient(url, resilientFetch(threeAttempts(), generation)).ask()).rejects.toThrow()
    expect(asked()).toBe(1)
  })

  it('a connection that is cut before the answer is tried again; a stream that is cut counts as a failure', async () => {
    const breaker = circuitBreaker({ failureThreshold: 5 })
    const { url, asked } = await provider((response, count, request) => {
      if (count === 1) return response.destroy()
      if (count === 2) return complete(response, request)
      startStream(response, request, ['a'])
      response.write(': ', () => response.destroy())
    })
    const client = newClient(url, resilientFetch(pipeline(threeAttempts(), breaker), generation))
    expect(await client.ask()).toBe('hello')
    expect(asked()).toBe(2)
    await client.stream().catch(() => undefined)
    await eventually(() => breaker.status().failureTotal === 2)
    expect(breaker.status()).toMatchObject({ failureTotal: 2 })
    expect(asked()).toBe(3)
  })

  it('a hang ends at the timeout, in as many requests as there are attempts', async () => {
    const { url, asked } = await provider(() => undefined)
    const guarded = pipeline(threeAttempts(), timeout('40ms'))
    const failure = await newClient(url, resilientFetch(guarded, generation))
      .ask()
      .catch((error: unknown) => error)
    expect(asked()).toBe(3)
    // openai and Anthropic know a timeout by its words, and make an error of their own out of it
    const isOwn = /timed out/.test((failure as Error).message)
    expect(isOwn || causesOf(failure).some((each) => isHoldfastError(each, 'ERR_TIMEOUT'))).toBe(true)
  })

  it("the client's abort reaches the provider", async () => {
    let left = false
    const { url, asked } = await provider((response) => response.on('close', () => (left = true)))
    const controller = new AbortController()
    const answer = newClient(url, resilientFetch(threeAttempts(), generation)).ask(controller.signal)
    await eventually(() => asked() === 1)
    controller.abort()
    await expect(answer).rejects.toThrow()
    await eventually(() => left)
    expect([left, asked()]).toEqual([true, 1])
  })

  it('64, 65, 98: tokens are reserved, put right by the answer when it has been read, and learned from its headers', async () => {
    const limiter = rateLimiter({
      limits: { requests: { limit: 100, window: '60s' }, tokens: { limit: 1_000, window: '60s' } },
      actualCost: (response) => ({ tokens: responseTokens(response) ?? 500 }),
    })
    const place = bulkhead({ maxConcurrent: 1 })
    const { url } = await provider((response, count, request) => {
      response.setHeader('x-ratelimit-limit-requests', '100')
      response.setHeader('x-ratelimit-remaining-requests', '40')
      response.setHeader('x-ratelimit-reset-requests', '36s')
      if (count === 1) return complete(response, request)
      startStream(response, request, ['a'])
      endStream(response, request)
    })
    const guarded = resilientFetch(pipeline(limiter, place), { limiter, readUsage: true, costOf: () => ({ tokens: 400 }) })
    const client = newClient(url, guarded)
    await client.ask()
    await eventually(() => place.status().running === 0)
    expect(limiter.usage()).toMatchObject({ requests: { used: 1 }, tokens: { used: 7 } })
    expect(limiter.usage().requests?.learned?.limit).toBe(100)
    expect(limiter.usage().requests?.remaining).toBeLessThan(42)
    await client.stream()
    await eventually(() => place.status().running === 0)
    expect(limiter.usage()).toMatchObject({ requests: { used: 2 }, tokens: { used: 14 } })
  })
})
