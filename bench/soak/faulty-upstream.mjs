// An upstream that does on request what upstreams do by accident. It ends with the soak.
import { createServer } from 'node:http'
import { listen } from '../gateway/proxies/listen.mjs'

const json = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000) }))
const big = Buffer.alloc(512 * 1024, 'x')

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/** @param {Response} response */
function good(response) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': json.length }).end(json)
}

/**
 * Sends pieces with pauses, and ends as `last` says.
 * @param {Response} response
 * @param {{ readonly pieces: number, readonly everyMs: number, readonly text: string, readonly last: 'end' | 'reset' }} plan
 */
function inPieces(response, { pieces, everyMs, text, last }) {
  let left = pieces
  const timer = setInterval(() => {
    response.write(text)
    if (--left > 0) return
    clearInterval(timer)
    if (last === 'end') response.end()
    else response.destroy()
  }, everyMs)
  response.once('close', () => clearInterval(timer))
}

/** @type {Readonly<Record<string, (request: Request, response: Response) => void>>} */
const behaviours = {
  ok: (_request, response) => good(response),
  error: (_request, response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('failed'),
  'rate-limited': (_request, response) => response.writeHead(429, { 'retry-after-ms': '50' }).end(),
  hang: () => undefined,
  reset: (request) => request.socket.resetAndDestroy(),
  cut: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '1000' })
    inPieces(response, { pieces: 2, everyMs: 20, text: 'half', last: 'reset' })
  },
  slow: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    inPieces(response, { pieces: 8, everyMs: 100, text: 'slowly '.repeat(50), last: 'end' })
  },
  big: (_request, response) => response.writeHead(200, { 'content-length': big.length }).end(big),
  sse: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    inPieces(response, { pieces: 30, everyMs: 100, text: 'data: piece\n\n', last: 'end' })
  },
}

listen(
  createServer((request, response) => {
    const behaviour = behaviours[request.url?.split('/').at(-1) ?? 'ok']
    if (behaviour === undefined) {
      response.writeHead(404).end()
      return
    }
    response.on('error', () => undefined)
    request.resume()
    request.once('end', () => behaviour(request, response))
  }),
)
