// The least that a correct proxy on Node does: node:http in front, undici's dispatch behind, raw headers, no policy, no metrics.
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { passedOn } from './hop-by-hop.mjs'
import { givenUpstream, listen } from './listen.mjs'

const upstream = givenUpstream()
const pool = new Pool(upstream.origin, { connections: 64, pipelining: 1 })

class Exchange {
  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  constructor(request, response) {
    this.request = request
    this.response = response
    this.over = false
    /** @type {((error: Error) => void) | undefined} */
    this.abort = undefined
    /** @type {(() => void) | undefined} */
    this.resume = undefined
    response.on('close', () => {
      if (!this.over) this.abort?.(new Error('the client has left'))
    })
    response.on('drain', () => this.resume?.())
  }

  /** @param {(error: Error) => void} abort */
  onConnect(abort) {
    this.abort = abort
    if (this.response.destroyed) abort(new Error('the client has left'))
  }

  /**
   * @param {number} status
   * @param {Buffer[]} rawHeaders
   * @param {() => void} resume
   * @param {string} statusText
   */
  onHeaders(status, rawHeaders, resume, statusText) {
    if (status < 200) return true
    this.resume = resume
    this.response.writeHead(status, statusText, passedOn(rawHeaders.map(String)))
    return true
  }

  /** @param {Buffer} chunk */
  onData(chunk) {
    return this.response.write(chunk)
  }

  onComplete() {
    this.over = true
    this.response.end()
  }

  onError() {
    this.over = true
    if (this.response.headersSent) this.response.destroy()
    else this.response.writeHead(502).end()
  }
}

listen(
  createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: request.method ?? 'GET',
        headers: ['host', upstream.host, ...passedOn(request.rawHeaders, 'host')],
        body: hasBody ? request : null,
      },
      new Exchange(request, response),
    )
  }),
)
