import { HoldfastError } from '../core/errors.ts'
import { admit, Admission, type ShedLoadOptions } from './http/admission.ts'
import { errorAnswer } from './http/answer.ts'
import { Deadlines, RunningDeadline, type DeadlineOptions, type RequestDeadline } from './http/deadline.ts'
import { holdResponse, type NodeResponse } from './http/held-response.ts'
import { IdempotencyKeys, type IdempotencyKeyOptions } from './http/idempotency-key.ts'
import { clientSignal, headerOf, send, type NodeHeaders } from './http/node-request.ts'
import { countRequest, type RateLimitOptions } from './http/rate-limit.ts'

export type { DeadlineOptions, RequestDeadline } from './http/deadline.ts'
export type { IdempotencyKeyOptions } from './http/idempotency-key.ts'
export type { RateLimitOptions } from './http/rate-limit.ts'
export type { ShedLoadOptions } from './http/admission.ts'

/** What of Express's request is used. */
export interface ExpressRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: NodeHeaders
  readonly body?: unknown
}

/** What of Express's response is used. */
export type ExpressResponse = NodeResponse

type Next = (error?: unknown) => void
/** A middleware of Express. */
export type ExpressMiddleware<Request extends ExpressRequest> = (request: Request, response: ExpressResponse, next: Next) => void

/** Limits requests: `RateLimit-Policy` and `RateLimit` on every answer, 429 with Retry-After beyond. */
export function rateLimit<Request extends ExpressRequest = ExpressRequest>(options: RateLimitOptions<Request>): ExpressMiddleware<Request> {
  return (request, response, next) => {
    countRequest(options, request, clientSignal(response)).then(({ headers, answer }) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      if (answer === undefined) next()
      else send(response, answer)
    }, next)
  }
}

/** Sheds load: 503 with Retry-After when the gate does not let a request in. */
export function shedLoad<Request extends ExpressRequest = ExpressRequest>(options: ShedLoadOptions<Request>): ExpressMiddleware<Request> {
  return (request, response, next) => {
    admit(options, request, clientSignal(response)).then((admission) => {
      if (!(admission instanceof Admission)) {
        send(response, admission)
        return
      }
      response.on('close', () => {
        if (response.writableEnded) admission.answered(response.statusCode)
        else admission.left()
      })
      next()
    }, next)
  }
}

const deadlines = new WeakMap<object, RequestDeadline>()

/** Reads how long the client waits; {@link deadlineOf} tells handlers. 504 for a request whose time is up, 400 for one that says nonsense. */
export function deadline(options: DeadlineOptions = {}): ExpressMiddleware<ExpressRequest> {
  const given = new Deadlines(options)
  return (request, response, next) => {
    const begun = given.begin((name) => headerOf(request.headers, name))
    if (!(begun instanceof RunningDeadline)) {
      send(response, begun)
      return
    }
    deadlines.set(request, begun)
    response.on('close', () => {
      if (response.writableEnded) begun.end()
      else begun.leave()
    })
    next()
  }
}

/** The deadline of a request; undefined where {@link deadline} is not in use. */
export function deadlineOf(request: ExpressRequest): RequestDeadline | undefined {
  return deadlines.get(request)
}

/**
 * Requests with the same `Idempotency-Key` are carried out once: 400 missing, 409 in flight, 422 other request, else the same answer. Its
 * place is behind the body parser, whose limit is that of the request.
 */
export function idempotencyKey<Request extends ExpressRequest = ExpressRequest>(
  options: IdempotencyKeyOptions<Request> = {},
): ExpressMiddleware<Request> {
  const keys = new IdempotencyKeys(options)
  return (request, response, next) => {
    const { method, originalUrl: target, headers, body } = request
    const keyField = headerOf(headers, 'idempotency-key')
    if (!keys.guards(method, keyField)) {
      next()
      return
    }
    if (body === undefined && (Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined)) {
      const message =
        'idempotencyKey: the body has not been parsed. Put a body parser that takes its type, such as express.json(), before it'
      next(new HoldfastError({ code: 'ERR_INVALID_OPTION', message }))
      return
    }
    const guarded = keys.begin({ method, target, keyField, tenant: keys.tenant(request), body })
    guarded.decision.then((answer) => {
      if (answer !== undefined) {
        send(response, answer)
        return
      }
      holdResponse(response, keys.maxResponseBytes, (made) => guarded.respond(made))
      response.on('close', guarded.left)
      next()
    }, next)
  }
}

/** For the end of the chain: refusals and timeouts of policies become 429, 503, 504 … with Retry-After. Other errors go on. */
export function answerErrors(): (error: unknown, request: ExpressRequest, response: ExpressResponse, next: Next) => void {
  return (error, _request, response, next) => {
    const answer = response.headersSent ? undefined : errorAnswer(error)
    if (answer === undefined) next(error)
    else send(response, answer)
  }
}
