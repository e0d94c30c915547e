import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { countHeaders } from '../gateway/headers.ts'
import { problem } from './problem.ts'
import { securityHeaders } from './security-headers.ts'

const methods = new Set(['GET', 'HEAD', 'POST', 'DELETE'])
const allow = [...methods].join(', ')
const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** Names this listener answers for: another page's name that was rebound to this address must not read or change anything. */
export class KnownHosts {
  private names: ReadonlySet<string> = new Set(loopbackNames)

  constructor(names: readonly string[]) {
    this.set(names)
  }

  set(names: readonly string[]): void {
    this.names = new Set([...loopbackNames, ...names.map((name) => name.toLowerCase())])
  }

  /** A name with or without its port. */
  has(host: string): boolean {
    const lower = host.toLowerCase()
    return this.names.has(lower) || this.names.has(lower.replace(/:\d+$/, ''))
  }
}

/** What is wrong with a request before anybody asks what it wants; undefined when nothing is. */
export function vetRequest(request: IncomingMessage, hosts: KnownHosts): Refusal | undefined {
  const { method = '', url = '', headers, rawHeaders } = request
  if (!methods.has(method)) return { status: 405, code: 'method-not-allowed', message: `this listener takes ${allow}` }
  if (!url.startsWith('/')) return { status: 400, code: 'bad-request', message: "the target of a request must begin with '/'" }
  if (countHeaders(rawHeaders, 'host') !== 1) return { status: 400, code: 'bad-request', message: 'exactly one Host header is required' }
  if (hosts.has(headers.host ?? '')) return undefined
  return { status: 421, code: 'misdirected', message: 'this listener does not answer for that host; see server.control.allowedHosts' }
}

/** Answers a request that is not let in. */
export function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  if (status === 405) response.setHeader('allow', allow)
  const body = `${JSON.stringify(problem(code, message))}\n`
  // what is left of the request is not waited for
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(body)
}

/** Answers what is no proper HTTP request, or does not become one in time, and what asks for a tunnel. */
export function answerMalformed(server: Server): void {
  const responses = new WeakMap<Duplex, ServerResponse>()
  server.on('request', ({ socket }, response) => responses.set(socket, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerRaw(socket, statusOf(error.code), responses.get(socket)))
  server.on('connect', (_request, socket) => answerRaw(socket, 405, undefined))
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    refuse(response, { status: 417, code: 'expectation-failed', message: "only 'Expect: 100-continue' is understood" })
  })
}

function statusOf(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

function answerRaw(socket: Duplex, status: number, response: ServerResponse | undefined): void {
  // half an answer must not be followed by another one
  if (!socket.writable || (response?.headersSent === true && !response.writableFinished)) {
    socket.destroy()
    return
  }
  const name = STATUS_CODES[status] ?? ''
  const body = `${JSON.stringify(problem(name.toLowerCase().replaceAll(' ', '-'), name))}\n`
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(status === 405 ? { allow } : {}),
    ...securityHeaders,
  }
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}`)
  socket.on('error', () => undefined)
  socket.end(`HTTP/1.1 ${status} ${name}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}
