import { capacity, type Capacity } from './capacity.ts'
import { chanceBetween } from './chance.ts'
import { replyTo } from './chat-model.ts'
import { hasToolResult, readChatRequest, type ChatRequest } from './chat-request.ts'
import { chatWire, type ChatUsage } from './chat-wire.ts'
import type { Answer, Exchange } from './exchange.ts'
import { startService, tooManyRequests, type Service, type ServiceOptions } from './http-service.ts'
import { QuotaBucket, type QuotaAnswer } from './quota-bucket.ts'

export interface LlmServerOptions extends ServiceOptions {
  /** Completions that are made at the same time. @defaultValue 10 */
  readonly maxConcurrent?: number
  /** Requests that wait for a place; more get 503. @defaultValue 200 */
  readonly maxQueued?: number
  /** @defaultValue 40 */
  readonly requestsPerSecond?: number
  /** Prompt and completion together. @defaultValue 10_000 */
  readonly tokensPerSecond?: number
}

const modelName = 'demo-model'
const fastestFirstTokenMs = 120
const slowestFirstTokenMs = 320
const tokenMs = 15

/**
 * A chat model behind OpenAI's interface (`POST /v1/chat/completions`, streamed or not, with tool calls; `GET /v1/models`). What
 * it can do is finite: places, a queue, requests and tokens per second. Work for a client that left stops.
 */
export function startLlmServer(options: LlmServerOptions): Promise<Service> {
  const model = new Model(options)
  return startService(
    {
      handle: (exchange) => model.handle(exchange),
      stepOf: (body) => (hasToolResult(body) ? 'answer' : 'plan'),
      errorBody,
      extra: () => ({ busy: model.places.busy, queued: model.places.queued }),
    },
    options,
  )
}

class Model {
  readonly places: Capacity
  private readonly requests: QuotaBucket
  private readonly tokens: QuotaBucket

  constructor(options: LlmServerOptions) {
    const { maxConcurrent = 10, maxQueued = 200, requestsPerSecond = 40, tokensPerSecond = 10_000 } = options
    this.places = capacity(maxConcurrent, maxQueued)
    this.requests = new QuotaBucket({ perSecond: requestsPerSecond })
    this.tokens = new QuotaBucket({ perSecond: tokensPerSecond })
  }

  async handle(exchange: Exchange): Promise<Answer> {
    const { method, path } = exchange
    if (method === 'GET' && path === '/v1/models') return models()
    if (method !== 'POST' || path !== '/v1/chat/completions')
      return { status: 404, body: errorBody('not_found', `nothing at ${method} ${path}`) }
    const request = readChatRequest(exchange.body)
    if (typeof request === 'string') return { status: 400, body: errorBody('invalid_request', request) }
    return this.complete(request, exchange)
  }

  private async complete(request: ChatRequest, exchange: Exchange): Promise<Answer> {
    const id = Math.floor(exchange.draw('id') * 2 ** 32).toString(36)
    const wire = chatWire(request, replyTo(request), id)
    const refused = this.quotaRefusal(wire.usage)
    if (refused !== undefined) return tooManyRequests(refused.retryAfterMs, errorBody)
    const place = await this.places.enter(exchange.gone)
    if (place === undefined) return { status: 503, body: errorBody('overloaded', 'the model is overloaded'), outcome: 'overloaded' }
    exchange.whenEnded(() => place.leave())

    await exchange.work(chanceBetween(fastestFirstTokenMs, slowestFirstTokenMs, exchange.draw('first token')))
    if (request.stream) return { status: 200, events: wire.events(), intervalMs: tokenMs }
    await exchange.work(wire.usage.completion_tokens * tokenMs)
    return { status: 200, body: wire.completion() }
  }

  private quotaRefusal(usage: ChatUsage): Extract<QuotaAnswer, { granted: false }> | undefined {
    const answers = [this.requests.take(1), this.tokens.take(usage.total_tokens)]
    return answers.find((answer) => !answer.granted)
  }
}

function models(): Answer {
  return { status: 200, body: { object: 'list', data: [{ id: modelName, object: 'model', created: 0, owned_by: 'demo' }] } }
}

function errorBody(code: string, message: string): unknown {
  const type = code === 'rate_limit_exceeded' ? 'requests' : code === 'invalid_request' ? 'invalid_request_error' : 'server_error'
  return { error: { message, type, param: null, code } }
}
