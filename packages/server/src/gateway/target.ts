/** Where a request line points to. */
export interface Target {
  readonly upstream: string
  /** Path and query as they go to the upstream; begins with '/'. */
  readonly path: string
}

export interface BadTarget {
  readonly problem: string
}

const upstreamName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
// anything outside printable ASCII has no place in a request line, and '\' is '/' to some servers
const forbidden = /[^\x21-\x5b\x5d-\x7e]/

/**
 * Splits `/<upstream>/<path>?<query>`. Only this form is taken: absolute URLs, '//', backslashes and dot segments (plain or
 * encoded) are refused, so that a request line can never choose another host or leave the upstream's base path.
 */
export function parseTarget(url: string): Target | BadTarget {
  if (!url.startsWith('/')) return { problem: 'the request target must be a path' }
  if (url.startsWith('//')) return { problem: "the request target must not begin with '//'" }
  if (forbidden.test(url)) return { problem: 'the request target has characters that are not allowed' }
  const queryAt = url.indexOf('?')
  const path = queryAt < 0 ? url : url.slice(0, queryAt)
  if (path.includes('#')) return { problem: "the request target must not have a '#'" }
  if (path.split('/').some(isDotSegment)) return { problem: "the request target must not have '.' or '..' segments" }
  const slashAt = path.indexOf('/', 1)
  const upstream = slashAt < 0 ? path.slice(1) : path.slice(1, slashAt)
  if (!upstreamName.test(upstream)) return { problem: 'the request target must begin with the name of an upstream: /<upstream>/<path>' }
  const rest = url.slice(1 + upstream.length)
  return { upstream, path: rest.startsWith('/') ? rest : `/${rest}` }
}

function isDotSegment(segment: string): boolean {
  const plain = segment.replaceAll(/%2e/gi, '.').split(/[;]|%2f|%5c/i)
  return plain.some((part) => part === '.' || part === '..')
}

/** Joins an upstream's base path (without a trailing slash) and the path of a request. */
export function joinPath(basePath: string, path: string): string {
  return basePath === '' || basePath === '/' ? path : basePath + path
}
