import type { MiddlewareHandler } from 'hono'
import { countHeaders } from '../gateway/headers.ts'
import { problem } from './authority.ts'
import type { ControlEnvironment } from './environment.ts'

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Refuses requests for other hosts: a page elsewhere whose name was rebound to this address must not read or change anything. */
export function hostGuard(allowedHosts: readonly string[]): MiddlewareHandler<ControlEnvironment> {
  const allowed = new Set([...loopbackNames, ...allowedHosts.map((host) => host.toLowerCase())])
  return async (context, next) => {
    const host = context.req.header('host') ?? ''
    const name = host.toLowerCase().replace(/:\d+$/, '')
    if (countHeaders(context.env.incoming.rawHeaders, 'host') !== 1)
      return context.json(problem('bad-request', 'exactly one Host header is required'), 400)
    if (!allowed.has(name))
      return context.json(problem('misdirected', 'this listener does not answer for that host; see server.control.allowedHosts'), 421)
    return await next()
  }
}

/** Headers that every answer of the control listener carries. */
export const securityHeaders: MiddlewareHandler<ControlEnvironment> = async (context, next) => {
  await next()
  context.header('x-content-type-options', 'nosniff')
  context.header('referrer-policy', 'no-referrer')
  context.header('x-frame-options', 'DENY')
  context.header('cross-origin-resource-policy', 'same-origin')
  context.header(
    'content-security-policy',
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  )
}
