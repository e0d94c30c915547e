import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import type { AuditLog } from '../audit/index.ts'
import { clientOrigin } from '../gateway/client-origin.ts'
import type { ControlEnvironment, Identity } from './environment.ts'
import type { FailedLogins } from './failed-logins.ts'
import { problem } from './problem.ts'
import type { Sessions } from './sessions.ts'
import { bearerOf, type Tokens } from './tokens.ts'

export interface AccessOptions {
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly failedLogins: FailedLogins
  readonly audit: AuditLog
  /** Whether looking needs a token or a session. Asked anew each time. */
  readonly loginRequired: () => boolean
  /** Whether the listener speaks https itself. */
  readonly secure: boolean
  readonly isTrustedProxy: ((address: string) => boolean) | undefined
}

type ControlContext = Context<ControlEnvironment>

/** Where anybody may look, and log in. */
const sessionPath = '/api/v1/session'

/**
 * Finds out whom a request comes from, and refuses what they may not do. Everything under `/api`, `/events` and `/metrics` is
 * guarded, whether it exists or not; health says little to strangers by itself; the page's files hold no data.
 */
export function guard(options: AccessOptions): MiddlewareHandler<ControlEnvironment> {
  const { audit } = options
  return async (context, next) => {
    const origin = clientOrigin(context.env.incoming, options.isTrustedProxy)
    const found = identify(context, options, origin.address)
    context.set('origin', { ...origin, protocol: options.secure ? 'https' : origin.protocol })
    context.set('identity', found.identity)
    context.set('record', (entry) => audit.append({ ...entry, who: found.identity?.name ?? 'nobody', address: origin.address }))
    return refusal(context, options, found) ?? (await next())
  }
}

interface Found {
  readonly identity: Identity | undefined
  readonly fault?: 'wrong' | { readonly retryAfterMs: number }
}

function identify(context: ControlContext, { tokens, sessions, failedLogins }: AccessOptions, address: string): Found {
  const value = bearerOf(context.req.header('authorization'))
  if (value !== undefined && tokens.count > 0) {
    const retryAfterMs = failedLogins.retryAfterMs(address)
    if (retryAfterMs !== undefined) return { identity: undefined, fault: { retryAfterMs } }
    const token = tokens.find(value)
    if (token !== undefined) {
      const stillHolds = (): boolean => tokens.current(token) !== undefined
      return { identity: { name: token.name, role: token.role, via: 'bearer', expiresAt: null, stillHolds } }
    }
    failedLogins.count(address, 'bearer')
    return { identity: undefined, fault: 'wrong' }
  }
  const id = getCookie(context, sessionCookie(context))
  const session = id === undefined ? undefined : sessions.use(id)
  if (id === undefined || session === undefined) return { identity: undefined }
  const { token, expiresAt } = session
  return { identity: { name: token.name, role: token.role, via: 'session', expiresAt, stillHolds: () => sessions.use(id) !== undefined } }
}

function refusal(context: ControlContext, options: AccessOptions, { identity, fault }: Found): Response | undefined {
  const { path, method } = context.req
  if (!/^\/(api|events|metrics)(\/|$)/.test(path)) return undefined
  const isChange = method !== 'GET' && method !== 'HEAD'
  if (isChange && isFromElsewhere(context, options, identity))
    return context.json(problem('cross-origin', 'requests that change something are taken from this origin only'), 403)
  if (isChange && method === 'POST' && !/^application\/json *(;|$)/i.test(context.req.header('content-type') ?? ''))
    return context.json(problem('unsupported-media-type', 'the body must be application/json'), 415)
  if (path === sessionPath) return undefined
  if (isChange && options.tokens.count === 0) {
    const fix = "add one with role 'operate' under server.tokens"
    return context.json(problem('no-tokens', `no token is configured, so nothing can be changed here: ${fix}`), 403)
  }
  if (typeof fault === 'object') return tooManyFailures(context, fault.retryAfterMs)
  if (identity === undefined && (isChange || fault === 'wrong' || options.loginRequired())) return unauthorized(context)
  if (isChange && identity?.role !== 'operate') return context.json(problem('forbidden', 'this token may only read'), 403)
  return undefined
}

export function unauthorized(context: ControlContext): Response {
  context.header('www-authenticate', 'Bearer realm="holdfast"')
  return context.json(problem('unauthorized', 'a valid token is required: Authorization: Bearer …, or log in'), 401)
}

export function tooManyFailures(context: ControlContext, retryAfterMs: number): Response {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  context.header('retry-after', String(seconds))
  return context.json(problem('too-many-failures', `too many wrong tokens from this address: try again in ${seconds} s`), 429)
}

/** Browsers share cookies between the ports of a host: two servers on one machine must not end each other's sessions. */
export function sessionCookie(context: ControlContext): string {
  return `holdfast_session_${context.env.incoming.socket.localPort}`
}

/**
 * Whether a page of another origin sent a request. A browser says where a request comes from; a program need not, unless it shows a
 * cookie, which only browsers hold.
 */
function isFromElsewhere(context: ControlContext, { secure }: AccessOptions, identity: Identity | undefined): boolean {
  const site = context.req.header('sec-fetch-site')
  const origin = context.req.header('origin')
  if (site !== undefined && site !== 'same-origin') return true
  if (origin === undefined) return identity?.via === 'session' && site === undefined
  const host = context.req.header('host')?.toLowerCase()
  // behind a proxy that ends TLS the scheme is the proxy's
  return origin !== `https://${host}` && (secure || origin !== `http://${host}`)
}
