import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'

export type Role = 'read' | 'operate'

/** A token as the server keeps it: never in clear. */
export interface Token {
  readonly name: string
  readonly role: Role
  readonly sha256: Buffer
}

function hashToken(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest()
}

/** Whose token a request carries, if any. All tokens are compared, each in constant time. */
export function tokenOf(context: Context, tokens: readonly Token[]): Token | undefined {
  const header = context.req.header('authorization') ?? ''
  const value = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header)?.[1]
  if (value === undefined) return undefined
  const given = hashToken(value)
  let found: Token | undefined
  for (const token of tokens) if (timingSafeEqual(given, token.sha256)) found = token
  return found
}

/** The answer to a change that is not allowed; undefined when it is. */
export function refuseChange(context: Context, tokens: readonly Token[]): Response | undefined {
  if (tokens.length === 0) {
    return context.json(
      problem('no-tokens', "no token is configured, so nothing can be changed here: add one with role 'operate' under server.tokens"),
      403,
    )
  }
  const token = tokenOf(context, tokens)
  if (token === undefined) {
    context.header('www-authenticate', 'Bearer realm="holdfast"')
    return context.json(problem('unauthorized', 'a bearer token is required'), 401)
  }
  if (token.role !== 'operate') return context.json(problem('forbidden', 'this token may only read'), 403)
  return undefined
}

export interface ProblemBody {
  readonly error: { readonly code: string; readonly message: string }
}

export function problem(code: string, message: string): ProblemBody {
  return { error: { code, message } }
}
