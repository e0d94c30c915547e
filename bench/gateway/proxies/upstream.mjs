// What the proxies forward to where nginx is missing, and for server-sent events: `/sse` sends one event 20 ms after its head.
import { createServer } from 'node:http'
import { listen } from './listen.mjs'

const body = Buffer.from(process.argv[2] ?? '')

listen(
  createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    if (request.url?.endsWith('/sse') === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      response.flushHeaders()
      const timer = setTimeout(() => response.end(`data: ${process.hrtime.bigint()}\n\n`), 20)
      response.once('close', () => clearTimeout(timer))
      return
    }
    request.resume()
    request.once('end', () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body))
  }),
)
