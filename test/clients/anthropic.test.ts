import Anthropic from '@anthropic-ai/sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { Cleanup, startHoldfast, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const message = {
  id: 'm1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
}
const ask = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'hi' }] }

async function client(
  answer: (asked: number) => { readonly status: number; readonly type: string; readonly body: string },
): Promise<{ client: Anthropic; asked: () => number }> {
  let asked = 0
  const url = await startHttp((request, response) => {
    request.resume()
    request.on('end', () => {
      const { status, type, body } = answer(++asked)
      response.writeHead(status, { 'content-type': type }).end(body)
    })
  }, cleanup)
  const server = await startHoldfast(
    `upstreams:\n  claude:\n    url: ${url}\n    retryMethods: [POST]\n    pipeline: { retry: { maxAttempts: 3, initialDelay: 10ms }, attemptTimeout: 2s }\n`,
    cleanup,
  )
  return { client: new Anthropic({ baseURL: `${server.gatewayUrl}/claude`, apiKey: 'test', maxRetries: 0 }), asked: () => asked }
}

function events(...data: readonly { readonly type: string }[]): string {
  return data.map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`).join('')
}

describe('the official Anthropic client through the gateway', () => {
  it('gets its message, over a 529 that a retry mended', async () => {
    const { client: anthropic, asked } = await client((count) =>
      count === 1
        ? { status: 529, type: 'application/json', body: '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}' }
        : { status: 200, type: 'application/json', body: JSON.stringify(message) },
    )
    const answer = await anthropic.messages.create(ask)
    expect(answer.content[0]).toMatchObject({ type: 'text', text: 'hello' })
    expect(asked()).toBe(2)
  })

  it('streams', async () => {
    const { client: anthropic } = await client(() => ({
      status: 200,
      type: 'text/event-stream',
      body: events(
        { type: 'message_start', message: { ...message, content: [], stop_reason: null } } as never,
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never,
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hel' } } as never,
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } } as never,
        { type: 'content_block_stop', index: 0 } as never,
        { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } } as never,
        { type: 'message_stop' },
      ),
    }))
    expect(await anthropic.messages.stream(ask).finalText()).toBe('hello')
  })

  it("gets the provider's own error, with its type", async () => {
    const { client: anthropic, asked } = await client(() => ({
      status: 400,
      type: 'application/json',
      body: '{"type":"error","error":{"type":"invalid_request_error","message":"no"}}',
    }))
    await expect(anthropic.messages.create(ask)).rejects.toMatchObject({ status: 400, error: { error: { type: 'invalid_request_error' } } })
    expect(asked()).toBe(1)
  })
})
