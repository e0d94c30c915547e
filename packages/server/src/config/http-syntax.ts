/** A header's name (RFC 9110 token). */
export const headerName: RegExp = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A header's value: visible characters, spaces and tabs. No line break can smuggle a second header in. */
export const headerValue: RegExp = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/** Headers that belong to one connection or to the message's framing: whoever sends the message sets them. */
export const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** One status or a class of them: 503, `'5xx'`. */
export type StatusPattern = number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx'

export function isStatusPattern(value: unknown): value is StatusPattern {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 100 && value <= 599
  return typeof value === 'string' && /^[1-5]xx$/.test(value)
}

/** A test whether a status is among the patterns; `never` are not, whatever the patterns say. */
export function statusMatcher(patterns: readonly StatusPattern[], never: readonly number[] = []): (status: number) => boolean {
  const matching = new Uint8Array(600)
  for (const pattern of patterns) {
    if (typeof pattern === 'number') matching[pattern] = 1
    else matching.fill(1, Number(pattern[0]) * 100, Number(pattern[0]) * 100 + 100)
  }
  for (const status of never) matching[status] = 0
  return (status) => matching[status] === 1
}

/** Whether only this machine can reach a listener bound to the host. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare)
}
