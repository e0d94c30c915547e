import Anthropic from '@anthropic-ai/sdk'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import type { Wire } from './wires.ts'

export interface Request {
  /** Base URL of one upstream at the gateway. */
  readonly url: string
  /** The client's own retries. */
  readonly maxRetries: number
  readonly signal: AbortSignal
  /** Takes text as it comes. */
  readonly onText: (text: string) => void
}

/** One client library, as its own documentation uses it. */
export interface Client {
  readonly name: string
  readonly wire: Wire
  /** @throws what the client throws */
  complete(request: Request): Promise<void>
  /** @throws what the client throws, or hands to its error callback */
  stream(request: Request): Promise<void>
}

const question = 'Say hello.'
const messages = [{ role: 'user' as const, content: question }]

export const clients: readonly Client[] = [openAi(), anthropic(), vercel(), langChain()]

function openAi(): Client {
  const open = ({ url, maxRetries }: Request): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'test', logLevel: 'off', maxRetries })
  return {
    name: 'openai',
    wire: 'openai',
    complete: async (request) => {
      const answer = await open(request).chat.completions.create({ model: 'm', messages }, { signal: request.signal })
      request.onText(answer.choices[0]?.message.content ?? '')
    },
    stream: async (request) => {
      const stream = await open(request).chat.completions.create({ model: 'm', messages, stream: true }, { signal: request.signal })
      for await (const chunk of stream) request.onText(chunk.choices[0]?.delta.content ?? '')
    },
  }
}

function anthropic(): Client {
  const open = ({ url, maxRetries }: Request): Anthropic => new Anthropic({ baseURL: url, apiKey: 'test', logLevel: 'off', maxRetries })
  const ask = { model: 'm', max_tokens: 10, messages }
  return {
    name: '@anthropic-ai/sdk',
    wire: 'anthropic',
    complete: async (request) => {
      const { content } = await open(request).messages.create(ask, { signal: request.signal })
      for (const block of content) if (block.type === 'text') request.onText(block.text)
    },
    stream: async (request) => {
      const stream = await open(request).messages.create({ ...ask, stream: true }, { signal: request.signal })
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') request.onText(event.delta.text)
      }
    },
  }
}

function vercel(): Client {
  const call = ({ url, maxRetries, signal }: Request): Parameters<typeof generateText>[0] => ({
    model: createOpenAICompatible({ name: 'holdfast', baseURL: `${url}/v1`, apiKey: 'test' }).chatModel('m'),
    prompt: question,
    abortSignal: signal,
    maxRetries,
  })
  return {
    name: 'ai',
    wire: 'openai',
    complete: async (request) => {
      const { text } = await generateText(call(request))
      request.onText(text)
    },
    stream: async (request) => {
      let failure: { readonly error: unknown } | undefined
      const { textStream } = streamText({ ...call(request), onError: (event) => void (failure ??= event) })
      for await (const text of textStream) request.onText(text)
      if (failure !== undefined) throw new OnlyInCallback(failure.error)
    },
  }
}

/** The text simply ends; the error is told to `onError` and nobody else. */
export class OnlyInCallback extends Error {
  constructor(cause: unknown) {
    super('told to onError', { cause })
  }
}

function langChain(): Client {
  const open = ({ url, maxRetries }: Request): ChatOpenAI =>
    new ChatOpenAI({ model: 'm', apiKey: 'test', configuration: { baseURL: `${url}/v1`, logLevel: 'off' }, maxRetries })
  return {
    name: '@langchain/openai',
    wire: 'openai',
    complete: async (request) => {
      const { text } = await open(request).invoke(question, { signal: request.signal })
      request.onText(text)
    },
    stream: async (request) => {
      for await (const chunk of await open(request).stream(question, { signal: request.signal })) request.onText(chunk.text)
    },
  }
}
