import { Readable } from 'node:stream'
import { admit, Admission, type ShedLoadOptions } from './http/admission.ts'
import { errorAnswer, type HttpAnswer } from './http/answer.ts'
import { Deadlines, RunningDeadline, type DeadlineOptions, type RequestDeadline } from './http/deadline.ts'
import type { NodeResponse } from './http/held-response.ts'
import { IdempotencyKeys, type GuardedRequest, type IdempotencyKeyOptions } from './http/idempotency-key.ts'
import { clientSignal, headerOf, type NodeHeaders } from './http/node-request.ts'
import { countRequest, type RateLimitOptions } from './http/rate-limit.ts'
import { isEventStream, storedResponse } from './http/stored-response.ts'
import { concat } from './http/web-body.ts'

export type { DeadlineOptions, RequestDeadline } from './http/deadline.ts'
export type { IdempotencyKeyOptions } from './http/idempotency-key.ts'
export type { RateLimitOptions } from './http/rate-limit.ts'
export type { ShedLoadOptions } from './http/admission.ts'

/** What of Fastify's request is used. */
export interface FastifyRequest {
  readonly method: string
  readonly url: string
  readonly headers: NodeHeaders
  readonly body: unknown
}

/** What of Fastify's reply is used. */
export interface FastifyReply {
  readonly statusCode: number
  readonly raw: NodeResponse
  code(status: number): unknown
  header(name: string, value: string): unknown
  getHeaders(): Readonly<Record<string, unknown>>
  send(payload?: unknown): unknown
}

type Hook<Request> = (request: Request, reply: FastifyReply) => Promise<unknown>
type SendHook<Request> = (request: Request, reply: FastifyReply, payload: unknown) => Promise<unknown>

/** What of Fastify is used; its own types tell hooks apart, ours are taken as they are. */
interface Host<Request> {
  addHook(name: 'onRequest' | 'preHandler', hook: Hook<Request>): unknown
  addHook(name: 'onSend', hook: SendHook<Request>): unknown
}

/** A plugin for `app.register()`: it works for the instance it is registered with, and for those inside. */
export interface FastifyPlugin {
  (instance: { readonly addHook: unknown }, options: unknown, done: (error?: Error) => void): void
}

function plugin<Request>(install: (host: Host<Request>) => void): FastifyPlugin {
  const made: FastifyPlugin = (instance, _options, done) => {
    install(instance as unknown as Host<Request>)
    done()
  }
  // as fastify-plugin marks it: hooks belong to the instance around, not to one of the plugin's own
  return Object.assign(made, { [Symbol.for('skip-override')]: true })
}

/** Answers in place of the handler; what a hook returns then has to be the reply. */
function answerWith(reply: FastifyReply, { status, headers, body }: HttpAnswer): FastifyReply {
  reply.code(status)
  for (const [name, value] of Object.entries(headers)) reply.header(name, value)
  reply.send(typeof body === 'string' ? body : Buffer.from(body))
  return reply
}

/** Limits requests: `RateLimit-Policy` and `RateLimit` on every answer, 429 with Retry-After beyond. */
export function rateLimit<Request extends FastifyRequest = FastifyRequest>(options: RateLimitOptions<Request>): FastifyPlugin {
  return plugin<Request>((host) => {
    host.addHook('onRequest', async (request, reply) => {
      const { headers, answer } = await countRequest(options, request, clientSignal(reply.raw))
      for (const [name, value] of Object.entries(headers)) reply.header(name, value)
      return answer === undefined ? undefined : answerWith(reply, answer)
    })
  })
}

/** Sheds load: 503 with Retry-After when the gate does not let a request in. */
export function shedLoad<Request extends FastifyRequest = FastifyRequest>(options: ShedLoadOptions<Request>): FastifyPlugin {
  return plugin<Request>((host) => {
    host.addHook('onRequest', async (request, reply) => {
      const { raw } = reply
      const admission = await admit(options, request, clientSignal(raw))
      if (!(admission instanceof Admission)) return answerWith(reply, admission)
      raw.on('close', () => {
        if (raw.writableEnded) admission.answered(raw.statusCode)
        else admission.left()
      })
      return undefined
    })
  })
}

