import type { ChatRequest } from './chat-request.ts'
import { tokensIn } from './chat-request.ts'
import type { Reply } from './chat-model.ts'

/** OpenAI's formats for a reply: one object, or a list of server-sent events. */
export interface ChatWire {
  readonly usage: ChatUsage
  completion(): unknown
  events(): readonly string[]
}

export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

export function chatWire(request: ChatRequest, reply: Reply, id: string): ChatWire {
  const { model } = request
  const created = Math.floor(Date.now() / 1_000)
  const { content, toolCall } = reply
  const callId = `call_${id}`
  const finishReason = toolCall === undefined ? 'stop' : 'tool_calls'
  const promptTokens = request.messages.reduce((sum, message) => sum + tokensIn(message.text), 0)
  const completionTokens = tokensIn(content) + (toolCall === undefined ? 0 : tokensIn(toolCall.name + toolCall.arguments))
  const usage: ChatUsage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }

  const event = (choices: readonly unknown[], rest: object = {}): string =>
    `data: ${JSON.stringify({ id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created, model, choices, ...rest })}\n\n`
  const delta = (part: object, reason: string | null = null): string => event([{ index: 0, delta: part, finish_reason: reason }])
  const callDelta = (part: object): string => delta({ tool_calls: [{ index: 0, ...part }] })

  return {
    usage,
    completion: () => ({
      id: `chatcmpl-${id}`,
      object: 'chat.completion',
      created,
      model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: content === '' ? null : content,
            ...(toolCall === undefined ? {} : { tool_calls: [{ id: callId, type: 'function', function: toolCall }] }),
          },
          finish_reason: finishReason,
        },
      ],
      usage,
    }),
    events: () => [
      delta({ role: 'assistant', content: '' }),
      ...pieces(content).map((text) => delta({ content: text })),
      ...(toolCall === undefined
        ? []
        : [
            callDelta({ id: callId, type: 'function', function: { name: toolCall.name, arguments: '' } }),
            ...pieces(toolCall.arguments).map((text) => callDelta({ function: { arguments: text } })),
          ]),
      delta({}, finishReason),
      ...(request.includeUsage ? [event([], { usage })] : []),
      'data: [DONE]\n\n',
    ],
  }
}

/** About a token each. */
function pieces(text: string): readonly string[] {
  return text.match(/\s*\S{1,6}/g) ?? []
}
