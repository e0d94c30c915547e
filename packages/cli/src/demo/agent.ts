import { setMaxListeners } from 'node:events'
import type OpenAI from 'openai'
import type { Task } from './task.ts'
import type { OrderWish, Tools } from './tool-calls.ts'

type ChatMessages = OpenAI.Chat.Completions.ChatCompletionMessageParam[]
type ToolCall = OpenAI.Chat.Completions.ChatCompletionMessageFunctionToolCall

/** Everything an agent needs from outside. Both lanes run the same agent, with other connections. */
export interface AgentConnections extends Tools {
  readonly llm: OpenAI
  /** Makes a completion and reads it to its end; whoever hands it in may make it again. Once when absent. */
  readonly complete?: <T>(make: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T>
}

export interface TaskResult {
  readonly orderId: number
  /** Whether something stood in for the search. */
  readonly degraded: boolean
}

/** The model's answer ended before it was complete. */
export class IncompleteAnswer extends Error {
  override readonly name = 'IncompleteAnswer'
}

/** A complete answer that does not say what to do next, as one that stands in for the model's. */
export class UnhelpfulAnswer extends Error {
  override readonly name = 'UnhelpfulAnswer'
}

const model = 'demo-model'

const tools: OpenAI.Chat.Completions.ChatCompletionFunctionTool[] = [
  {
    type: 'function',
    function: {
      name: 'search',
      description: 'Finds offers for a product',
      parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
    },
  },
  {
    type: 'function',
    function: {
      name: 'place_order',
      description: 'Orders an offer',
      parameters: {
        type: 'object',
        properties: { sku: { type: 'string' }, quantity: { type: 'integer' } },
        required: ['sku', 'quantity'],
      },
    },
  },
]

/** Asks the model, searches, asks again with what was found (streamed), and orders. */
export async function runTask(task: Task, connections: AgentConnections, signal?: AbortSignal): Promise<TaskResult> {
  const { llm, search, order, complete = (make): ReturnType<typeof make> => make(signal) } = connections
  const messages: ChatMessages = [
    { role: 'system', content: 'You buy supplies for clinics. Search first, then order the cheapest offer in stock.' },
    { role: 'user', content: task.wish },
  ]
  const request = { model, messages, tools }

  const plan = await complete((given) => askForToolCall(llm, request, { task, signal: given }), signal)
  const found = await search((argumentsOf(plan) as { query: string }).query, { task, signal })
  messages.push({ role: 'assistant', content: null, tool_calls: [plan] })
  messages.push({ role: 'tool', tool_call_id: plan.id, content: JSON.stringify({ items: found.items }) })

  const decision = await complete((given) => streamToolCall(llm, request, { task, signal: given }), signal)
  const placed = await order(argumentsOf(decision) as OrderWish, { task, signal })
  return { orderId: placed.id, degraded: found.insteadOfSearch !== undefined }
}

interface ChatTurn {
  readonly model: string
  readonly messages: ChatMessages
  readonly tools: OpenAI.Chat.Completions.ChatCompletionFunctionTool[]
}

interface TurnOptions {
  readonly task: Task
  readonly signal: AbortSignal | undefined
}

function requestOptions({ task, signal }: TurnOptions): OpenAI.RequestOptions {
  // the client leaves a listener on the signal with every request; the signal ends with the task
  if (signal !== undefined) setMaxListeners(0, signal)
  return { headers: { 'x-task-id': task.id }, ...(signal === undefined ? {} : { signal }) }
}

async function askForToolCall(llm: OpenAI, turn: ChatTurn, options: TurnOptions): Promise<ToolCall> {
  const completion = await llm.chat.completions.create(turn, requestOptions(options))
  const call = completion.choices[0]?.message.tool_calls?.[0]
  if (call === undefined || call.type !== 'function') throw new UnhelpfulAnswer('the model called no tool')
  return call
}

/** Reads the chunks as they come, as an agent does that shows them to its user. */
async function streamToolCall(llm: OpenAI, turn: ChatTurn, options: TurnOptions): Promise<ToolCall> {
  const stream = await llm.chat.completions.create({ ...turn, stream: true }, requestOptions(options))
  const call = { id: '', name: '', arguments: '' }
  let chunks = 0
  let finished = false
  for await (const chunk of stream) {
    chunks++
    const choice = chunk.choices[0]
    if (choice === undefined) continue
    const part = choice.delta.tool_calls?.[0]
    call.id += part?.id ?? ''
    call.name += part?.function?.name ?? ''
    call.arguments += part?.function?.arguments ?? ''
    if (choice.finish_reason !== null) finished = true
  }
  if (chunks === 0) throw new UnhelpfulAnswer('no stream came')
  if (!finished) throw new IncompleteAnswer('the stream ended before the answer did')
  if (call.name === '') throw new UnhelpfulAnswer('the model called no tool')
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }
}

function argumentsOf(call: ToolCall): unknown {
  return JSON.parse(call.function.arguments)
}
