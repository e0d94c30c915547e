import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Call } from 'holdfast'
import { UpstreamFailure, type Answer } from './answer.ts'
import { clientDeadlineMs, deadlineHeaderValue } from './client-deadline.ts'
import { clientOrigin, type ClientOrigin } from './client-origin.ts'
import { ClientLeft, deliver } from './deliver.ts'
import { Departure } from './departure.ts'
import { Exchange, type ExchangeRequest } from './exchange.ts'
import { addForwarding } from './forwarding.ts'
import type { GatewayOptions } from './gateway.ts'
import { headerValue, requestHeaders } from './headers.ts'
import { endAndLinger } from './linger.ts'
import { ownAnswer, ownAnswerBody, type OwnAnswer } from './refusal-answer.ts'
import { readBody, type RequestBody } from './request-body.ts'
import type { RequestContext } from './request-context.ts'
import { requestId } from './request-id.ts'
import { requestPriority } from './request-priority.ts'
import type { Route } from './route.ts'
import { SwitchedAnswer } from './switched-answer.ts'
import { joinPath, type Target } from './target.ts'
import { traceHeaders, type RequestTrace } from './tracing.ts'
import { tunnel } from './tunnel.ts'
import { switchingHead } from './upgrade.ts'
import type { UpstreamConnections } from './upstream-connections.ts'
import { badRequest, vetRequest } from './vet-request.ts'

/** How a request came, and what has to be told of it. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** It waits to be told that its body is wanted. */
  readonly expectsContinue: boolean
  /** The connection that may become a tunnel, and the protocol its client wants. */
  readonly upgrade: { readonly socket: Socket; readonly protocol: string } | undefined
}

/** Who handles exchanges. */
export interface ExchangeHost {
  readonly options: GatewayOptions
  /** Answers should tell their clients to close the connection. */
  readonly draining: boolean
  /** An exchange is over. */
  ended(): void
  /** Nothing that comes on this connection from now on is a request. */
  refuses(socket: Socket): void
}

type SendableBody = Exclude<RequestBody, { kind: 'gone' | 'too-large' }>

const turnedAway = new Set([429, 503])

/** One request of a client, from its head to the end of its answer. */
export class ClientExchange {
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly arrival: Arrival
  private readonly host: ExchangeHost
  private readonly options: GatewayOptions
  private readonly startedAt: number
  private readonly requestId: string
  private readonly origin: ClientOrigin
  private upstream: string | undefined = undefined
  private connections: UpstreamConnections | undefined = undefined
  private context: RequestContext | undefined = undefined
  private body: RequestBody | undefined = undefined
  private trace: RequestTrace | undefined = undefined
  private headAt: number | undefined = undefined
  private over = false

  constructor(arrival: Arrival, host: ExchangeHost) {
    const { request, response } = arrival
    const { options } = host
    this.arrival = arrival
    this.host = host
    this.request = request
    this.response = response
    this.options = options
    this.startedAt = options.now()
    this.requestId = requestId(request.headers['x-request-id'])
    this.origin = clientOrigin(request, options.isTrustedProxy)
  }

  async run(): Promise<void> {
    const { request, options } = this
    this.beginTrace()
    const target = vetRequest(request)
    if ('cause' in target) {
      this.refuseRest() // who gets this wrong may mean anything by what follows
      return this.answerSelf(target)
    }
    const route = options.routes.get(target.upstream)
    if (route === undefined)
      return this.answerSelf({ status: 404, cause: 'unknown-upstream', message: `there is no upstream '${target.upstream}'` })
    this.upstream = target.upstream
    this.connections = route.connections
    this.connections.enter()
    const deadlineMs = this.deadlineMs()
    if (typeof deadlineMs === 'object') return this.answerSelf(badRequest(deadlineMs.problem))
    if (this.arrival.upgrade !== undefined && hasBody(request))
      return this.answerSelf(badRequest('a request to upgrade must not have a body'))
    const body = await this.readBody(route)
    if (body.kind === 'gone') return this.end(499, 'client-left', 0)
    if (body.kind === 'too-large') {
      return this.answerSelf({
        status: 413,
        cause: 'body-too-large',
        message: `the request body exceeds ${route.settings.maxBodyBytes} bytes`,
      })
    }
    await this.pass(route, target, body, deadlineMs)
  }

