import type { RequestRecord } from './request-record.ts'

export type AccessLogFormat = 'json' | 'common'

const longestPath = 2_048

/** One line about one request, ending in a newline. Never a header, a body or a query: they may hold secrets. */
export function accessLine(record: RequestRecord, format: AccessLogFormat, wallNowMs: number): string {
  return format === 'json' ? jsonLine(record, wallNowMs) : commonLine(record, wallNowMs)
}

function jsonLine(record: RequestRecord, wallNowMs: number): string {
  const { requestId, clientAddress, method, path, upstream, status, cause, attempts, bytes, receivedBytes, traceId } = record
  return `${JSON.stringify({
    time: new Date(wallNowMs).toISOString(),
    requestId,
    client: clientAddress,
    method,
    path: shortened(path),
    upstream,
    status,
    cause,
    attempts,
    durationMs: rounded(record.durationMs),
    headMs: record.headMs === undefined ? undefined : rounded(record.headMs),
    bytes,
    receivedBytes,
    traceId,
  })}\n`
}

function commonLine({ clientAddress, method, path, status, bytes }: RequestRecord, wallNowMs: number): string {
  return `${clientAddress} - - [${commonTime(new Date(wallNowMs))}] "${escaped(`${method} ${shortened(path)}`)} HTTP/1.1" ${status} ${bytes}\n`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function commonTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
  return `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}:${time} +0000`
}

function shortened(path: string): string {
  return path.length <= longestPath ? path : `${path.slice(0, longestPath)}…`
}

/** What could end the quotes or the line, or steer a terminal, as `\xHH`. */
function escaped(text: string): string {
  return text.replaceAll(/["\\]|\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
