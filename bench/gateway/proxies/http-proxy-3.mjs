import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy-3'
import { givenUpstream, listen } from './listen.mjs'

const upstream = givenUpstream()
const proxy = httpProxy.createProxyServer({ target: upstream.origin, agent: new Agent({ keepAlive: true, maxSockets: 64 }) })
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502).end()
  else response.destroy()
})
listen(createServer({ keepAliveTimeout: 65_000 }, (request, response) => proxy.web(request, response)))
