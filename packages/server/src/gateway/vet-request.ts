import type { IncomingMessage } from 'node:http'
import { countHeaders } from './headers.ts'
import type { OwnAnswer } from './refusal-answer.ts'
import { parseTarget, type Target } from './target.ts'

const maxUrlLength = 8_192
/** Of one request. */
export const maxHeaders = 100

/** Where a request goes to; or the answer to one that is not let in, whatever it asks for. */
export function vetRequest(request: IncomingMessage): Target | OwnAnswer {
  const { url = '', rawHeaders, method } = request
  if (request.httpVersionMajor !== 1) return { status: 505, cause: 'bad-request', message: 'only HTTP/1.1 and HTTP/1.0 are spoken here' }
  if (url.length > maxUrlLength)
    return { status: 414, cause: 'bad-request', message: `the request target exceeds ${maxUrlLength} characters` }
  if (rawHeaders.length > 2 * maxHeaders)
    return { status: 431, cause: 'headers-too-large', message: `the request has more than ${maxHeaders} headers` }
  if (countHeaders(rawHeaders, 'host') !== 1) return badRequest('exactly one Host header is required')
  // an upstream would send back what it was sent, the headers among it that only the gateway may know
  if (method === 'TRACE') return { status: 405, cause: 'bad-request', message: 'TRACE is not passed on' }
  const target = parseTarget(url)
  return 'problem' in target ? badRequest(target.problem) : target
}

export function badRequest(message: string): OwnAnswer {
  return { status: 400, cause: 'bad-request', message }
}
