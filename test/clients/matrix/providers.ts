import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseFault } from '../../../packages/cli/src/demo/faults.ts'
import { replyTo } from '../../../packages/cli/src/demo/services/chat-model.ts'
import { readChatRequest } from '../../../packages/cli/src/demo/services/chat-request.ts'
import type { Answer, Exchange } from '../../../packages/cli/src/demo/services/exchange.ts'
import { startService, type Service } from '../../../packages/cli/src/demo/services/http-service.ts'
import { startLlmServer } from '../../../packages/cli/src/demo/services/llm-server.ts'
import { startHttp, type Cleanup } from '../../support/server.ts'
import { errorBody, wholeText, type Wire } from './wires.ts'

/** What stands behind the gateway in one cell of the matrix. */
export interface Provider {
  readonly url: string
  /** The text of its answers, when they come whole. */
  readonly text: string
  /** Requests that reached it. */
  asked(): number
}

/** How a scripted provider answers. */
export type Behaviour = (
  response: ServerResponse,
  context: { readonly wire: Wire; readonly stream: boolean; readonly asked: number },
) => void

const timeScale = 0.02
const seed = 7
/** What the demo's model answers whoever wants nothing it knows. */
const demoText = replyTo({ model: 'm', messages: [], stream: false, includeUsage: false, tools: [] }).content

/** A provider that does what it is told, whoever asks. */
export async function scriptedProvider(wire: Wire, behave: Behaviour, cleanup: Cleanup): Promise<Provider> {
  let asked = 0
  const url = await startHttp((request, response) => {
    asked++
    const count = asked
    response.on('error', () => undefined)
    void readBody(request).then((body) => behave(response, { wire, stream: /"stream":\s*true/.test(body), asked: count }))
  }, cleanup)
  return { url, text: wholeText, asked: () => asked }
}

/** The demo's model under one of the demo's faults; for Anthropic's wire, the same model and the same faults in its format. */
export async function demoProvider(wire: Wire, fault: string, cleanup: Cleanup): Promise<Provider> {
  const service = wire === 'openai' ? await startLlmServer({ seed, timeScale }) : await startAnthropicModel()
  cleanup.add(() => service.close())
  await service.setFault(parseFault(fault))
  return { url: service.url, text: demoText, asked: () => service.stats().received }
}

function startAnthropicModel(): Promise<Service> {
  return startService(
    { handle: answerAsAnthropic, errorBody: (code, message) => JSON.parse(errorBody('anthropic', code, message)) as unknown },
    { seed, timeScale },
  )
}

async function answerAsAnthropic(exchange: Exchange): Promise<Answer> {
  const request = readChatRequest(exchange.body)
  if (typeof request === 'string')
    return { status: 400, body: JSON.parse(errorBody('anthropic', 'invalid_request_error', request)) as unknown }
  const { content } = replyTo(request)
  const message = {
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 9 },
  }
  await exchange.work(200)
  if (!request.stream) return { status: 200, body: { ...message, content: [{ type: 'text', text: content }], stop_reason: 'end_turn' } }
  const event = (data: Readonly<Record<string, unknown>>): string => `event: ${String(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`
  const deltas = (content.match(/\s*\S{1,6}/g) ?? []).map((text) =>
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
  )
  return {
    status: 200,
    intervalMs: 15,
    events: [
      event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } }),
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      ...deltas,
      event({ type: 'content_block_stop', index: 0 }),
      event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } }),
      event({ type: 'message_stop' }),
    ],
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
  } catch {
    return text // the asker left
  }
  return text
}
