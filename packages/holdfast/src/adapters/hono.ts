import { admit, Admission, type ShedLoadOptions } from './http/admission.ts'
import { errorAnswer, type HttpAnswer } from './http/answer.ts'
import { Deadlines, RunningDeadline, type DeadlineOptions, type RequestDeadline } from './http/deadline.ts'
import { IdempotencyKeys, type IdempotencyKeyOptions } from './http/idempotency-key.ts'
import { countRequest, type RateLimitOptions } from './http/rate-limit.ts'
import { isEventStream, storedResponse } from './http/stored-response.ts'
import { readUpTo } from './http/web-body.ts'

export type { DeadlineOptions, RequestDeadline } from './http/deadline.ts'
export type { IdempotencyKeyOptions } from './http/idempotency-key.ts'
export type { RateLimitOptions } from './http/rate-limit.ts'
export type { ShedLoadOptions } from './http/admission.ts'

/** What of Hono's context is used. */
export interface HonoContext {
  readonly req: {
    readonly method: string
    readonly url: string
    readonly raw: Request
    header(name: string): string | undefined
    arrayBuffer(): Promise<ArrayBuffer>
  }
  res: Response
  header(name: string, value: string): void
}

type Next = () => Promise<void>
/** A middleware of Hono. */
export type HonoMiddleware<Context extends HonoContext> = (context: Context, next: Next) => Promise<Response | void>

function responseOf({ status, headers, body }: HttpAnswer): Response {
  const bodiless = status === 204 || status === 205 || status === 304
  return new Response(bodiless ? null : (body as string | Uint8Array<ArrayBuffer>), { status, headers })
}

/** Limits requests: `RateLimit-Policy` and `RateLimit` on every answer, 429 with Retry-After beyond. */
export function rateLimit<Context extends HonoContext = HonoContext>(options: RateLimitOptions<Context>): HonoMiddleware<Context> {
  return async (context, next) => {
    const { headers, answer } = await countRequest(options, context, context.req.raw.signal)
    if (answer !== undefined) return responseOf({ ...answer, headers: { ...answer.headers, ...headers } })
    await next()
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
    return undefined
  }
}

/** Sheds load: 503 with Retry-After when the gate does not let a request in. */
export function shedLoad<Context extends HonoContext = HonoContext>(options: ShedLoadOptions<Context>): HonoMiddleware<Context> {
  return async (context, next) => {
    const admission = await admit(options, context, context.req.raw.signal)
    if (!(admission instanceof Admission)) return responseOf(admission)
    try {
      await next()
      admission.answered(context.res.status)
    } finally {
      admission.left() // of one that threw; does nothing otherwise
    }
    return undefined
  }
}

const deadlines = new WeakMap<object, RequestDeadline>()

/** Reads how long the client waits; {@link deadlineOf} tells handlers. 504 for a request whose time is up, 400 for one that says nonsense. */
export function deadline(options: DeadlineOptions = {}): HonoMiddleware<HonoContext> {
  const given = new Deadlines(options)
  return async (context, next) => {
    const begun = given.begin((name) => context.req.header(name))
    if (!(begun instanceof RunningDeadline)) return responseOf(begun)
    const { signal } = context.req.raw
    const leave = (): void => begun.leave()
    signal.addEventListener('abort', leave)
    deadlines.set(context, begun)
    try {
      await next()
    } finally {
      signal.removeEventListener('abort', leave)
      begun.end()
    }
    return undefined
  }
}

/** The deadline of a request; undefined where {@link deadline} is not in use. */
export function deadlineOf(context: HonoContext): RequestDeadline | undefined {
  return deadlines.get(context)
}

/** Requests with the same `Idempotency-Key` are carried out once: 400 missing, 409 in flight, 422 other request, else the same answer. */
export function idempotencyKey<Context extends HonoContext = HonoContext>(
  options: IdempotencyKeyOptions<Context> = {},
): HonoMiddleware<Context> {
  const keys = new IdempotencyKeys(options)
  return async (context, next) => {
    const { req } = context
    const keyField = req.header('idempotency-key')
    if (!keys.guards(req.method, keyField)) {
      await next()
      return undefined
    }
    if (Number(req.header('content-length') ?? 0) > keys.maxRequestBytes) return new Response(null, { status: 413 })
    const body = new Uint8Array(await req.arrayBuffer())
    if (body.byteLength > keys.maxRequestBytes) return new Response(null, { status: 413 })
    const { pathname, search } = new URL(req.url)
    const request = keys.begin({ method: req.method, target: pathname + search, keyField, tenant: keys.tenant(context), body })
    const answer = await request.decision
    if (answer !== undefined) return responseOf(answer)
    const { signal } = req.raw
    signal.addEventListener('abort', request.left)
    if (signal.aborted) request.left()
    try {
      await next()
      const { res } = context
      const whole = isEventStream(res.headers.get('content-type')) ? undefined : await readUpTo(res.body, keys.maxResponseBytes)
      await request.respond(storedResponse(res.status, res.headers, whole?.bytes))
      if (whole !== undefined && res.body !== null) context.res = new Response(whole.body, res)
    } catch (error) {
      request.fail(error)
      throw error
    } finally {
      signal.removeEventListener('abort', request.left)
    }
    return undefined
  }
}

/** For `app.onError`: refusals and timeouts of policies become 429, 503, 504 … with Retry-After. @param otherwise Answers all other errors. */
export function answerErrors<Context extends HonoContext = HonoContext>(
  otherwise: (error: Error, context: Context) => Response | Promise<Response>,
): (error: Error, context: Context) => Response | Promise<Response> {
  return (error, context) => {
    const answer = errorAnswer(error)
    return answer === undefined ? otherwise(error, context) : responseOf(answer)
  }
}
