import replyFrom from '@fastify/reply-from'
import fastify from 'fastify'
import { givenUpstream, listen } from './listen.mjs'

const upstream = givenUpstream()
const app = fastify({ keepAliveTimeout: 65_000 })
await app.register(replyFrom, { base: upstream.origin, undici: { connections: 64, pipelining: 1 } })
app.all('/*', (request, reply) => reply.from(request.url))
await app.ready()
listen(app.server)