const deadlines = new WeakMap<object, RequestDeadline>()

/** Reads how long the client waits; {@link deadlineOf} tells handlers. 504 for a request whose time is up, 400 for one that says nonsense. */
export function deadline(options: DeadlineOptions = {}): FastifyPlugin {
  const given = new Deadlines(options)
  return plugin<FastifyRequest>((host) => {
    host.addHook('onRequest', async (request, reply) => {
      const begun = given.begin((name) => headerOf(request.headers, name))
      if (!(begun instanceof RunningDeadline)) return answerWith(reply, begun)
      deadlines.set(request, begun)
      reply.raw.on('close', () => {
        if (reply.raw.writableEnded) begun.end()
        else begun.leave()
      })
      return undefined
    })
  })
}

/** The deadline of a request; undefined where {@link deadline} is not in use. */
export function deadlineOf(request: object): RequestDeadline | undefined {
  return deadlines.get(request)
}

/** Requests with the same `Idempotency-Key` are carried out once: 400 missing, 409 in flight, 422 other request, else the same answer. */
export function idempotencyKey<Request extends FastifyRequest = FastifyRequest>(
  options: IdempotencyKeyOptions<Request> = {},
): FastifyPlugin {
  const keys = new IdempotencyKeys(options)
  const running = new WeakMap<object, GuardedRequest>()
  return plugin<Request>((host) => {
    host.addHook('preHandler', async (request, reply) => {
      const { method, url: target, headers, body = null } = request
      const keyField = headerOf(headers, 'idempotency-key')
      if (!keys.guards(method, keyField)) return undefined
      const guarded = keys.begin({ method, target, keyField, tenant: keys.tenant(request), body })
      const answer = await guarded.decision
      if (answer !== undefined) return answerWith(reply, answer)
      running.set(request, guarded)
      reply.raw.on('close', guarded.left)
      return undefined
    })
    host.addHook('onSend', async (request, reply, payload) => {
      const guarded = running.get(request)
      if (guarded === undefined) return payload
      const headers = Object.entries(reply.getHeaders())
      const { bytes, payload: sent } = await readPayload(
        payload,
        isEventStream(reply.getHeaders()['content-type']) ? -1 : keys.maxResponseBytes,
      )
      running.delete(request)
      await guarded.respond(storedResponse(reply.statusCode, headers, bytes))
      return sent
    })
  })
}

/** For `app.setErrorHandler`: refusals and timeouts of policies become 429, 503, 504 … with Retry-After. Other errors are Fastify's. */
export function answerErrors(): (error: unknown, request: object, reply: FastifyReply) => void {
  return (error, _request, reply) => {
    const answer = errorAnswer(error)
    if (answer === undefined) reply.send(error)
    else answerWith(reply, answer)
  }
}

interface Payload {
  /** All of it; absent when it was longer than wanted. */
  readonly bytes: Uint8Array | undefined
  readonly payload: unknown
}

/** Reads what is to be sent, up to a number of bytes; -1 reads nothing. */
async function readPayload(payload: unknown, maxBytes: number): Promise<Payload> {
  if (payload === undefined || payload === null) return { bytes: new Uint8Array(), payload }
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    return { bytes: bytes.byteLength > maxBytes ? undefined : bytes, payload }
  }
  if (maxBytes < 0 || !(payload instanceof Readable)) return { bytes: undefined, payload }
  const chunks: Uint8Array[] = []
  let length = 0
  const source = payload[Symbol.asyncIterator]() as AsyncIterator<Uint8Array | string>
  for (let { value, done } = await source.next(); done !== true; { value, done } = await source.next()) {
    const chunk = typeof value === 'string' ? new TextEncoder().encode(value) : value
    chunks.push(chunk)
    length += chunk.byteLength
    if (length > maxBytes) return { bytes: undefined, payload: Readable.from(rest(chunks, source)) }
  }
  const bytes = concat(chunks, length)
  return { bytes, payload: Buffer.from(bytes) }
}

async function* rest(chunks: readonly Uint8Array[], source: AsyncIterator<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  yield* chunks
  for (let { value, done } = await source.next(); done !== true; { value, done } = await source.next()) yield value
}
