import { Hono, type Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import * as z from 'zod'
import type { SessionView } from '../wire.ts'
import { sessionCookie, tooManyFailures, unauthorized, type AccessOptions } from './access.ts'
import type { ControlEnvironment } from './environment.ts'
import { readBody } from './read-body.ts'
import type { Token } from './tokens.ts'

const loginBody = z.strictObject({ token: z.string().min(1).max(512) })

export interface SessionRoutesOptions extends AccessOptions {
  readonly onUnrecorded: (error: unknown) => void
  /** A session was ended by hand. */
  readonly onEnded: () => void
}

/** `/api/v1/session`: logging in with a token, for browsers. */
export function sessionRoutes(options: SessionRoutesOptions): Hono<ControlEnvironment> {
  const { tokens, sessions, failedLogins, audit } = options
  const show = (who: Pick<SessionView, 'who' | 'role' | 'expiresAt'> | undefined): SessionView => ({
    who: who?.who ?? null,
    role: who?.role ?? null,
    tokens: tokens.count > 0,
    loginRequired: options.loginRequired(),
    expiresAt: who?.expiresAt ?? null,
  })

  /** Looking must stay possible when the disk is full, so a log-in goes on without its record; changes do not. */
  const tryToRecord = (context: Context<ControlEnvironment>, who: string, action: string): void => {
    try {
      audit.append({ who, address: context.var.origin.address, action, subject: 'session' })
    } catch (error) {
      options.onUnrecorded(error)
    }
  }

  const begin = (context: Context<ControlEnvironment>, token: Token): Response => {
    const earlier = getCookie(context, sessionCookie(context))
    if (earlier !== undefined) sessions.end(earlier)
    const { id, session } = sessions.begin(token)
    tryToRecord(context, token.name, 'session.began')
    setCookie(context, sessionCookie(context), id, { ...attributes(context), maxAge: Math.floor(sessions.maxAgeMs / 1_000) })
    return context.json(show({ who: token.name, role: token.role, expiresAt: session.expiresAt }))
  }

  return new Hono<ControlEnvironment>()
    .get('/', (context) => {
      const { identity } = context.var
      return context.json(show(identity && { who: identity.name, role: identity.role, expiresAt: identity.expiresAt }))
    })
    .post('/', (context) => {
      const body = readBody(context, loginBody)
      if (body instanceof Response) return body
      const { address } = context.var.origin
      const retryAfterMs = failedLogins.retryAfterMs(address)
      if (retryAfterMs !== undefined) return tooManyFailures(context, retryAfterMs)
      const token = tokens.find(body.token)
      if (token !== undefined) return begin(context, token)
      failedLogins.count(address, 'login')
      return unauthorized(context)
    })
    .delete('/', (context) => {
      const id = getCookie(context, sessionCookie(context))
      const { identity } = context.var
      if (id !== undefined) sessions.end(id)
      options.onEnded()
      if (identity?.via === 'session') tryToRecord(context, identity.name, 'session.ended')
      deleteCookie(context, sessionCookie(context), attributes(context))
      return context.json(show(undefined))
    })
}

function attributes(context: Context<ControlEnvironment>): { httpOnly: true; sameSite: 'Strict'; path: string; secure: boolean } {
  return { httpOnly: true, sameSite: 'Strict', path: '/', secure: context.var.origin.protocol === 'https' }
}
