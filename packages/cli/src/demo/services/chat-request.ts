/** The parts of an OpenAI chat completion request that the demo's model reads. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly stream: boolean
  readonly includeUsage: boolean
  /** Names of the functions offered as tools. */
  readonly tools: readonly string[]
}

export interface ChatMessage {
  readonly role: string
  readonly text: string
}

/** What is wrong with the body, as a sentence; otherwise the request. */
export function readChatRequest(body: unknown): ChatRequest | string {
  if (!isRecord(body)) return 'the body is not a JSON object'
  const { model, messages, stream, stream_options: streamOptions, tools } = body
  if (typeof model !== 'string' || model === '') return "'model' is missing"
  if (!Array.isArray(messages) || messages.length === 0) return "'messages' has to be a list with at least one message"
  if (!messages.every((message) => isRecord(message) && typeof message['role'] === 'string')) return "every message needs a 'role'"
  return {
    model,
    messages: (messages as Record<string, unknown>[]).map((message) => ({
      role: String(message['role']),
      text: textOf(message['content']),
    })),
    stream: stream === true,
    includeUsage: isRecord(streamOptions) && streamOptions['include_usage'] === true,
    tools: Array.isArray(tools) ? tools.flatMap(functionName) : [],
  }
}

/** Whether the conversation has come as far as a tool's result. */
export function hasToolResult(body: unknown): boolean {
  return (
    isRecord(body) && Array.isArray(body['messages']) && body['messages'].some((message) => isRecord(message) && message['role'] === 'tool')
  )
}

/** About what a tokenizer would say: four characters each. */
export function tokensIn(text: string): number {
  return Math.ceil(text.length / 4)
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

function functionName(tool: unknown): readonly string[] {
  if (!isRecord(tool) || !isRecord(tool['function'])) return []
  const { name } = tool['function']
  return typeof name === 'string' ? [name] : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
