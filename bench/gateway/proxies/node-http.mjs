// node:http on both sides, with an agent that keeps its connections.
import { Agent, createServer, request as send } from 'node:http'
import { passedOn } from './hop-by-hop.mjs'
import { givenUpstream, listen } from './listen.mjs'

const upstream = givenUpstream()
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

listen(
  createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const sent = send({
      agent,
      host: upstream.hostname,
      port: upstream.port,
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers: /** @type {any} */ (['host', upstream.host, ...passedOn(request.rawHeaders, 'host')]), // flat, as it came
    })
    sent.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', passedOn(answer.rawHeaders))
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    sent.on('error', () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(502).end()
    })
    response.on('close', () => {
      if (!response.writableFinished) sent.destroy()
    })
    request.pipe(sent)
  }),
)
