import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, expect, it } from 'vitest'
import { Cleanup, startHoldfast } from '../support/server.ts'
import { scriptedProvider } from './matrix/providers.ts'
import { wires, type Wire } from './matrix/wires.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** A gateway before a provider whose stream ends in the middle as if that were its end. */
async function politeEnd(wire: Wire): Promise<string> {
  const provider = await scriptedProvider(
    wire,
    (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(wires[wire].firstHalf),
    cleanup,
  )
  const { gatewayUrl } = await startHoldfast(`upstreams:\n  llm: { url: ${provider.url} }\n`, cleanup)
  return `${gatewayUrl}/llm`
}

const messages = [{ role: 'user' as const, content: 'hi' }]

it("57: OpenAI's stream helper tells a stream that ended early from a whole one", async () => {
  const client = new OpenAI({ baseURL: `${await politeEnd('openai')}/v1`, apiKey: 'test', maxRetries: 0 })
  await expect(client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion()).rejects.toThrow(/finish_reason/)
})

it("57: so does Anthropic's", async () => {
  const client = new Anthropic({ baseURL: await politeEnd('anthropic'), apiKey: 'test', maxRetries: 0 })
  await expect(client.messages.stream({ model: 'm', max_tokens: 9, messages }).finalMessage()).rejects.toThrow(/without|ended|stream/i)
})
