import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import * as forExpress from '../express.ts'
import * as forFastify from '../fastify.ts'
import * as forHono from '../hono.ts'
import type { ShedLoadOptions } from './admission.ts'
import type { DeadlineOptions, RequestDeadline } from './deadline.ts'
import type { IdempotencyKeyOptions } from './idempotency-key.ts'
import type { RateLimitOptions } from './rate-limit.ts'

/** Answers a request, in each framework's own way. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly stream?: AsyncIterable<string>
}

/** What of a request the options of a test look at. */
interface Asked {
  readonly header: (name: string) => string | undefined
}

export interface AppOptions {
  readonly rateLimit?: RateLimitOptions<Asked>
  readonly shedLoad?: ShedLoadOptions<Asked>
  readonly deadline?: DeadlineOptions
  readonly idempotencyKey?: IdempotencyKeyOptions<Asked>
  readonly handler: (body: unknown, deadline: RequestDeadline | undefined) => Answer | Promise<Answer>
}

export interface RunningApp {
  readonly url: string
  close(): Promise<void>
}

/** `keyOf` and its like for a framework's own request, out of those for any. */
function forRequest(options: object, asked: (request: never) => Asked): never {
  const entries = Object.entries(options).map(([name, value]) =>
    name.endsWith('Of') ? [name, (request: never) => (value as (of: Asked) => unknown)(asked(request))] : [name, value],
  )
  return Object.fromEntries(entries) as never
}

async function listen(server: Server): Promise<RunningApp> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders?shop=1`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function startHono(options: AppOptions): Promise<RunningApp> {
  const app = new Hono()
  const asked = (context: forHono.HonoContext): Asked => ({ header: (name) => context.req.header(name) })
  if (options.rateLimit !== undefined) app.use(forHono.rateLimit(forRequest(options.rateLimit, asked)))
  if (options.shedLoad !== undefined) app.use(forHono.shedLoad(forRequest(options.shedLoad, asked)))
  if (options.deadline !== undefined) app.use(forHono.deadline(options.deadline))
  if (options.idempotencyKey !== undefined) app.use(forHono.idempotencyKey(forRequest(options.idempotencyKey, asked)))
  app.all('/orders', async (context) => {
    const body: unknown = context.req.method === 'POST' ? await context.req.json() : undefined
    const { status = 200, headers, json, stream } = await options.handler(body, forHono.deadlineOf(context))
    if (stream === undefined) return context.json(json as object, status as 200, headers)
    return new Response(
      Readable.toWeb(Readable.from(stream, { objectMode: false })) as ReadableStream,
      headers === undefined ? { status } : { status, headers },
    )
  })
  app.onError(
    forHono.answerErrors((error, context) => Response.json({ error: error.message, path: context.req.url.length > 0 }, { status: 500 })),
  )
  const listener = getRequestListener(app.fetch)
  return listen(createServer((request, response) => void listener(request, response)))
}

async function startExpress(options: AppOptions): Promise<RunningApp> {
  const app = express()
  const asked = ({ headers }: forExpress.ExpressRequest): Asked => ({ header: (name) => headers[name] as string | undefined })
  if (options.rateLimit !== undefined) app.use(forExpress.rateLimit(forRequest(options.rateLimit, asked)))
  if (options.shedLoad !== undefined) app.use(forExpress.shedLoad(forRequest(options.shedLoad, asked)))
  if (options.deadline !== undefined) app.use(forExpress.deadline(options.deadline))
  app.use(express.json())
  if (options.idempotencyKey !== undefined) app.use(forExpress.idempotencyKey(forRequest(options.idempotencyKey, asked)))
  const answer = async (request: express.Request, response: express.Response): Promise<void> => {
    const { status = 200, headers = {}, json, stream } = await options.handler(request.body, forExpress.deadlineOf(request))
    response.status(status).set(headers)
    if (stream === undefined) response.json(json)
    else Readable.from(stream).pipe(response)
  }
  app.all('/orders', (request, response, next) => {
    answer(request, response).catch(next)
  })
  app.use(forExpress.answerErrors())
  return listen(createServer(app))
}

async function startFastify(options: AppOptions): Promise<RunningApp> {
  const app = fastify({ forceCloseConnections: true })
  const asked = ({ headers }: forFastify.FastifyRequest): Asked => ({ header: (name) => headers[name] as string | undefined })
  if (options.rateLimit !== undefined) await app.register(forFastify.rateLimit(forRequest(options.rateLimit, asked)))
  if (options.shedLoad !== undefined) await app.register(forFastify.shedLoad(forRequest(options.shedLoad, asked)))
  if (options.deadline !== undefined) await app.register(forFastify.deadline(options.deadline))
  if (options.idempotencyKey !== undefined) await app.register(forFastify.idempotencyKey(forRequest(options.idempotencyKey, asked)))
  app.setErrorHandler(forFastify.answerErrors())
  app.all('/orders', async (request, reply) => {
    const { status = 200, headers = {}, json, stream } = await options.handler(request.body, forFastify.deadlineOf(request))
    reply.code(status).headers(headers)
    return stream === undefined ? reply.send(json) : reply.send(Readable.from(stream))
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const running = await listen(app.server)
  return { url: running.url, close: () => app.close() }
}

export const frameworks: readonly (readonly [name: string, start: (options: AppOptions) => Promise<RunningApp>])[] = [
  ['hono', startHono],
  ['express', startExpress],
  ['fastify', startFastify],
]
