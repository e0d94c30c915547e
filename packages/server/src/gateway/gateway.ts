import { isIP } from 'node:net'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Call } from 'holdfast'
import { UpstreamFailure, type Answer } from './answer.ts'
import { deliver } from './deliver.ts'
import { Exchange } from './exchange.ts'
import { closeGracefully, trackConnections } from './graceful-close.ts'
import { countHeaders, requestHeaders } from './headers.ts'
import { limitConnections } from './connection-limits.ts'
import { ownAnswer, ownAnswerBody, type OwnAnswer } from './refusal-answer.ts'
import { readBody, type RequestBody } from './request-body.ts'
import type { Route } from './route.ts'
import { joinPath, parseTarget } from './target.ts'

/** What became of one request. */
export interface RequestRecord {
  /** Undefined when the request named none. */
  readonly upstream: string | undefined
  readonly method: string
  /** What the client was answered; 499 when it left first. */
  readonly status: number
  /** Why the gateway answered by itself, or cut the answer short. */
  readonly cause: string | undefined
  /** Requests sent to the upstream. */
  readonly attempts: number
  readonly durationMs: number
  /** Bytes of the answer's body. */
  readonly bytes: number
}

/** What policies and their functions find as `call.context`. */
export interface RequestContext {
  readonly method: string
  readonly clientAddress: string
  readonly header: (name: string) => string | undefined
  /** Whether sending the request twice does no more than sending it once. */
  readonly idempotent: boolean
  attempts: number
  fallback: string | undefined
}

export interface GatewayOptions {
  readonly routes: ReadonlyMap<string, Route>
  readonly now: () => number
  readonly onRequest?: (record: RequestRecord) => void
  /** Deadline of every request, in ms. @defaultValue none */
  readonly requestDeadlineMs?: number | undefined
  /** Longest time to receive the headers of a request, in ms. @defaultValue 10_000 */
  readonly headersTimeoutMs?: number
  /** Longest time to receive a whole request, in ms. @defaultValue 60_000 */
  readonly bodyTimeoutMs?: number
  /** Most connections at the same time. @defaultValue 4_096 */
  readonly maxConnections?: number
  /** Most connections of one address at the same time. @defaultValue no further limit */
  readonly maxConnectionsPerAddress?: number
  /** Addresses whose X-Forwarded-For is believed. @defaultValue none */
  readonly isTrustedProxy?: (address: string) => boolean
}

export interface Gateway {
  readonly server: Server
  /** Requests under way. */
  readonly inFlight: number
  /** Takes no more connections, and resolves when the requests under way are over, or after `graceMs`, when the rest is cut. */
  close(graceMs: number): Promise<void>
}

const clientLeft = new Error('the client has left')
const maxUrlLength = 8_192
const turnedAway = new Set([429, 503])

export function createGateway(options: GatewayOptions): Gateway {
  const handling = new Handling(options)
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: (options.headersTimeoutMs ?? 10_000) + (options.bodyTimeoutMs ?? 60_000),
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
      keepAliveTimeout: 65_000,
    },
    (request, response) => handling.handle(request, response),
  )
  server.maxHeadersCount = 200
  trackConnections(server)
  limitConnections(server, options.maxConnections ?? 4_096, options.maxConnectionsPerAddress ?? Infinity)
  return {
    server,
    get inFlight() {
      return handling.inFlight
    },
    close: (graceMs) => closeGracefully(server, graceMs),
  }
}

class Handling {
  inFlight = 0
  private readonly options: GatewayOptions

  constructor(options: GatewayOptions) {
    this.options = options
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.inFlight++
    const exchange = new ClientExchange(request, response, this.options, () => {
      this.inFlight--
    })
    exchange.run().catch((error: unknown) => exchange.answerSelf(ownAnswer(error, 'gateway')))
  }
}

/** One request of a client, from its head to the end of its answer. */
class ClientExchange {
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly options: GatewayOptions
  private readonly onEnd: () => void
  private readonly startedAt: number
  private upstream: string | undefined = undefined
  private context: RequestContext | undefined = undefined
  private over = false

  constructor(request: IncomingMessage, response: ServerResponse, options: GatewayOptions, onEnd: () => void) {
    this.request = request
    this.response = response
    this.options = options
    this.onEnd = onEnd
    this.startedAt = options.now()
  }

  async run(): Promise<void> {
    const { request } = this
    const url = request.url ?? ''
    if (url.length > maxUrlLength) return this.answerSelf({ status: 414, cause: 'bad-request', message: 'the request target is too long' })
    if (countHeaders(request.rawHeaders, 'host') !== 1)
      return this.answerSelf({ status: 400, cause: 'bad-request', message: 'exactly one Host header is required' })
    const target = parseTarget(url)
    if ('problem' in target) return this.answerSelf({ status: 400, cause: 'bad-request', message: target.problem })
    const route = this.options.routes.get(target.upstream)
    if (route === undefined)
      return this.answerSelf({ status: 404, cause: 'unknown-upstream', message: `there is no upstream '${target.upstream}'` })
    this.upstream = target.upstream
    const body = await readBody(request, { maxBytes: route.settings.maxBodyBytes, maxHeldBytes: route.settings.maxHeldBytes })
    if (body.kind === 'gone') return this.end(499, 'client-left', 0)
    if (body.kind === 'too-large') {
      return this.answerSelf({
        status: 413,
        cause: 'body-too-large',
        message: `the request body exceeds ${route.settings.maxBodyBytes} bytes`,
      })
    }
    await this.pass(route, target.path, body)
  }

