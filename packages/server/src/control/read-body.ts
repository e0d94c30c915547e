import type { Context } from 'hono'
import * as z from 'zod'
import type { ControlEnvironment } from './environment.ts'
import { problem } from './problem.ts'

/** @throws SyntaxError for a body that is no JSON. */
export function jsonBody(context: Context<ControlEnvironment>): unknown {
  return JSON.parse(context.var.bodyText) as unknown
}

/** The body of a request as its schema says, or the answer that names what is wrong with it. */
export function readBody<T>(context: Context<ControlEnvironment>, schema: z.ZodType<T>): T | Response {
  let data: unknown
  try {
    data = jsonBody(context)
  } catch {
    return context.json(problem('bad-request', 'the body is no valid JSON'), 400)
  }
  const body = schema.safeParse(data)
  return body.success ? body.data : context.json(problem('bad-request', z.prettifyError(body.error)), 400)
}