  /** An answer of the gateway itself, in place of the upstream's. */
  answerSelf(answer: OwnAnswer): void {
    const { response, request } = this
    if (this.over) return
    if (response.headersSent || response.destroyed) {
      response.destroy()
      this.end(answer.status, answer.cause, 0)
      return
    }
    const body = ownAnswerBody(answer, this.upstream)
    if (isUnread(request)) this.refuseRest()
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-holdfast-cause': answer.cause,
      'x-request-id': this.requestId,
      // the gateway is the one owner of retries; who was turned away may come back, since nothing was sent
      ...(turnedAway.has(answer.status) ? {} : { 'x-should-retry': 'false' }),
      ...(answer.retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.ceil(answer.retryAfterMs / 1_000)), 'retry-after-ms': String(Math.ceil(answer.retryAfterMs)) }),
      ...(response.shouldKeepAlive && !this.host.draining ? {} : { connection: 'close' }),
    })
    this.headAt = this.options.now()
    response.end(request.method === 'HEAD' ? undefined : body)
    this.end(answer.status, answer.cause, Buffer.byteLength(body))
  }

  private async pass(route: Route, target: Target, body: SendableBody, deadlineMs: number | undefined): Promise<void> {
    const { response } = this
    const sent = this.outgoing(route, target, body)
    const context = this.newContext(route, sent)
    this.context = context
    const departure = new Departure()
    response.once('close', () => {
      if (!response.writableFinished) departure.abort(new ClientLeft())
    })
    if (response.destroyed) departure.abort(new ClientLeft())
    const outcome = await route.settings.policy.tryExecute(
      (call: Call) => {
        context.attempts++
        if (body.kind === 'streaming') call.doNotRetry()
        return this.attempt(route, call, sent)
      },
      { signal: departure.signal, context, idempotencyKey: context.idempotencyKey, deadline: deadlineMs, priority: context.priority },
    )
    if (outcome.ok) this.deliver(route, outcome.value)
    else if (outcome.error instanceof UpstreamFailure) this.deliver(route, outcome.error.answer)
    else if (departure.aborted) this.end(499, 'client-left', 0)
    else this.answerSelf(ownAnswer(outcome.refusal ?? outcome.error, route.settings.name))
  }

  /** One request to the upstream. What differs from attempt to attempt is added here. */
  private attempt(route: Route, call: Call, sent: ExchangeRequest): Promise<Answer> {
    const { name, url, deadlineHeader } = route.settings
    const trace = this.trace?.beginAttempt({
      upstream: name,
      url,
      path: sent.path,
      method: sent.method,
      attempt: (this.context as RequestContext).attempts,
    })
    const remainingMs = deadlineHeader === undefined ? Infinity : call.remainingMs()
    const exchange = new Exchange(route, call, trace)
    if (trace === undefined && remainingMs === Infinity) return exchange.send(sent)
    const headers = trace === undefined ? [...sent.headers] : [...sent.headers, ...trace.headers]
    if (deadlineHeader !== undefined && remainingMs !== Infinity)
      headers.push(deadlineHeader, deadlineHeaderValue(deadlineHeader, remainingMs))
    return exchange.send({ ...sent, headers })
  }

  private outgoing(route: Route, { path }: Target, body: SendableBody): ExchangeRequest {
    const { request, arrival } = this
    const { settings } = route
    const headers = requestHeaders(request.rawHeaders, {
      host: route.host,
      configured: settings.headers,
      replaced: route.replacedHeaders,
      alsoReplaced: this.trace === undefined ? undefined : traceHeaders,
    })
    addForwarding(headers, settings.forwarding ?? 'x-forwarded', this.origin)
    headers.push('x-request-id', this.requestId)
    const declared = request.headers['content-length']
    if (body.kind === 'streaming' && declared !== undefined) headers.push('content-length', declared)
    return {
      path: joinPath(route.basePath, path),
      method: request.method ?? 'GET',
      headers,
      body: body.kind === 'held' ? body.bytes : body.stream,
      ...(arrival.upgrade === undefined ? {} : { upgrade: arrival.upgrade.protocol }),
    }
  }

  private newContext(route: Route, sent: ExchangeRequest): RequestContext {
    const { headers } = this.request
    // a key that stays behind (named in Connection, say) makes nothing repeatable
    const key = headers['idempotency-key'] === undefined ? '' : (headerValue(sent.headers, 'idempotency-key') ?? '')
    const header = (name: string): string | undefined => {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value
    }
    return {
      method: sent.method,
      clientAddress: this.origin.address,
      header,
      idempotencyKey: key === '' ? undefined : key,
      idempotent: key !== '' || route.settings.repeatable.has(sent.method),
      requestId: this.requestId,
      priority: requestPriority(route.settings.priority ?? 'normal', header),
      attempts: 0,
      fallback: undefined,
    }
  }

  private deliver(route: Route, answer: Answer): void {
    const { context, response } = this
    const added = this.addedHeaders(answer)
    if (this.host.draining) response.shouldKeepAlive = false
    if (isUnread(this.request)) this.refuseRest()
    try {
      this.headAt = this.options.now()
      if (answer instanceof SwitchedAnswer) {
        this.join(route, answer, added)
        return
      }
      deliver(answer, response, {
        added,
        clientIdleTimeoutMs: this.options.clientIdleTimeoutMs ?? 60_000,
        done: (bytes, error) => {
          if (error === undefined) this.end(answer.status, context?.fallback === undefined ? undefined : 'fallback', bytes)
          else if (error instanceof ClientLeft) this.end(499, error.why, bytes)
          else this.end(answer.status, 'upstream-cut', bytes)
        },
      })
    } catch {
      answer.discard()
      this.answerSelf({ status: 502, cause: 'upstream-failed', message: `${route.settings.name} sent headers that cannot be passed on` })
    }
  }

  /** The upstream has changed the protocol: from here on, the connections only carry bytes. */
  private join(route: Route, answer: SwitchedAnswer, added: readonly string[]): void {
    const { response, arrival } = this
    const socket = arrival.upgrade?.socket
    const head = switchingHead(answer, added)
    if (socket === undefined || socket.destroyed) {
      answer.discard()
      this.end(499, 'client-left', 0)
      return
    }
    response.detachSocket(socket)
    socket.write(head)
    tunnel(socket, answer.socket, {
      idleTimeoutMs: route.settings.tunnelIdleTimeoutMs ?? 300_000,
      onEnd: ({ received, sent, cause, error }) => {
        answer.tunnelEnded(cause === 'upstream-cut' ? error : undefined)
        this.end(101, cause, sent, received)
      },
    })
  }

  private addedHeaders(answer: Answer): string[] {
    const { context } = this
    // an upstream's own request id is what its support asks for
    const added = [answer.headers.get('x-request-id') === undefined ? 'x-request-id' : 'x-holdfast-request-id', this.requestId]
    if (context !== undefined && context.attempts > 1) {
      added.push('x-holdfast-attempts', String(context.attempts))
      // clients that retry by themselves would multiply what the retry policy has done already
      if (answer.status >= 400 && answer.headers.get('x-should-retry') === undefined) added.push('x-should-retry', 'false')
    }
    if (context?.fallback !== undefined) added.push('x-holdfast-fallback', encodeURIComponent(context.fallback))
    return added
  }

  private deadlineMs(): number | undefined | { readonly problem: string } {
    const { requestDeadlineMs, wallNow = Date.now } = this.options
    const asked = clientDeadlineMs(this.request.headers, wallNow())
    if (typeof asked !== 'number') return asked ?? requestDeadlineMs
    return Math.min(asked, requestDeadlineMs ?? Infinity)
  }

  private async readBody(route: Route): Promise<RequestBody> {
    const { maxBodyBytes, maxHeldBytes } = route.settings
    const begin = this.arrival.expectsContinue ? (): void => this.response.writeContinue() : undefined
    const body = await readBody(this.request, { maxBytes: maxBodyBytes, maxHeldBytes, begin })
    this.body = body
    return body
  }

  /** The rest of the request is not read: nothing that follows on this connection may be taken for a request. */
  private refuseRest(): void {
    const { socket } = this.request
    this.response.shouldKeepAlive = false
    this.host.refuses(socket)
    socket.destroySoon = () => endAndLinger(socket)
  }

  private beginTrace(): void {
    const { tracing } = this.options
    if (tracing === undefined) return
    const { request } = this
    const { method = 'GET', url = '' } = request
    this.trace = tracing.begin({
      method,
      path: pathOf(url),
      protocol: this.origin.protocol,
      clientAddress: this.origin.address,
      requestId: this.requestId,
      header: (name) => {
        const value = request.headers[name]
        return Array.isArray(value) ? value[0] : value
      },
    })
  }

  private end(status: number, cause: string | undefined, bytes: number, receivedBytes = this.receivedBytes()): void {
    if (this.over) return
    this.over = true
    this.host.ended()
    this.connections?.leave()
    const { upstream, request, context, startedAt, headAt, requestId: id, trace } = this
    trace?.end({ status, cause, upstream, bytes })
    this.options.onRequest?.({
      upstream,
      method: request.method ?? '',
      path: pathOf(request.url ?? ''),
      status,
      cause,
      attempts: context?.attempts ?? 0,
      durationMs: this.options.now() - startedAt,
      headMs: headAt === undefined ? undefined : headAt - startedAt,
      bytes,
      receivedBytes,
      clientAddress: this.origin.address,
      requestId: id,
      traceId: trace?.traceId ?? traceIdOf(request.headers['traceparent']),
    })
  }

  private receivedBytes(): number {
    const { body } = this
    if (body?.kind === 'held') return body.bytes?.length ?? 0
    return body?.kind === 'streaming' ? body.stream.received : 0
  }
}

/** Not all of the body has come yet. (Node has not even looked for its end when it hands over the head.) */
function isUnread(request: IncomingMessage): boolean {
  return !request.complete && hasBody(request)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

/** The trace id of a W3C traceparent. */
function traceIdOf(traceparent: string | string[] | undefined): string | undefined {
  return typeof traceparent === 'string' ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined
}
