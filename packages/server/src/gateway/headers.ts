/** Headers that concern one connection only (RFC 9110 §7.6.1), and are never passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Told by the gateway itself, whatever a client claims. */
const ownHeaders = new Set([
  'host',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
])

/** The lower-case names that a Connection header lists. */
function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).toLowerCase() !== 'connection') continue
    for (const token of (rawHeaders[index + 1] as string).split(',')) {
      const name = token.trim().toLowerCase()
      if (name !== '' && name !== 'close' && name !== 'keep-alive') (named ??= new Set()).add(name)
    }
  }
  return named
}

export interface Forwarding {
  readonly clientAddress: string
  readonly host: string | undefined
  readonly protocol: 'http' | 'https'
}

/**
 * The headers of a request as they go to the upstream: flat name, value, name, value … What the operator configured
 * replaces what the client sent.
 */
export function requestHeaders(
  rawHeaders: readonly string[],
  configured: ReadonlyMap<string, string>,
  host: string,
  forwarding: Forwarding,
): string[] {
  const named = namedByConnection(rawHeaders)
  const headers = ['host', host]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || ownHeaders.has(lower) || lower === 'content-length') continue
    if (configured.has(lower) || named?.has(lower) === true) continue
    headers.push(name, rawHeaders[index + 1] as string)
  }
  for (const [name, value] of configured) headers.push(name, value)
  headers.push('x-forwarded-for', forwarding.clientAddress, 'x-forwarded-proto', forwarding.protocol)
  if (forwarding.host !== undefined) headers.push('x-forwarded-host', forwarding.host)
  return headers
}

/** The headers of an answer as they go to the client. */
export function answerHeaders(rawHeaders: readonly string[]): string[] {
  const named = namedByConnection(rawHeaders)
  const headers: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || named?.has(lower) === true) continue
    headers.push(name, rawHeaders[index + 1] as string)
  }
  return headers
}

/** The value of the first header of that lower-case name. */
export function headerValue(rawHeaders: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).length === wanted.length && (rawHeaders[index] as string).toLowerCase() === wanted)
      return rawHeaders[index + 1]
  }
  return undefined
}

export function countHeaders(rawHeaders: readonly string[], wanted: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if ((rawHeaders[index] as string).toLowerCase() === wanted) count++
  return count
}