  private async pass(route: Route, path: string, body: Exclude<RequestBody, { kind: 'gone' | 'too-large' }>): Promise<void> {
    const { request, response } = this
    const context = this.newContext(route)
    this.context = context
    const leaving = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) leaving.abort(clientLeft)
    })
    if (response.destroyed) leaving.abort(clientLeft)
    const sent = {
      path: joinPath(route.basePath, path),
      method: context.method,
      headers: requestHeaders(request.rawHeaders, route.settings.headers, route.host, {
        clientAddress: context.clientAddress,
        host: request.headers.host,
        protocol: 'http',
      }),
      body: body.kind === 'held' ? body.bytes : body.stream,
    }
    if (body.kind === 'streaming' && request.headers['content-length'] !== undefined)
      sent.headers.push('content-length', request.headers['content-length'])
    const outcome = await route.settings.policy.tryExecute(
      (call: Call) => {
        context.attempts++
        if (body.kind === 'streaming') call.doNotRetry()
        return new Exchange(route.settings.name, call, (answer) => route.judge(answer)).send(route.pool, sent)
      },
      { signal: leaving.signal, context, key: context.header('idempotency-key'), deadline: this.options.requestDeadlineMs },
    )
    if (outcome.ok) this.deliver(outcome.value)
    else if (outcome.error instanceof UpstreamFailure) this.deliver(outcome.error.answer)
    else if (leaving.signal.aborted) this.end(499, 'client-left', 0)
    else this.answerSelf(ownAnswer(outcome.refusal ?? outcome.error, route.settings.name))
  }

  /** An answer of the gateway itself, in place of the upstream's. */
  answerSelf(answer: OwnAnswer): void {
    const { response } = this
    if (this.over) return
    if (response.headersSent || response.destroyed) {
      response.destroy()
      this.end(answer.status, answer.cause, 0)
      return
    }
    const body = ownAnswerBody(answer, this.upstream)
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-holdfast-cause': answer.cause,
      // the gateway is the one owner of retries; who was turned away may come back, since nothing was sent
      ...(turnedAway.has(answer.status) ? {} : { 'x-should-retry': 'false' }),
      ...(answer.retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.ceil(answer.retryAfterMs / 1_000)), 'retry-after-ms': String(Math.ceil(answer.retryAfterMs)) }),
      ...(this.request.complete ? {} : { connection: 'close' }), // the rest of the request is not read
    })
    response.end(this.request.method === 'HEAD' ? undefined : body)
    this.end(answer.status, answer.cause, Buffer.byteLength(body))
  }

  private deliver(answer: Answer): void {
    const { context, response } = this
    const added: string[] = []
    if (context !== undefined && context.attempts > 1) added.push('x-holdfast-attempts', String(context.attempts))
    if (context?.fallback !== undefined) added.push('x-holdfast-fallback', context.fallback)
    deliver(answer, response, added, (bytes, error) => {
      if (error === undefined) this.end(answer.status, context?.fallback === undefined ? undefined : 'fallback', bytes)
      else if (response.errored === null && response.destroyed && error.message === clientLeft.message) this.end(499, 'client-left', bytes)
      else this.end(answer.status, 'upstream-cut', bytes)
    })
  }

  private newContext(route: Route): RequestContext {
    const { request } = this
    const method = request.method ?? 'GET'
    const keyed = request.headers['idempotency-key'] !== undefined
    return {
      method,
      clientAddress: this.clientAddress(),
      header: (name) => {
        const value = request.headers[name]
        return Array.isArray(value) ? value[0] : value
      },
      idempotent: keyed || route.settings.repeatable.has(method),
      attempts: 0,
      fallback: undefined,
    }
  }

  /** The peer's address, or what a proxy that is trusted says of the one before it: the last address no trusted proxy stands for. */
  private clientAddress(): string {
    const { isTrustedProxy } = this.options
    let address = this.request.socket.remoteAddress ?? ''
    const told = this.request.headers['x-forwarded-for']
    if (isTrustedProxy === undefined || typeof told !== 'string') return address
    for (const hop of told.split(',').toReversed()) {
      if (!isTrustedProxy(address)) break
      const candidate = hop.trim()
      if (isIP(candidate) === 0) break
      address = candidate
    }
    return address
  }

  private end(status: number, cause: string | undefined, bytes: number): void {
    if (this.over) return
    this.over = true
    this.onEnd()
    const { upstream, request, context, startedAt } = this
    const durationMs = this.options.now() - startedAt
    this.options.onRequest?.({ upstream, method: request.method ?? '', status, cause, attempts: context?.attempts ?? 0, durationMs, bytes })
  }
}
