import OpenAI, { APIConnectionTimeoutError, APIUserAbortError, RateLimitError } from 'openai'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Service } from './http-service.ts'
import { startLlmServer, type LlmServerOptions } from './llm-server.ts'

const wish = 'Please order 4 × gauze rolls for the clinic in Lund.'
const searchTool: OpenAI.Chat.Completions.ChatCompletionFunctionTool = {
  type: 'function',
  function: { name: 'search', parameters: { type: 'object', properties: { query: { type: 'string' } } } },
}
const request = { model: 'demo-model', tools: [searchTool], messages: [{ role: 'user' as const, content: wish }] }
const found = JSON.stringify({ items: [{ sku: '9-9', name: 'gauze rolls', supplier: 'Northwind', price: 100, inStock: true }] })
const secondTurn = {
  ...request,
  messages: [...request.messages, { role: 'tool' as const, tool_call_id: 'call_1', content: found }],
}

let service: Service

async function start(options: Partial<LlmServerOptions> = {}): Promise<void> {
  service = await startLlmServer({ seed: 1, timeScale: 0.02, ...options })
}

function client(options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI {
  return new OpenAI({ baseURL: `${service.url}/v1`, apiKey: 'demo', maxRetries: 0, logLevel: 'off', ...options })
}

async function collect(
  stream: AsyncIterable<OpenAI.Chat.Completions.ChatCompletionChunk>,
): Promise<OpenAI.Chat.Completions.ChatCompletionChunk[]> {
  const chunks: OpenAI.Chat.Completions.ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const streamed = (options?: OpenAI.RequestOptions, openai = client()): ReturnType<typeof collect> =>
  openai.chat.completions.create({ ...secondTurn, stream: true, stream_options: { include_usage: true } }, options).then(collect)

async function timed(): Promise<number> {
  const began = performance.now()
  await client().chat.completions.create(request)
  return performance.now() - began
}

/** What became of 40 tasks, the first ten of which are asked twice. */
async function outcomes(seed: number): Promise<string[]> {
  const server = await startLlmServer({ seed, timeScale: 0 })
  await server.setFault({ kind: 'outage', mode: 'error', share: 0.5 })
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'demo', maxRetries: 0 })
  const ask = (task: number): Promise<string> =>
    openai.chat.completions.create(request, { headers: { 'x-task-id': `task-${task}` } }).then(
      ({ id }) => id,
      (error: { status?: number }) => String(error.status),
    )
  const said: string[] = []
  for (let task = 0; task < 40; task++) said.push(await ask(task))
  for (let task = 0; task < 10; task++) said.push(await ask(task))
  await server.close()
  return said
}

afterEach(() => service.close())

describe('through the official SDK', () => {
  beforeEach(() => start())

  it('a completion calls the tool that the conversation needs', async () => {
    const completion = await client().chat.completions.create(request)
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ type: 'function', function: { name: 'search', arguments: '{"query":"gauze rolls"}' } }] },
    })
    expect(completion.usage?.total_tokens).toBeGreaterThan(10)
  })

  it('a stream gives text, then a tool call in pieces, a finish reason and the usage that was asked for', async () => {
    const chunks = await streamed()
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
    const args = chunks.map((chunk) => chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '').join('')
    expect(text).toContain('cheapest offer in stock')
    expect(JSON.parse(args)).toEqual({ sku: '9-9', quantity: 4 })
    expect(chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason).toBe('tool_calls')
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(10)
  })

  it('the SDK’s own stream helper accepts the stream as complete', async () => {
    const final = await client().chat.completions.stream(secondTurn).finalChatCompletion()
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'place_order' } })
  })

  it('models are listed, and a wrong request is refused as OpenAI does', async () => {
    expect((await client().models.list()).data.map((model) => model.id)).toEqual(['demo-model'])
    await expect(client().chat.completions.create({ model: 'demo-model', messages: [] })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
    })
    await expect(client().chat.completions.create({ ...request, model: '' })).rejects.toMatchObject({ status: 400 })
  })
})

