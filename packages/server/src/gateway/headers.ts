import { deadlineHeaderNames } from './client-deadline.ts'

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
  'http2-settings',
])

/** Of a request: what is told by the gateway itself, whatever a client claims, or concerns only the gateway. */
const dropped = new Set([
  ...hopByHop,
  ...deadlineHeaderNames,
  'host',
  'content-length',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-real-ip',
  'x-request-id',
])

/** The lower-case names that a Connection header lists. */
function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index] as string
    if (header.length !== 10 || header.toLowerCase() !== 'connection') continue
    for (const token of (rawHeaders[index + 1] as string).split(',')) {
      const name = token.trim().toLowerCase()
      if (name !== '' && name !== 'close' && name !== 'keep-alive') (named ??= new Set()).add(name)
    }
  }
  return named
}

export interface RequestHeaderRules {
  readonly host: string
  /** What the operator configured, by lower-case name. */
  readonly configured: ReadonlyMap<string, string>
  /** Lower-case names that are not passed on, `configured` among them. */
  readonly replaced: ReadonlySet<string>
  readonly alsoReplaced: ReadonlySet<string> | undefined
}

/** The headers of a request that go on to the upstream: flat name, value, name, value … */
export function requestHeaders(rawHeaders: readonly string[], rules: RequestHeaderRules): string[] {
  const { configured, replaced, alsoReplaced } = rules
  const named = namedByConnection(rawHeaders)
  const headers = ['host', rules.host]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const lower = name.toLowerCase()
    if (dropped.has(lower) || replaced.has(lower) || alsoReplaced?.has(lower) === true || named?.has(lower) === true) continue
    headers.push(name, rawHeaders[index + 1] as string)
  }
  for (const [name, value] of configured) headers.push(name, value)
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