describe('under a fault', () => {
  beforeEach(() => start())

  it('a rate limit answers 429 with Retry-After, and what is refused counts against it', async () => {
    await service.setFault({ kind: 'rate-limit', perSecond: 1 })
    await client().chat.completions.create(request)
    const refused = await client()
      .chat.completions.create(request)
      .catch((error: unknown) => error as RateLimitError)
    expect(refused).toBeInstanceOf(RateLimitError)
    expect((refused as RateLimitError).headers.get('retry-after')).toBe('2')
    await vi.waitFor(() => expect(service.stats().outcomes).toMatchObject({ ok: 1, limited: 1 }))
  })

  it('the SDK waits as Retry-After asks, and its retry is seen as asking again', async () => {
    await service.setFault({ kind: 'rate-limit', perSecond: 2 })
    const options = { headers: { 'x-task-id': 'task-1' } }
    const headers = { headers: { 'x-task-id': 'task-2' } }
    await client().chat.completions.create(request, headers)
    await client().chat.completions.create(secondTurn, headers)
    const began = performance.now()
    await client({ maxRetries: 2 }).chat.completions.create(request, options)
    expect(performance.now() - began).toBeGreaterThan(950)
    await vi.waitFor(() => expect(service.stats()).toMatchObject({ repeated: 1, outcomes: { ok: 3, limited: 1 } }))
  })

  it('a cut stream breaks in the middle, after part of the answer has come', async () => {
    await service.setFault({ kind: 'cut', share: 1 })
    const seen: unknown[] = []
    const stream = await client().chat.completions.create({ ...secondTurn, stream: true })
    await expect(
      (async () => {
        for await (const chunk of stream) seen.push(chunk)
      })(),
    ).rejects.toThrow('terminated')
    expect(seen.length).toBeGreaterThan(5)
    await vi.waitFor(() => expect(service.stats().outcomes.broken).toBe(1))
  })

  it('a stall lets the SDK’s timeout fire, and is counted when the client leaves', async () => {
    await service.setFault({ kind: 'stall', share: 1 })
    await expect(client({ timeout: 150 }).chat.completions.create(request)).rejects.toBeInstanceOf(APIConnectionTimeoutError)
    await vi.waitFor(() => expect(service.stats()).toMatchObject({ inFlight: 0, outcomes: { stalled: 1 } }))
  })

  it('a stream that stalls stops in the middle, and only the caller’s signal ends it', async () => {
    await service.setFault({ kind: 'stall', share: 1 })
    const caller = new AbortController()
    const seen: unknown[] = []
    const stream = await client({ timeout: 100 }).chat.completions.create({ ...secondTurn, stream: true }, { signal: caller.signal })
    setTimeout(() => caller.abort(), 300)
    for await (const chunk of stream) seen.push(chunk) // the SDK ends the iteration quietly
    expect(caller.signal.aborted).toBe(true)
    expect(seen.length).toBeGreaterThan(5)
    expect(service.stats().extra).toMatchObject({ busy: 0 }) // an answer that is lost takes no place any more
  })

  it.each([
    ['error', { status: 503 }],
    ['reset', { status: undefined }],
    ['refuse', { status: undefined }],
  ] as const)('an outage by %s fails every request', async (mode, failure) => {
    await service.setFault({ kind: 'outage', mode, share: 1 })
    await expect(client().chat.completions.create(request)).rejects.toMatchObject(failure)
  })

  it('after an outage that refused connections the same port serves again', async () => {
    const { url } = service
    await service.setFault({ kind: 'outage', mode: 'refuse', share: 1 })
    await service.setFault(undefined)
    expect(service.url).toBe(url)
    await expect(client().chat.completions.create(request)).resolves.toBeDefined()
  })

  it('slow takes the factor longer', async () => {
    await service.setFault({ kind: 'slow', factor: 40 })
    expect(await timed()).toBeGreaterThan(150) // this answer takes 6 ms without the fault; timers are never early, however busy the machine
  })
})

describe('what it can do is finite', () => {
  it('beyond places and queue it answers 503, and every request is counted once', async () => {
    await start({ maxConcurrent: 2, maxQueued: 3, timeScale: 0.5 })
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => client().chat.completions.create(request)))
    expect(results.filter((result) => result.status === 'fulfilled').length).toBe(5)
    await vi.waitFor(() => expect(service.stats()).toMatchObject({ received: 12, inFlight: 0, outcomes: { ok: 5, overloaded: 7 } }))
    expect(service.stats().peakInFlight).toBeGreaterThanOrEqual(5)
  })

  it('tokens per second are limited as well', async () => {
    await start({ tokensPerSecond: 30 })
    await client().chat.completions.create(request)
    await expect(client().chat.completions.create(request)).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  })

  it('a client that leaves gives its place back at once', async () => {
    await start({ maxConcurrent: 1, timeScale: 1 })
    await service.setFault({ kind: 'slow', factor: 100 })
    const caller = new AbortController()
    const left = client().chat.completions.create(request, { signal: caller.signal })
    await vi.waitFor(() => expect(service.stats().extra['busy']).toBe(1))
    caller.abort()
    await expect(left).rejects.toBeInstanceOf(APIUserAbortError)
    await vi.waitFor(() => expect(service.stats()).toMatchObject({ inFlight: 0, extra: { busy: 0 }, outcomes: { abandoned: 1 } }))
  })
})

describe('luck comes from the seed', () => {
  it('the same seed and requests give the same answers and the same faults; a repetition is drawn anew; another seed differs', async () => {
    await start()
    const [first, second, other] = [await outcomes(3), await outcomes(3), await outcomes(4)]
    expect(first).toEqual(second)
    expect(first).not.toEqual(other)
    expect(first.filter((said) => said === '503').length).toBeGreaterThan(12)
    expect(first.filter((said) => said === '503').length).toBeLessThan(38)
    expect(first.slice(0, 10)).not.toEqual(first.slice(40))
  })
})
